import { setTimeout as sleep } from 'node:timers/promises';

/** Requests that go on in the background. */
export type SteadyRequests = {
  /** How many have been answered. */
  readonly count: () => number;
  /** Sends no more, and settles when the last is answered, with the number of each answer. */
  readonly stop: () => Promise<Readonly<Record<string, number>>>;
};

const AT_ONCE = 4;
const MOST_EACH = 20_000;
const PAUSE_MS = 10;

/**
 * Sends requests, four at a time unless told, until told to stop. `send` gets a running number and gives the answer in a word or a
 * few; an Error counts as an answer, too, so that none is lost unseen.
 */
export function startRequests(send: (number: number) => Promise<string>, atOnce = AT_ONCE): SteadyRequests {
  const answers = new Map<string, number>();
  let sent = 0;
  let answered = 0;
  let isStopped = false;
  const work = async (): Promise<void> => {
    for (let own = 0; own < MOST_EACH; own += 1) {
      if (isStopped) return;
      const answer = await send(sent++).catch((error: unknown) => String(error));
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      answered += 1;
      await sleep(PAUSE_MS);
    }
  };
  const workers = Array.from({ length: atOnce }, work);
  return {
    count: () => answered,
    async stop() {
      isStopped = true;
      await Promise.all(workers);
      return Object.fromEntries(answers);
    },
  };
}
