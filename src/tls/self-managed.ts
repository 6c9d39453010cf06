import { setTimeout as sleep } from 'node:timers/promises';

import type { StoredSecret } from './certificate-store.ts';
import { poll } from './poll.ts';
import { makeRotation, type RotationParts } from './rotate.ts';
import { holdPair, type CertificateSource, type ServingPair } from './source.ts';
import { isStepBack, whyOutdated, whyUnusable } from './validity.ts';

/** How a certificate in a Secret is kept up, and who hears of what. */
export type SelfManagedOptions = RotationParts & {
  readonly intervalMs: number;
  /** How long the first certificate may take. */
  readonly startMs: number;
  /** How long a refusal is waited out at the start: rights that were just given, or an API server that just began. */
  readonly patienceMs: number;
  /** Aborts when the process is to end, so that nobody waits for a first certificate in vain. */
  readonly stopped: AbortSignal;
  /** Whether an error of the store is one that will not pass by itself. */
  readonly isHopeless: (error: unknown) => boolean;
  /** Hears once of each new reason for which certificates cannot be kept up; the pair at hand stays in force. */
  readonly onProblem: (sentence: string) => void;
};

/** A source over a Secret; `check` takes a turn now, and `close` ends it all and lets go of the lease. */
export type SelfManagedCertificates = CertificateSource & {
  readonly check: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Long enough for every request of a turn to a slow API server. */
const TURN_MS = 30_000;
const FIRST_TURNS_MS = 500;
const RELEASE_MS = 2_000;

/**
 * Serves the pair of a Secret and follows it; the replica that has the lease also makes and renews it, and keeps the
 * webhook configurations trusting it. Rejects with an Error of one sentence when there is no usable pair in time, or as
 * soon as the store has refused for good.
 */
export async function selfManagedSource(options: SelfManagedOptions): Promise<SelfManagedCertificates> {
  const { store, lease, onProblem, intervalMs, now } = options;
  const rotate = makeRotation(options);
  /** A pair is taken even where rotation fails: another replica may have made it. */
  const turn = async (take: (secret: StoredSecret | undefined) => void): Promise<void> => {
    const signal = AbortSignal.timeout(TURN_MS);
    const failed = await rotate(signal).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    take(await store.readSecret(signal));
    if (failed !== undefined) throw failed.error;
  };
  const { source, replace } = holdPair(await firstPair(turn, options));
  let problem: string | undefined;
  const polling = poll(async (isStopped) => {
    if (isStopped()) return;
    const sentence = await turn((secret) => {
      const pair = pairOf(secret);
      if (isStopped() || pair === undefined || isSame(pair, source.current)) return;
      // Whoever has the lease makes another in the place of an old one that was put back.
      if (!isStepBack(pair, source.current, now())) replace(pair);
    }).then(() => whyOutdated(source.current, now()), sentenceOf);
    if (sentence !== undefined && sentence !== problem && !isStopped()) onProblem(sentence);
    problem = sentence;
  }, intervalMs);
  const stop = (): void => {
    polling.stop();
    source.stop();
  };
  return {
    get current() {
      return source.current;
    },
    onChange: source.onChange,
    check: polling.runNow,
    stop,
    async close() {
      stop();
      // Behind the turn under way, which might otherwise take the lease again.
      await polling.runNow();
      await lease.release(AbortSignal.timeout(RELEASE_MS)).catch(() => undefined);
    },
  };
}

type Turn = (take: (secret: StoredSecret | undefined) => void) => Promise<void>;

async function firstPair(turn: Turn, options: SelfManagedOptions): Promise<ServingPair> {
  const { startMs, patienceMs, stopped, isHopeless, elapsed, now } = options;
  const begin = elapsed();
  let problem = 'another replica has the lease and has made none yet';
  do {
    let pair: ServingPair | undefined;
    try {
      await turn((secret) => (pair = pairOf(secret, now())));
    } catch (error) {
      problem = sentenceOf(error);
      // A pair that could be read is served, whatever else was refused.
      const isOver = isHopeless(error) && elapsed() - begin >= patienceMs;
      if (isOver && pair === undefined) throw noCertificate(problem, error);
    }
    if (pair !== undefined) return pair;
    await sleep(FIRST_TURNS_MS, undefined, { signal: stopped }).catch(() => undefined);
  } while (elapsed() - begin < startMs && !stopped.aborted);
  throw noCertificate(problem);
}

function noCertificate(problem: string, cause?: unknown): Error {
  return new Error(`There is no certificate: ${problem}`, { cause });
}

/** The pair, if it can be served and what the Secret itself trusts has signed it; valid at a moment, if one is given. */
function pairOf(secret: StoredSecret | undefined, at?: Date): ServingPair | undefined {
  if (secret === undefined) return undefined;
  const { cert, key, ca } = secret.parts;
  const problem = whyUnusable({ cert, key }, { ca, ...(at === undefined ? {} : { at }) });
  return problem === undefined ? { cert, key, ca } : undefined;
}

function isSame(one: ServingPair, other: ServingPair): boolean {
  return one.cert === other.cert && one.key === other.key && one.ca === other.ca;
}

/** What an error says, and what caused it where it says little itself, as fetch's do. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
