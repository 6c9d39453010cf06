import type { Clock } from './clock.ts';

/** Nothing was heard for too long: the other side may be gone without having said so. */
export class SilenceError extends Error {
  constructor(milliseconds: number) {
    super(`nothing was heard for ${Math.round(milliseconds / 1000)} s`);
    this.name = 'SilenceError';
  }
}

/** Aborts with a SilenceError when nothing was heard for too long. One timer, however often something is heard. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #patience: number;
  #heardAt: number;
  #cancel: () => void;

  constructor(clock: Clock, patience: number) {
    this.#clock = clock;
    this.#patience = patience;
    this.#heardAt = clock.now();
    this.#cancel = clock.after(patience, this.#look);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something was heard: the time runs anew. */
  hear(): void {
    this.#heardAt = this.#clock.now();
  }

  /** It will not abort any more. */
  stop(): void {
    this.#cancel();
  }

  readonly #look = (): void => {
    const left = this.#heardAt + this.#patience - this.#clock.now();
    if (left > 0) this.#cancel = this.#clock.after(left, this.#look);
    else this.#controller.abort(new SilenceError(this.#patience));
  };
}
