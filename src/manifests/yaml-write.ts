// A value written anew where another one stands in a YAML text, and entries written behind others.

import { isMap, isSeq } from 'yaml';
import type { Addition } from './collection-changes.ts';
import { indentBefore, lineEnd, lineStart, type Splice } from './splice.ts';
import { blockLines, indented, isBlock, itemLines, nestedIndent, pairLines, type BlockStyle } from './write-block.ts';
import { flowText, type FlowStyle } from './write-flow.ts';
import { scalarLike } from './write-scalar.ts';
import { isBlockScalar, type YamlEntry } from './yaml-entries.ts';
import { offsetOf } from './yaml-nodes.ts';

/** A text, and how it writes what it holds. */
export interface YamlText {
  readonly text: string;
  readonly block: BlockStyle;
  readonly flow: FlowStyle;
}

/** Puts a value in the place of an entry's. A comment behind the old value on its line stays on it. */
export function rewriteValue(yaml: YamlText, entry: YamlEntry, value: unknown, isInFlow: boolean): Splice[] {
  if (isInFlow) return [rewriteInFlow(yaml, entry, value)];
  const splices = rewriteInBlock(yaml, entry, value);
  const comment = headerComment(yaml.text, entry.node);
  return comment === '' ? splices : [...splices, { start: entry.end, end: entry.end, text: comment }];
}

function rewriteInBlock(yaml: YamlText, entry: YamlEntry, value: unknown): Splice[] {
  if (entry.stands === 'as the document') return [rewriteDocument(yaml, entry, value)];
  if (entry.behind < 0) return [rewritePair(yaml, entry, value)];
  if (!isBlock(value)) return [rewriteAsScalar(yaml, entry, blockScalar(yaml, entry, value))];
  return entry.stands === 'behind a dash' ? [rewriteItem(yaml, entry, value)] : rewriteAsBlock(yaml, entry, value);
}

/** The comment behind the `|` or `>` of a block scalar. */
function headerComment(text: string, node: unknown): string {
  if (!isBlockScalar(node)) return '';
  const start = offsetOf(node);
  return /[ \t]+#.*$/.exec(text.slice(start, lineEnd(text, start)))?.[0] ?? '';
}

/** A document that begins on its marker's line cannot hold a block. */
function rewriteDocument({ text, block, flow }: YamlText, { start, end }: YamlEntry, value: unknown): Splice {
  const isAtLineStart = columnOf(text, start) === 0;
  return { start, end, text: isAtLineStart ? blockLines(value, block).join(block.newline) : flowText(value, flow) };
}

function rewriteInFlow({ text, flow }: YamlText, entry: YamlEntry, value: unknown): Splice {
  const written = flowText(value, flow);
  if (entry.behind < 0) return { start: entry.end, end: entry.end, text: `: ${written}` };
  const gap = entry.valueStart === entry.end && /\S/.test(text.charAt(entry.end - 1)) ? ' ' : '';
  return { start: entry.valueStart, end: entry.end, text: gap + written };
}

/** `? key` and the like. */
function rewritePair({ text, block }: YamlText, entry: YamlEntry, value: unknown): Splice {
  const column = columnOf(text, entry.start);
  const lines = indented(pairLines(entry.key ?? '', value, block), column);
  return { start: entry.start, end: entry.end, text: lines.join(block.newline).trimStart() };
}

function blockScalar({ text }: YamlText, { valueStart, end }: YamlEntry, value: unknown): string {
  return isBlock(value) || typeof value === 'object'
    ? blockLines(value, { newline: '\n', step: 2, indentsLists: false }).join('')
    : scalarLike(value, text.slice(valueStart, end));
}

function rewriteAsScalar({ text }: YamlText, entry: YamlEntry, written: string): Splice {
  const isInline = !text.slice(entry.behind, entry.valueStart).includes('\n');
  const isCollectionBelow = isBlockCollection(entry.node) && !isInline;
  const start = isCollectionBelow || entry.valueStart === entry.behind ? entry.behind : entry.valueStart;
  return { start, end: entry.end, text: start === entry.behind ? ` ${written}` : written };
}

function isBlockCollection(node: unknown): boolean {
  return (isMap(node) || isSeq(node)) && node.flow !== true;
}

function rewriteItem({ text, block }: YamlText, entry: YamlEntry, value: unknown): Splice {
  const column = columnOf(text, entry.start) + 2;
  const lines = indented(blockLines(value, block), column).join(block.newline).trimStart();
  return { start: entry.behind, end: entry.end, text: ` ${lines}` };
}

/** The old value goes from its line, the new one comes on the lines below; a comment above it stays. */
function rewriteAsBlock({ text, block }: YamlText, entry: YamlEntry, value: unknown): Splice[] {
  const column = columnOf(text, entry.start) + nestedIndent(value, block);
  const lines = block.newline + indented(blockLines(value, block), column).join(block.newline);
  if (isBlockCollection(entry.node)) return [{ start: entry.behind, end: entry.end, text: lines }];
  const isBelow = text.slice(entry.behind, entry.valueStart).includes('\n');
  if (isBelow) return [{ start: lineEnd(text, lineStart(text, entry.valueStart) - 1), end: entry.end, text: lines }];
  const end = lineEnd(text, entry.end);
  return [
    { start: entry.behind, end: entry.end, text: '' },
    { start: end, end, text: lines },
  ];
}

/** Writes entries of a block collection behind one of them, below the comments that belong to it. */
export function appendEntries(yaml: YamlText, after: YamlEntry, additions: readonly Addition[], owner: number): Splice {
  const { text, block } = yaml;
  const column = columnOf(text, after.start);
  const end = behindComments(text, lineEnd(text, after.end), column > owner ? column : column + 1);
  return { start: end, end, text: block.newline + linesOf(yaml, additions, column).join(block.newline) };
}

/** Writes items of a block sequence before its first one. */
export function prependEntries(yaml: YamlText, before: YamlEntry, additions: readonly Addition[]): Splice {
  const { text, block } = yaml;
  const column = columnOf(text, before.start);
  const lines = [...linesOf(yaml, additions, column), ' '.repeat(column)].join(block.newline);
  return { start: before.start, end: before.start, text: lines.slice(column) };
}

function linesOf({ block }: YamlText, additions: readonly Addition[], column: number): string[] {
  return additions.flatMap(({ key, value }) =>
    indented(key === undefined ? itemLines(value, block) : pairLines(key, value, block), column),
  );
}

/** Takes entries out of a block collection, with their lines where they have lines of their own. */
export function removeEntries(
  { text }: YamlText,
  entries: readonly YamlEntry[],
  removed: ReadonlySet<YamlEntry>,
): Splice[] {
  const next = entries.find((entry) => !removed.has(entry));
  const lead = entries.slice(0, next ? entries.indexOf(next) : 0);
  const [first] = lead;
  if (first && next && indentBefore(text, first.start) === undefined && isTight(text, [...lead, next])) {
    const rest = entries.filter((entry) => removed.has(entry) && !lead.includes(entry));
    return [{ start: first.start, end: next.start, text: '' }, ...rest.map((entry) => removeLines(text, entry))];
  }
  return entries.filter((entry) => removed.has(entry)).map((entry) => removeLines(text, entry));
}

function isTight(text: string, entries: readonly YamlEntry[]): boolean {
  return entries.slice(1).every((entry, at) => text.slice(entries[at]?.end, entry.start).trim() === '');
}

/** The line break before the entry goes with it: what is written behind the entry begins with one. */
function removeLines(text: string, { start, end }: YamlEntry): Splice {
  if (indentBefore(text, start) === undefined) return { start, end, text: '' };
  const from = lineStart(text, start);
  const to = lineEnd(text, end);
  if (from > 0 && to < text.length) return { start: lineEnd(text, lineStart(text, from - 1)), end: to, text: '' };
  return { start: from, end: to === text.length ? to : text.indexOf('\n', to) + 1, text: '' };
}

/** Behind the comment lines that follow and are indented so far at least. */
function behindComments(text: string, end: number, column: number): number {
  let last = end;
  const line = /\r?\n([ \t]*)(#[^\n]*)?(?=\n|$)/y;
  line.lastIndex = end;
  for (let found = line.exec(text); found && found[0] !== ''; found = line.exec(text)) {
    const [, indent = '', comment] = found;
    if (comment !== undefined && indent.length < column) break;
    if (comment !== undefined) last = lineEnd(text, line.lastIndex - 1);
  }
  return last;
}

/** How many characters stand before an offset on its line. */
export function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}
