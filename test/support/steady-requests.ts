import { Agent } from 'node:https';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

/** Requests that go on in the background. */
export type SteadyRequests = {
  /** How many have been answered. */
  readonly count: () => number;
  /** Sends no more, and settles when the last is answered, with the number of each answer. */
  readonly stop: () => Promise<Readonly<Record<string, number>>>;
};

/** How many send, and how long each of them rests after an answer. */
export type Pace = { readonly senders: number; readonly restMs: number };

/** A request every ten milliseconds, where they are answered so soon. */
const PACE: Pace = { senders: 4, restMs: 40 };
const MOST_EACH = 20_000;

/**
 * Sends requests, a hundred a second unless told, until told to stop or until the test is over. `send` gets a running number,
 * and an agent that spares the API server a handshake each time, and gives the answer in a word or a few; an Error counts
 * as an answer, too, so that none is lost unseen.
 */
export function startRequests(
  test: TestContext,
  send: (number: number, agent: Agent) => Promise<string>,
  { senders, restMs } = PACE,
): SteadyRequests {
  const agent = new Agent({ keepAlive: true });
  const answers = new Map<string, number>();
  let sent = 0;
  let answered = 0;
  let isStopped = false;
  const work = async (): Promise<void> => {
    for (let own = 0; own < MOST_EACH; own += 1) {
      if (isStopped) return;
      const answer = await send(sent++, agent).catch((error: unknown) => String(error));
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      answered += 1;
      await sleep(restMs);
    }
  };
  const workers = Array.from({ length: senders }, work);
  const stop = async (): Promise<Readonly<Record<string, number>>> => {
    isStopped = true;
    await Promise.all(workers);
    agent.destroy();
    return Object.fromEntries(answers);
  };
  // A test that fails stops nothing by itself, and its requests would keep the process.
  test.after(stop);
  return { count: () => answered, stop };
}
