// A long YAML list, such as `kubectl get pods -A -o yaml` writes, cut at its items: a syntax tree takes some forty times
// its text in memory, so that one of the whole list would not fit.

import type { Chunk } from './chunk.ts';

/** A list's text without its items, and the text of each item: a sequence of one. */
export interface CutList {
  readonly head: Chunk;
  /** Where in the document the items were taken out, and how long they are. */
  readonly gap: { readonly at: number; readonly length: number };
  readonly items: readonly Chunk[];
}

const ITEMS_LINE = /^items:[ \t]*(?:#[^\n]*)?\r?\n/m;
const FIRST_ITEM = /^(?:[ \t]*(?:#[^\n]*)?\r?\n)*( *)-[ \r\n]/;

/**
 * Cuts a document at the items of its top-level `items`; undefined when it has none in block style. It is right where
 * the head, in which `items` must then be null, and each item are valid by themselves: text in quotes or in a flow
 * collection that only looks like an item leaves its head or its neighbour unclosed.
 */
export function cutLongList({ text, start }: Chunk): CutList | undefined {
  const itemsLine = ITEMS_LINE.exec(text);
  if (!itemsLine) return undefined;
  const from = itemsLine.index + itemsLine[0].length;
  const first = FIRST_ITEM.exec(text.slice(from));
  if (!first) return undefined;
  const indent = first[1]?.length ?? 0;
  const region = text.slice(from, from + regionLength(text.slice(from), indent));
  const offsets = Array.from(region.matchAll(new RegExp(`^ {${indent}}-(?=[ \\r\\n])`, 'gm')), ({ index }) => index);
  const items = offsets.map((offset, index) => ({
    text: region.slice(offset, offsets[index + 1]),
    start: start + from + offset,
  }));
  const head = { text: text.slice(0, from) + text.slice(from + region.length), start };
  return { head, gap: { at: from, length: region.length }, items };
}

/** Up to the first line that is indented less than the items are, and is no comment. */
function regionLength(text: string, indent: number): number {
  const outside = indent === 0 ? /^[^ #\r\n-]/m : new RegExp(`^ {0,${indent - 1}}[^ #\\r\\n]`, 'm');
  const end = text.search(outside);
  return end < 0 ? text.length : end;
}
