/** Time as the cluster's followers know it, so that a test can be its master. */
export interface Clock {
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Calls once when so many milliseconds have passed, unless the function that it returns was called before. */
  readonly after: (milliseconds: number, call: () => void) => () => void;
}

/** The time of this machine. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Settles when so many milliseconds have passed, or at once when the signal aborts; leaves no timer behind. */
export function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(milliseconds, end);
    signal.addEventListener('abort', end);
  });
}
