/** What the API server waits when it does not say; the shortest and longest that it can say are a second and thirty. */
const DEFAULT_TIMEOUT_MS = 5_000;
const LONGEST_TIMEOUT_MS = 30_000;

/** The part of the timeout that is kept for judging, answering and the way back. */
const RESERVE = 0.2;

/** Requests that end within the same slot share a timer: one a request would cost more than most requests do. */
const SLOT_MS = 50;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The milliseconds of a Go duration as the API server writes it (`5s`, `1m30s`, `500ms`); undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|s|m|h)){1,4}$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/([0-9.]+)(ms|s|m|h)/g)) {
    total += Number(number) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return total;
}

/** How long a view may take, in milliseconds, for a request whose `?timeout=` is this. */
export function waitingTime(timeout: string | undefined): number {
  if (timeout !== last.timeout) last = { timeout, milliseconds: readWaitingTime(timeout) };
  return last.milliseconds;
}

/** An API server says the same with every request of a webhook. */
let last: { readonly timeout: string | undefined; readonly milliseconds: number } = {
  timeout: undefined,
  milliseconds: readWaitingTime(undefined),
};

function readWaitingTime(timeout: string | undefined): number {
  const asked = (timeout === undefined ? undefined : parseDuration(timeout)) ?? DEFAULT_TIMEOUT_MS;
  return Math.min(asked, LONGEST_TIMEOUT_MS) * (1 - RESERVE);
}

/** Hands out signals that abort in time; up to 50 ms early, never late. */
export class Deadlines {
  private readonly signals = new Map<number, AbortSignal>();

  /** A signal that aborts when this many milliseconds have passed. */
  after(milliseconds: number): AbortSignal {
    const slot = Math.floor((performance.now() + milliseconds) / SLOT_MS);
    const known = this.signals.get(slot);
    if (known !== undefined) return known;
    const controller = new AbortController();
    const timer = setTimeout(
      () => {
        this.signals.delete(slot);
        controller.abort();
      },
      Math.max(1, slot * SLOT_MS - performance.now()),
    );
    timer.unref();
    this.signals.set(slot, controller.signal);
    return controller.signal;
  }
}
