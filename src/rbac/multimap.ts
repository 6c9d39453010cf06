const NONE: readonly never[] = Object.freeze([]);

/** A map from keys to sets that costs little where most sets have one item. Items are told apart by identity. */
export class Multimap<Key, Item extends object> {
  readonly #sets = new Map<Key, Item | Set<Item>>();

  /** Adds an item to a key's set. */
  add(key: Key, item: Item): void {
    const present = this.#sets.get(key);
    if (present === undefined) this.#sets.set(key, item);
    else if (present instanceof Set) present.add(item);
    else if (present !== item) this.#sets.set(key, new Set([present, item]));
  }

  /** Removes an item from a key's set; nothing happens when it is not there. */
  delete(key: Key, item: Item): void {
    const present = this.#sets.get(key);
    if (present === item) this.#sets.delete(key);
    else if (present instanceof Set && present.delete(item) && present.size === 0) this.#sets.delete(key);
  }

  /** True when a key has an item. */
  has(key: Key): boolean {
    return this.#sets.has(key);
  }

  /** The items of a key, in the order in which they came; none when the key is not there. */
  get(key: Key): Iterable<Item> {
    const present = this.#sets.get(key);
    if (present === undefined) return NONE;
    return present instanceof Set ? present : [present];
  }
}
