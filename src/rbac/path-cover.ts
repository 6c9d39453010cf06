/** Scopes below /metrics, where a star at the end stands for any rest, made ready to tell what they cover. */
export class PathCover {
  readonly #paths: ReadonlySet<string>;
  /** Beginnings of paths, none of which begins with another, sorted: only the last one up to a path can cover it. */
  readonly #prefixes: readonly string[];

  constructor(paths: ReadonlySet<string>) {
    this.#paths = paths;
    this.#prefixes = shortestPrefixes(paths);
  }

  /** True when every path of the scope is a path of one of these. */
  covers(scope: string): boolean {
    if (this.#paths.has(scope)) return true;
    const prefix = this.#lastUpTo(scope);
    return prefix !== undefined && scope.startsWith(prefix);
  }

  #lastUpTo(scope: string): string | undefined {
    let low = 0;
    let high = this.#prefixes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const prefix = this.#prefixes[middle];
      if (prefix !== undefined && prefix <= scope) low = middle + 1;
      else high = middle;
    }
    return this.#prefixes[low - 1];
  }
}

function shortestPrefixes(paths: ReadonlySet<string>): readonly string[] {
  const shortest: string[] = [];
  const prefixes = [...paths].filter((path) => path.endsWith('*')).map((path) => path.slice(0, -1));
  for (const prefix of prefixes.sort(byCodeUnit)) {
    const last = shortest.at(-1);
    if (last === undefined || !prefix.startsWith(last)) shortest.push(prefix);
  }
  return shortest;
}

function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
