import type { Io } from './io.ts';

/** A line on the terminal that says how far a long work is. */
export interface Progress {
  /** Says how much is done, if it is time to. */
  readonly tell: (done: string) => void;
  /** Wipes the line. */
  readonly end: () => void;
}

const SILENT_MS = 1000;
const INTERVAL_MS = 100;
const WIPE = '\r\u001B[K';

/** Progress on stderr, from the second second on; none where nobody watches a terminal. */
export function startProgress({ stderr, now }: Pick<Io, 'stderr' | 'now'>, title: string): Progress {
  if (stderr.isTTY !== true) return { tell: () => {}, end: () => {} };
  let next = now().getTime() + SILENT_MS;
  let isShown = false;
  return {
    tell: (done) => {
      const time = now().getTime();
      if (time < next) return;
      next = time + INTERVAL_MS;
      isShown = true;
      stderr.write(`${WIPE}${title}: ${done} ...`);
    },
    end: () => {
      if (isShown) stderr.write(WIPE);
    },
  };
}
