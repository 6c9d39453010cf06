import type { ServerResponse } from 'node:http';

/**
 * More reviews than this are not answered at once: three API servers write 600 objects at a time at most, and a review
 * that waits holds its body in memory.
 */
export const MOST_IN_FLIGHT = 600;

/** Counts the requests that are being answered, from their first line to their last byte or to the end of their client. */
export class InFlight {
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Counts one in until its response is closed; false, and not counted, when there are too many already. */
  enter(response: ServerResponse): boolean {
    if (this.#count >= MOST_IN_FLIGHT) return false;
    this.#count += 1;
    response.once('close', () => (this.#count -= 1));
    return true;
  }
}
