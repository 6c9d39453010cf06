// What JSON Patch operations make of a value, with the memory of which parts are still the ones that the text holds.

import { asList, isObject, type JsonObject } from '../kube/json.ts';
import { tokensOf, type JsonPointer } from '../kube/pointer.ts';

/** A JSON Patch operation (RFC 6902); the others can be said with these. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: JsonPointer; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: JsonPointer };

/** An operation names a place that the value does not have. */
export class PatchError extends Error {
  constructor(path: JsonPointer) {
    super(`the patch does not apply at ${path === '' ? 'the document' : path}`);
    this.name = 'PatchError';
  }
}

/** A value on its way from a text to another one. Its content is laid open where an operation reaches into it. */
export interface Draft {
  readonly value: unknown;
  /** True for what a patch brought. */
  readonly fresh: boolean;
  /** The item of the text's list in whose place it stands. */
  readonly index?: number;
  members?: Map<string, Draft>;
  items?: Draft[];
}

const INDEX = /^(?:0|[1-9][0-9]*)$/;

/** The draft after all operations. Throws `PatchError`. */
export function draftOf(value: unknown, patch: readonly PatchOperation[]): Draft {
  let root: Draft = { value, fresh: false };
  for (const operation of patch) root = applyTo(root, operation);
  return root;
}

/** The value that a draft stands for now. */
export function valueOf(draft: Draft): unknown {
  if (draft.members) return Object.fromEntries([...draft.members].map(([key, member]) => [key, valueOf(member)]));
  return draft.items ? draft.items.map(valueOf) : draft.value;
}

/** True when a draft differs from what the text holds in its place. */
export function isChanged(draft: Draft): boolean {
  if (draft.fresh) return true;
  if (draft.members) {
    const { members } = draft;
    return members.size !== Object.keys(objectOf(draft)).length || [...members.values()].some(isChanged);
  }
  if (!draft.items) return false;
  const { items } = draft;
  return items.length !== asList(draft.value).length || items.some((item, at) => item.index !== at || isChanged(item));
}

function objectOf({ value }: Draft): JsonObject {
  return isObject(value) ? value : {};
}

function applyTo(root: Draft, operation: PatchOperation): Draft {
  const tokens = tokensOf(operation.path);
  const last = tokens.pop();
  if (last === undefined) {
    if (operation.op === 'remove') throw new PatchError(operation.path);
    return revised(root, operation.value);
  }
  let parent = root;
  for (const token of tokens) parent = childOf(parent, token, operation.path);
  if (open(parent).members) changeMember(parent.members ?? new Map<string, Draft>(), last, operation);
  else if (parent.items) changeItem(parent.items, last, operation);
  else throw new PatchError(operation.path);
  return root;
}

function childOf(parent: Draft, token: string, path: JsonPointer): Draft {
  const { members, items } = open(parent);
  const child = members ? members.get(token) : INDEX.test(token) ? items?.[Number(token)] : undefined;
  if (!child) throw new PatchError(path);
  return child;
}

function open(draft: Draft): Draft {
  if (draft.members || draft.items) return draft;
  const { value, fresh } = draft;
  if (isObject(value)) {
    draft.members = new Map(Object.entries(value).map(([key, item]) => [key, { value: item, fresh }]));
  } else if (Array.isArray(value)) {
    draft.items = asList(value).map((item, index) => (fresh ? { value: item, fresh } : { value: item, fresh, index }));
  }
  return draft;
}

function changeMember(members: Map<string, Draft>, key: string, operation: PatchOperation): void {
  const before = members.get(key);
  if (operation.op !== 'add' && !before) throw new PatchError(operation.path);
  if (operation.op === 'remove') members.delete(key);
  else members.set(key, before ? revised(before, operation.value) : { value: operation.value, fresh: true });
}

function changeItem(items: Draft[], token: string, operation: PatchOperation): void {
  const isAdded = operation.op === 'add';
  const at = isAdded && token === '-' ? items.length : INDEX.test(token) ? Number(token) : Infinity;
  const before = items[at];
  if (isAdded ? at > items.length : !before) throw new PatchError(operation.path);
  if (operation.op === 'remove') items.splice(at, 1);
  else if (isAdded || !before) items.splice(at, 0, { value: operation.value, fresh: true });
  else items[at] = revised(before, operation.value);
}

/** A draft of another value in the same place, which keeps all that the two have in common. */
function revised(draft: Draft, value: unknown): Draft {
  const { index, fresh } = draft;
  if (fresh) return { value, fresh, ...(index !== undefined && { index }) };
  if (isObject(value) && isObject(draft.value)) {
    const { members } = open(draft);
    draft.members = new Map(Object.entries(value).map(([key, item]) => [key, revisedOr(members?.get(key), item)]));
    return draft;
  }
  if (Array.isArray(value) && Array.isArray(draft.value)) {
    draft.items = alignedItems(open(draft).items ?? [], value);
    return draft;
  }
  if (!draft.members && !draft.items && Object.is(draft.value, value)) return draft;
  return { value, fresh: true, ...(index !== undefined && { index }) };
}

function revisedOr(before: Draft | undefined, value: unknown): Draft {
  return before ? revised(before, value) : { value, fresh: true };
}

/** What both lists begin and end with stays; what is between them is revised in its order. */
function alignedItems(before: readonly Draft[], after: readonly unknown[]): Draft[] {
  const old = before.map((item) => JSON.stringify(valueOf(item)));
  const now = after.map((item) => JSON.stringify(item));
  const least = Math.min(old.length, now.length);
  let head = 0;
  while (head < least && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < least - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const rest = before.slice(head, before.length - tail);
  const middle = after.slice(head, after.length - tail).map((item, at) => revisedOr(rest[at], item));
  return [...before.slice(0, head), ...middle, ...before.slice(before.length - tail)];
}
