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

const AT_ONCE = 4;
const MOST_EACH = 20_000;
/** Times the senders: two hundred requests a second at most, from however many. */
const PAUSE_MS = 5;

/**
 * Sends requests, four at a time unless told, until told to stop or until the test is over. `send` gets a running number,
 * and an agent that spares the API server a handshake each time, and gives the answer in a word or a few; an Error counts
 * as an answer, too, so that none is lost unseen.
 */
export function startRequests(
  test: TestContext,
  send: (number: number, agent: Agent) => Promise<string>,
  atOnce = AT_ONCE,
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
      await sleep(PAUSE_MS * atOnce);
    }
  };
  const workers = Array.from({ length: atOnce }, work);
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
