// A YAML document's text with a draft's changes made: splices at its nodes, everything else as it was.

import { isAlias, isMap, isSeq, visit, type Document } from 'yaml';
import { changesOf, type CollectionChanges } from './collection-changes.ts';
import { isChanged, valueOf, type Draft } from './draft.ts';
import { flowSplices } from './flow-edit.ts';
import { indentBefore, newlineOf, type Splice } from './splice.ts';
import { flowText } from './write-flow.ts';
import { contentEnd, entriesOf, isCollection, type YamlEntry } from './yaml-entries.ts';
import { bindAliases, isMergeKey, offsetOf, type Anchors } from './yaml-nodes.ts';
import { parseDocument } from './yaml-syntax.ts';
import { decodePart } from './yaml-value.ts';
import { appendEntries, columnOf, prependEntries, removeEntries, rewriteValue, type YamlText } from './yaml-write.ts';

interface Edit {
  readonly yaml: YamlText;
  readonly anchors: Anchors;
  readonly splices: Splice[];
  /** Nodes whose value is another one now, and nodes that are no longer in the text. */
  readonly touched: Set<unknown>;
  readonly gone: Set<unknown>;
}

/** Where a node stands: what it belongs to, and how far that is indented. */
interface Place {
  readonly entry: YamlEntry;
  readonly isInFlow: boolean;
  readonly owner: number;
}

/** The splices that make a YAML document's text what the draft of its value says. Throws `Unreadable`. */
export function yamlSplices(text: string, draft: Draft): Splice[] {
  const { document } = parseDocument(text, true);
  if (!document) return [];
  const anchors = bindAliases(document);
  const edit: Edit = {
    yaml: { text, ...styleOf(text, document, anchors) },
    anchors,
    splices: [],
    touched: new Set(),
    gone: new Set(),
  };
  editNode(edit, draft, rootOf(text, document, anchors));
  const isShared = [...anchors.values()].some((target) => edit.touched.has(target));
  if (!isShared) return edit.splices;
  const released: Splice[] = [];
  releaseAliases({ ...edit, splices: released }, rootOf(text, document, anchors));
  // Where an alias ends its collections, they are continued behind it.
  return [...released, ...edit.splices];
}

function rootOf(text: string, { contents }: Document, anchors: Anchors): Place {
  const start = offsetOf(contents);
  const end = contentEnd(text, contents, anchors);
  const place = { start, end, behind: start, valueStart: start };
  const entry: YamlEntry = { keyNode: undefined, node: contents, stands: 'as the document', ...place };
  return { entry, isInFlow: false, owner: -1 };
}

/** Makes the node of a place what its draft says; true when that is another value than before. */
function editNode(edit: Edit, draft: Draft, place: Place): boolean {
  if (!draft.fresh && !isOpen(draft)) return false;
  const { node } = place.entry;
  const entries = !draft.fresh && isCollection(node) ? entriesOf(edit.yaml.text, node, edit.anchors) : [];
  const changes = entries.length > 0 ? changesOf(draft, entries, mergedKeys(edit, node)) : undefined;
  if (!changes) return isChanged(draft) && rewrite(edit, draft, place);
  const isTouched = editKept(edit, changes, place) || changes.removed.size > 0 || changes.added.length > 0;
  changeEntries(edit, entries, changes, place);
  if (isTouched) edit.touched.add(node);
  return isTouched;
}

function isOpen({ members, items }: Draft): boolean {
  return members !== undefined || items !== undefined;
}

function editKept(edit: Edit, { kept }: CollectionChanges<YamlEntry>, place: Place): boolean {
  const below = { isInFlow: isWithinFlow(place), owner: columnOf(edit.yaml.text, place.entry.start) };
  return kept.map(([entry, child]) => editNode(edit, child, { entry, ...below })).includes(true);
}

function isWithinFlow({ isInFlow, entry }: Place): boolean {
  return isInFlow || isFlow(entry.node);
}

function isFlow(node: unknown): boolean {
  return (isMap(node) || isSeq(node)) && node.flow === true;
}

function rewrite(edit: Edit, draft: Draft, { entry, isInFlow }: Place): true {
  edit.splices.push(...rewriteValue(edit.yaml, entry, valueOf(draft), isInFlow));
  remove(edit, entry.node);
  return true;
}

function remove(edit: Edit, node: unknown): void {
  edit.gone.add(node);
  edit.touched.add(node);
  if (!isMap(node) && !isSeq(node)) return;
  visit(node, { Node: (_, inner) => void edit.touched.add(inner) });
}

function changeEntries(
  edit: Edit,
  entries: readonly YamlEntry[],
  changes: CollectionChanges<YamlEntry>,
  place: Place,
): void {
  const { yaml, splices } = edit;
  for (const { keyNode, node } of changes.removed) {
    remove(edit, keyNode);
    remove(edit, node);
  }
  if (isWithinFlow(place)) {
    splices.push(...flowSplices({ text: yaml.text, style: yaml.flow }, entries, changes));
    return;
  }
  splices.push(...removeEntries(yaml, entries, changes.removed));
  const first = entries.find((each) => !changes.removed.has(each));
  const column = place.entry.stands === 'as a pair' ? columnOf(yaml.text, place.entry.start) : place.owner;
  for (const { after, entries: additions } of changes.added) {
    if (after) splices.push(appendEntries(yaml, after, additions, column));
    else if (first) splices.push(prependEntries(yaml, first, additions));
  }
}

/** The keys for which a merge has the last word. */
function mergedKeys({ anchors }: Edit, node: unknown): ReadonlySet<string> {
  const merged = new Set<string>();
  if (!isMap(node) || !node.items.some(({ key }) => isMergeKey(key))) return merged;
  for (const pair of node.items) {
    if (isMergeKey(pair.key)) for (const source of sourcesOf(pair.value)) addKeys(merged, decodePart(source, anchors));
    else merged.delete(String(decodePart(pair.key, anchors)));
  }
  return merged;
}

function sourcesOf(value: unknown): readonly unknown[] {
  return isSeq(value) ? value.items : [value];
}

function addKeys(keys: Set<string>, value: unknown): void {
  if (typeof value === 'object' && value !== null) for (const key of Object.keys(value)) keys.add(key);
}

/** Writes out what aliases of changed anchors stood for, so that the change stays where it was asked for. */
function releaseAliases(edit: Edit, place: Place): void {
  const { node } = place.entry;
  if (edit.gone.has(node)) return;
  if (isAlias(node)) {
    if (!edit.touched.has(edit.anchors.get(node))) return;
    edit.splices.push(...rewriteValue(edit.yaml, place.entry, decodePart(node, edit.anchors), place.isInFlow));
    return;
  }
  if (!isCollection(node)) return;
  const below = { isInFlow: isWithinFlow(place), owner: columnOf(edit.yaml.text, place.entry.start) };
  for (const entry of entriesOf(edit.yaml.text, node, edit.anchors)) {
    releaseKey(edit, entry.keyNode);
    releaseAliases(edit, { entry, ...below });
  }
}

function releaseKey({ anchors, touched, gone, splices, yaml }: Edit, key: unknown): void {
  if (!isAlias(key) || gone.has(key) || !touched.has(anchors.get(key))) return;
  const [start, end] = key.range ?? [0, 0];
  splices.push({ start, end, text: flowText(decodePart(key, anchors), yaml.flow) });
}

/** How a text writes blocks and flow collections, by the first of each that it has. */
function styleOf(text: string, document: Document, anchors: Anchors): Pick<YamlText, 'block' | 'flow'> {
  const newline = newlineOf(text);
  let step: number | undefined;
  let indentsLists: boolean | undefined;
  visit(document, {
    Pair: (_, { key, value }) => {
      if (step !== undefined && indentsLists !== undefined) return visit.BREAK;
      if (!isCollection(value) || value.flow === true) return undefined;
      const first = entriesOf(text, value, anchors)[0]?.start ?? 0;
      const depth = columnOf(text, first) - columnOf(text, offsetOf(key));
      if (indentBefore(text, first) === undefined) return undefined;
      if (isSeq(value)) indentsLists ??= depth > 0;
      else if (depth > 0) step ??= depth;
      return undefined;
    },
  });
  const unit = ' '.repeat(step ?? 2);
  return {
    block: { newline, step: step ?? 2, indentsLists: indentsLists ?? true },
    flow: { json: false, colon: ': ', comma: ', ', newline, unit },
  };
}
