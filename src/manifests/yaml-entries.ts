// Where the entries of a YAML collection stand in its text, read off the syntax tree.

import { isMap, isPair, isScalar, isSeq, type CST, type YAMLMap, type YAMLSeq } from 'yaml';
import type { FlowEntry } from './flow-edit.ts';
import { lineEnd } from './splice.ts';
import { isMergeKey, jsonKeyOf, offsetOf, type Anchors } from './yaml-nodes.ts';

/** A pair or an item of a collection. */
export interface YamlEntry extends FlowEntry {
  readonly keyNode: unknown;
  readonly node: unknown;
  /** Behind its colon or its dash; -1 for a pair that is not written `key: value`. */
  readonly behind: number;
  /** The value with its anchor and its tag; nothing, behind the colon or dash, where none is written. */
  readonly valueStart: number;
  readonly stands: 'as a pair' | 'behind a dash' | 'in flow' | 'as the document';
}

type Collection = YAMLMap | YAMLSeq;

const FILLER: ReadonlySet<string> = new Set(['space', 'newline', 'comment', 'comma']);
const PROPERTIES: ReadonlySet<string> = new Set(['anchor', 'tag']);

/** True for a mapping or sequence whose entries can be told apart in the text. */
export function isCollection(node: unknown): node is Collection {
  return (isMap(node) || isSeq(node)) && node.srcToken !== undefined;
}

/** The entries of a collection, in the order of the text. */
export function entriesOf(text: string, collection: Collection, anchors: Anchors): YamlEntry[] {
  return collection.items.flatMap((_, at) => entryAt(text, collection, at, anchors) ?? []);
}

function entryAt(text: string, collection: Collection, at: number, anchors: Anchors): YamlEntry | undefined {
  const token: unknown = collection.srcToken;
  const item = isItemsToken(token) ? token.items[at] : undefined;
  const node: unknown = collection.items[at];
  if (!item) return undefined;
  return isPair(node) ? pairEntry(text, item, node, anchors) : itemEntry(text, item, node, anchors);
}

function isItemsToken(token: unknown): token is CST.BlockMap | CST.BlockSequence | CST.FlowCollection {
  return typeof token === 'object' && token !== null && 'items' in token;
}

function pairEntry(
  text: string,
  { start, key, sep, value }: CST.CollectionItem,
  pair: { key: unknown; value: unknown },
  anchors: Anchors,
): YamlEntry {
  const { colon, behind } = cutAtColon(sep ?? []);
  const from = firstOf(start) ?? key?.offset ?? colon?.offset ?? 0;
  const empty = colon ? colon.offset + 1 : Math.max(from, rangeEnd(pair.key));
  const jsonKey = isMergeKey(pair.key) ? undefined : jsonKeyOf(pair.key, anchors);
  return {
    ...(jsonKey !== undefined && { key: jsonKey }),
    keyNode: pair.key,
    node: pair.value,
    start: from,
    behind: colon && !isExplicit(start) ? empty : -1,
    stands: 'as a pair',
    ...placeOf(text, { properties: behind, value, node: pair.value, empty }, anchors),
  };
}

function cutAtColon(tokens: readonly CST.SourceToken[]): {
  readonly colon: CST.SourceToken | undefined;
  readonly behind: readonly CST.SourceToken[];
} {
  const at = tokens.findIndex(({ type }) => type === 'map-value-ind');
  return { colon: tokens[at], behind: at < 0 ? [] : tokens.slice(at + 1) };
}

/** True for a pair that begins with a `?`. */
function isExplicit(tokens: readonly CST.SourceToken[]): boolean {
  return tokens.some(({ type }) => type === 'explicit-key-ind');
}

/** Where the first token stands that is no white space, comment or comma. */
function firstOf(tokens: readonly CST.SourceToken[]): number | undefined {
  return tokens.find(({ type }) => !FILLER.has(type))?.offset;
}

function itemEntry(
  text: string,
  { start, key, value }: CST.CollectionItem,
  node: unknown,
  anchors: Anchors,
): YamlEntry {
  const dash = start.find(({ type }) => type === 'seq-item-ind');
  const from = firstOf(start) ?? key?.offset ?? value?.offset ?? 0;
  const behind = dash ? dash.offset + 1 : from;
  const properties = dash ? start.slice(start.indexOf(dash) + 1) : start;
  // An item of a flow sequence may be a pair.
  const place = key
    ? { valueStart: from, end: rangeEnd(node) }
    : placeOf(text, { properties, value, node, empty: behind }, anchors);
  return { keyNode: undefined, node, start: from, behind, stands: dash ? 'behind a dash' : 'in flow', ...place };
}

interface Written {
  readonly properties: readonly CST.SourceToken[];
  readonly value: CST.Token | null | undefined;
  readonly node: unknown;
  readonly empty: number;
}

function placeOf(
  text: string,
  { properties, value, node, empty }: Written,
  anchors: Anchors,
): { valueStart: number; end: number } {
  const marks = properties.filter(({ type }) => PROPERTIES.has(type));
  const last = marks.at(-1);
  const end = value ? contentEnd(text, node, anchors) : last ? last.offset + last.source.length : empty;
  return { valueStart: marks[0]?.offset ?? value?.offset ?? empty, end };
}

/** The offset behind the last character of a node; the line break that ends a block scalar is not counted. */
export function contentEnd(text: string, node: unknown, anchors: Anchors): number {
  if (isCollection(node) && node.flow !== true) {
    return entryAt(text, node, node.items.length - 1, anchors)?.end ?? rangeEnd(node);
  }
  return isBlockScalar(node) ? withoutLastBreaks(text, offsetOf(node), rangeEnd(node)) : rangeEnd(node);
}

/** True for text behind a `|` or `>`. */
export function isBlockScalar(node: unknown): boolean {
  return isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED');
}

function rangeEnd(node: unknown): number {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return 0;
  return Number(node.range[1]);
}

/** Empty lines behind a block scalar are part of it only where its header has a `+`. */
function withoutLastBreaks(text: string, start: number, end: number): number {
  const header = text.slice(start, lineEnd(text, start)).split('#')[0] ?? '';
  const breaks = header.includes('+') ? /(?:\r?\n *)?$/ : /(?:\r?\n)*(?:\n *)?$/;
  return end - (breaks.exec(text.slice(start, end))?.[0].length ?? 0);
}
