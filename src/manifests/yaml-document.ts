import { isObject } from '../kube/json.ts';
import { keepLast } from '../kube/keep-last.ts';
import type { Chunk } from './chunk.ts';
import type { DecodedDocument, Locate, Unit } from './decoded-document.ts';
import { isList } from './flatten-list.ts';
import { Unreadable, type Remark } from './unreadable.ts';
import { cutLongList, type CutList } from './yaml-long-list.ts';
import { bindAliases } from './yaml-nodes.ts';
import { createYamlLocator } from './yaml-positions.ts';
import { LARGEST_TREE, parseDocument } from './yaml-syntax.ts';
import { decodeDocument } from './yaml-value.ts';

/** A list is read item by item from this length on. */
const LONG = 1024 * 1024;

const locators = keepLast<Locate>();

/** The document that YAML text holds; an empty one is null. Throws `Unreadable`. */
export function decodeYaml(chunk: Chunk): DecodedDocument {
  return decodeLongList(chunk) ?? decodeWhole(chunk);
}

function decodeWhole(chunk: Chunk): DecodedDocument {
  const { document, remarks } = parseDocument(chunk.text);
  const decoded = document ? decodeDocument(document, bindAliases(document)) : { value: null, remarks: [] };
  const { value } = decoded;
  const locatorOf = (part: readonly string[]): Locate => locatorIn(chunk, part);
  return {
    chunk,
    format: 'yaml',
    value,
    remarks: [...remarks, ...decoded.remarks],
    unitOf: (tokens) => ({ chunk, value, tokens }),
    locatorOf,
  };
}

function locatorIn(chunk: Chunk, part: readonly string[]): Locate {
  const locate = locators([chunk], () => {
    const { document } = parseDocument(chunk.text);
    return document ? createYamlLocator(document, bindAliases(document)) : () => 0;
  });
  return (tokens) => chunk.start + locate([...part, ...tokens]);
}

/** Undefined for a document that is no long list, and for one whose items cannot be read apart. */
function decodeLongList(chunk: Chunk): DecodedDocument | undefined {
  const cut = chunk.text.length > LONG ? cutLongList(chunk) : undefined;
  if (!cut) return undefined;
  try {
    return joinItems(chunk, cut);
  } catch (error) {
    // Anchors, for instance, may be shared between items: the whole is tried then, if it is not too large for that.
    if (error instanceof Unreadable && chunk.text.length <= LARGEST_TREE) return undefined;
    throw error;
  }
}

function joinItems(chunk: Chunk, { head, gap, items }: CutList): DecodedDocument | undefined {
  const { value: envelope, remarks } = decodeWhole(head);
  if (!isObject(envelope) || !isList(envelope) || envelope['items'] !== null) return undefined;
  const documents: DecodedDocument[] = [];
  const values: unknown[] = [];
  const all = remarks.map((remark) => moved(remark, (offset) => (offset < gap.at ? offset : offset + gap.length)));
  for (const item of items) {
    const shift = (offset: number): number => offset + item.start - chunk.start;
    const decoded = decodeItem(item, shift);
    if (!Array.isArray(decoded.value) || decoded.value.length !== 1) return undefined;
    documents.push(decoded);
    values.push(decoded.value[0]);
    for (const remark of decoded.remarks) all.push(moved(remark, shift));
  }
  const value = { ...envelope, items: values };
  const locatorOf = ([, index, ...part]: readonly string[]): Locate =>
    documents[Number(index)]?.locatorOf(['0', ...part]) ?? (() => chunk.start);
  const unitOf = ([, index, ...part]: readonly string[]): Unit =>
    documents[Number(index)]?.unitOf(['0', ...part]) ?? { chunk, value, tokens: [] };
  return { chunk, format: 'yaml', value, remarks: all, unitOf, locatorOf };
}

function decodeItem(item: Chunk, shift: (offset: number) => number): DecodedDocument {
  try {
    return decodeWhole(item);
  } catch (error) {
    throw error instanceof Unreadable ? new Unreadable(shift(error.offset), error.message) : error;
  }
}

function moved({ offset, earlier, message }: Remark, shift: (offset: number) => number): Remark {
  return { message, offset: shift(offset), ...(earlier !== undefined && { earlier: shift(earlier) }) };
}
