import type { Clock } from '../../src/cluster/clock.ts';

/** Time that stands still until a test moves it. */
export type FakeClock = Clock & {
  /**
   * Waits until somebody waits for exactly so many milliseconds, lets them pass, and calls back whoever waited for no
   * longer than that.
   */
  readonly pass: (milliseconds: number) => Promise<void>;
  /** Waits until somebody waits for exactly so many milliseconds. */
  readonly expect: (milliseconds: number) => Promise<void>;
  /** Lets so many milliseconds pass, whoever waits. */
  readonly advance: (milliseconds: number) => void;
  /** The milliseconds that are waited for now, shortest first. */
  readonly waiting: () => readonly number[];
};

type Timer = { readonly due: number; readonly milliseconds: number; readonly call: () => void };

/** A clock that begins at an hour, so that nothing is older than it. */
export function makeClock(): FakeClock {
  const timers = new Set<Timer>();
  let now = 3_600_000;
  let onTimer = Promise.withResolvers<void>();
  const advance = (milliseconds: number): void => {
    const until = now + milliseconds;
    for (;;) {
      const [next] = [...timers].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      timers.delete(next);
      now = next.due;
      next.call();
    }
    now = until;
  };
  const expect = async (milliseconds: number): Promise<void> => {
    while (![...timers].some((timer) => timer.milliseconds === milliseconds)) await onTimer.promise;
  };
  return {
    now: () => now,
    after(milliseconds, call) {
      const timer = { due: now + milliseconds, milliseconds, call };
      timers.add(timer);
      onTimer.resolve();
      onTimer = Promise.withResolvers();
      return () => void timers.delete(timer);
    },
    async pass(milliseconds) {
      await expect(milliseconds);
      advance(milliseconds);
    },
    expect,
    advance,
    waiting: () => [...timers].map((timer) => timer.milliseconds).sort((a, b) => a - b),
  };
}
