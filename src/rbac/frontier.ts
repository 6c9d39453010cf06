/**
 * What a walk has yet to find, by anchor. A walk that meets an anchor again looks only at what it passed over, so that
 * roles which all select each other take linear work and not quadratic.
 */
export class Frontier<Item> {
  readonly #passedOver = new Map<string, readonly Item[]>();
  readonly #isFound: (item: Item) => boolean;

  constructor(isFound: (item: Item) => boolean) {
    this.#isFound = isFound;
  }

  /** The wanted ones among the items at an anchor that were not found before; `itemsAt` is asked once where there are any. */
  take(
    anchor: string,
    itemsAt: (anchor: string) => Iterable<Item>,
    isWanted: (item: Item) => boolean,
  ): readonly Item[] {
    const items = this.#passedOver.get(anchor) ?? itemsAt(anchor);
    if (Array.isArray(items) && items.length === 0) return [];
    const taken: Item[] = [];
    const rest: Item[] = [];
    for (const item of items) {
      if (!this.#isFound(item)) (isWanted(item) ? taken : rest).push(item);
    }
    this.#passedOver.set(anchor, rest);
    return taken;
  }
}
