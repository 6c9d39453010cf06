const FIRST_MS = 250;
const LONGEST_MS = 10_000;

/** How long to wait after one failure more: twice as long each time, up to ten seconds, and never the same for all. */
export class Backoff {
  #failures = 0;
  readonly #random: () => number;

  /** `random` gives numbers from 0 up to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure; the milliseconds to wait, between half of the longest and the longest for so many failures. */
  fail(): number {
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return longest * (0.5 + this.#random() / 2);
  }

  /** Something went well: the next failure is the first one. */
  succeed(): void {
    this.#failures = 0;
  }
}
