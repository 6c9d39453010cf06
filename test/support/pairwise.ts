// Combinations of settings, few enough to try them all.

/** The values of each setting, by its name. */
export type Axes = Readonly<Record<string, readonly unknown[]>>;

type Row = Readonly<Record<string, number>>;

/**
 * Rows that choose a value, by its index, for each setting, so that any two values of two settings meet in some row.
 * Always the same for the same axes.
 */
export function pairwise(axes: Axes): readonly Row[] {
  const missing = new Set(allPairs(axes));
  const rows: Row[] = [];
  for (const pair of missing) {
    const row: Record<string, number> = { ...parsePair(pair) };
    for (const name of Object.keys(axes)) row[name] ??= best(name, axes, row, missing);
    for (const met of pairsOf(row)) missing.delete(met);
    rows.push(row);
  }
  return rows;
}

/** The value with which most pairs meet that have not met. */
function best(name: string, axes: Axes, chosen: Row, missing: ReadonlySet<string>): number {
  const scores = (axes[name] ?? []).map((_, index) => {
    return pairsOf({ ...chosen, [name]: index }).filter((pair) => missing.has(pair)).length;
  });
  return scores.indexOf(Math.max(...scores));
}

function allPairs(axes: Axes): string[] {
  const cells = Object.entries(axes).flatMap(([name, values]) => values.map((_, index) => ({ [name]: index })));
  return cells.flatMap((first, at) => cells.slice(at + 1).flatMap((second) => pairsOf({ ...first, ...second })));
}

/** Every two choices of a row, in one spelling. */
function pairsOf(row: Row): string[] {
  const choices = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));
  return choices.flatMap((first, at) => choices.slice(at + 1).map((second) => JSON.stringify([first, second])));
}

function parsePair(pair: string): Row {
  const choices: readonly (readonly [string, number])[] = JSON.parse(pair);
  return Object.fromEntries(choices);
}
