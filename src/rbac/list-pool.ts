/**
 * Keeps one of several equal lists of strings. A cluster's rules repeat the same verbs, groups and resources over and
 * over; the pool is bounded, and what falls out of it is merely shared no longer.
 */
export class ListPool {
  readonly #lists = new Map<string, readonly string[]>();
  readonly #capacity: number;

  constructor(capacity = 20_000) {
    this.#capacity = capacity;
  }

  /** An equal list, the same one as long as the pool remembers it. */
  readonly share = (list: readonly string[]): readonly string[] => {
    if (list.length === 0 || list.length > MAX_LENGTH) return list;
    const key = list.join('\n');
    const known = this.#lists.get(key);
    if (known !== undefined && isEqual(known, list)) return known;
    if (this.#lists.size >= this.#capacity) this.#lists.clear();
    this.#lists.set(key, list);
    return list;
  };
}

/** Longer lists are hardly ever equal to another one. */
const MAX_LENGTH = 64;

function isEqual(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
