// Changes to one collection in flow style, or in JSON: brackets, commas, entries.

import type { Addition, CollectionChanges, TextEntry } from './collection-changes.ts';
import { indentBefore, lineEnd, type Splice } from './splice.ts';
import { flowEntry, type FlowStyle } from './write-flow.ts';

/** An entry between its commas. */
export interface FlowEntry extends TextEntry {
  readonly start: number;
  readonly end: number;
}

interface FlowText {
  readonly text: string;
  readonly style: FlowStyle;
}

/** The splices that take entries out and write others; the values of those that stay are not its concern. */
export function flowSplices<Entry extends FlowEntry>(
  flow: FlowText,
  entries: readonly Entry[],
  { removed, added }: CollectionChanges<Entry>,
): Splice[] {
  const first = entries.find((entry) => !removed.has(entry));
  return [
    ...removals(entries, removed),
    ...added.flatMap(({ after, entries: additions }) =>
      after ? appended(flow, after, additions) : prepended(flow, first, additions),
    ),
  ];
}

/** Runs of removed entries go with the comma behind them, the last run with the one before it. */
function removals(entries: readonly FlowEntry[], removed: ReadonlySet<FlowEntry>): Splice[] {
  const splices: Splice[] = [];
  for (let at = 0; at < entries.length; at += 1) {
    const from = at;
    while (at < entries.length && isIn(removed, entries[at])) at += 1;
    if (at === from) continue;
    const start = entries[from]?.start ?? 0;
    const next = entries[at];
    if (next) splices.push({ start, end: next.start, text: '' });
    else splices.push({ start: entries[from - 1]?.end ?? start, end: entries[at - 1]?.end ?? start, text: '' });
  }
  return splices;
}

function isIn(removed: ReadonlySet<FlowEntry>, entry: FlowEntry | undefined): boolean {
  return entry !== undefined && removed.has(entry);
}

function appended({ text, style }: FlowText, after: FlowEntry, additions: readonly Addition[]): Splice[] {
  const indent = indentBefore(text, after.start);
  const gap = indent === undefined ? style.comma.slice(1) : `${style.newline}${indent}`;
  const parts = additions.map(({ key, value }) => `${gap}${flowEntry(key, value, style, indent)}`);
  const end = lineEnd(text, after.end);
  // A comment stays on its line.
  if (indent === undefined || !/^[ \t]*#/.test(text.slice(after.end, end))) {
    return [{ start: after.end, end: after.end, text: `,${parts.join(',')}` }];
  }
  return [
    { start: after.end, end: after.end, text: ',' },
    { start: end, end, text: parts.join(',') },
  ];
}

function prepended({ text, style }: FlowText, first: FlowEntry | undefined, additions: readonly Addition[]): Splice[] {
  if (!first) return [];
  const indent = indentBefore(text, first.start);
  const gap = indent === undefined ? style.comma.slice(1) : `${style.newline}${indent}`;
  const parts = additions.map(({ key, value }) => `${flowEntry(key, value, style, indent)},${gap}`);
  return [{ start: first.start, end: first.start, text: parts.join('') }];
}
