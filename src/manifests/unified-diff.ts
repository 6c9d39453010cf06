// A unified diff of a text and what replacements make of it, made from the replacements: its work is linear in the text.

import { applySplices, lineStart, moved, sortSplices, type Splice } from './splice.ts';

/** A line of a diff without its line break, and what it is. */
export interface DiffLine {
  readonly kind: 'file' | 'hunk' | 'context' | 'removed' | 'added';
  readonly text: string;
}

/** Lines that others take the place of; `at` counts them from 0. */
interface Change {
  readonly at: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

const CONTEXT = 3;
const NO_NEWLINE = '\\ No newline at end of file';

/** The diff of a file, as `git apply` and `patch -p1` take it; none when nothing changes. */
export function unifiedDiff(file: string, text: string, splices: readonly Splice[]): DiffLine[] {
  const changes = changesIn(text, sortSplices(splices));
  if (changes.length === 0) return [];
  const lines = linesOf(text);
  const name = file.replace(/^\/+/, '');
  const end = name.includes(' ') ? '\t' : '';
  const found: DiffLine[] = [
    { kind: 'file', text: `--- a/${name}${end}` },
    { kind: 'file', text: `+++ b/${name}${end}` },
  ];
  let grown = 0;
  for (const group of hunksOf(changes)) {
    found.push(...hunkLines(lines, group, grown));
    for (const { removed, added } of group) grown += added.length - removed.length;
  }
  return found;
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The lines that change, by runs of replacements that share lines. */
function changesIn(text: string, splices: readonly Splice[]): Change[] {
  const changes: Change[] = [];
  let line = 0;
  let counted = 0;
  for (let at = 0; at < splices.length;) {
    const from = lineStart(text, splices[at]?.start ?? 0);
    let to = from;
    const run: Splice[] = [];
    for (let splice = splices[at]; splice && (splice.start < to || run.length === 0); splice = splices[at]) {
      run.push(moved(splice, -from));
      const newline = text.indexOf('\n', splice.end);
      to = Math.max(to, newline < 0 ? text.length + 1 : newline + 1);
      at += 1;
    }
    line += linesOf(text.slice(counted, from)).length;
    counted = from;
    const before = text.slice(from, to);
    const change = trimmed({ at: line, removed: linesOf(before), added: linesOf(applySplices(before, run)) });
    if (change.removed.length + change.added.length > 0) changes.push(change);
  }
  return changes;
}

/** Without the lines that both begin and end with. */
function trimmed({ at, removed, added }: Change): Change {
  const least = Math.min(removed.length, added.length);
  let head = 0;
  while (head < least && removed[head] === added[head]) head += 1;
  let tail = 0;
  while (tail < least - head && removed.at(-1 - tail) === added.at(-1 - tail)) tail += 1;
  return {
    at: at + head,
    removed: removed.slice(head, removed.length - tail),
    added: added.slice(head, added.length - tail),
  };
}

/** Changes whose context would touch belong together. */
function hunksOf(changes: readonly Change[]): Change[][] {
  const hunks: Change[][] = [];
  for (const change of changes) {
    const before = hunks.at(-1)?.at(-1);
    const isNear = before !== undefined && change.at - (before.at + before.removed.length) <= 2 * CONTEXT;
    if (isNear) hunks.at(-1)?.push(change);
    else hunks.push([change]);
  }
  return hunks;
}

function hunkLines(lines: readonly string[], changes: readonly Change[], shift: number): DiffLine[] {
  const first = Math.max(0, (changes[0]?.at ?? 0) - CONTEXT);
  const body: DiffLine[] = [];
  let at = first;
  for (const change of changes) {
    for (const line of lines.slice(at, change.at)) body.push(...diffLine('context', line));
    for (const line of change.removed) body.push(...diffLine('removed', line));
    for (const line of change.added) body.push(...diffLine('added', line));
    at = change.at + change.removed.length;
  }
  const end = Math.min(lines.length, at + CONTEXT);
  for (const line of lines.slice(at, end)) body.push(...diffLine('context', line));
  const grown = changes.reduce((sum, { removed, added }) => sum + added.length - removed.length, 0);
  const before = rangeOf(first, end - first);
  const after = rangeOf(first + shift, end - first + grown);
  return [{ kind: 'hunk', text: `@@ -${before} +${after} @@` }, ...body];
}

function rangeOf(first: number, length: number): string {
  return `${length === 0 ? first : first + 1},${length}`;
}

const SIGNS = { context: ' ', removed: '-', added: '+' } as const;

function diffLine(kind: keyof typeof SIGNS, line: string): DiffLine[] {
  if (line.endsWith('\n')) return [{ kind, text: SIGNS[kind] + line.slice(0, -1) }];
  return [
    { kind, text: SIGNS[kind] + line },
    { kind: 'context', text: NO_NEWLINE },
  ];
}
