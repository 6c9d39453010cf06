// What a node of a parsed YAML document is to Kubernetes: its key, its offset, the anchor that its alias names.

import { isAlias, isMap, isPair, isScalar, isSeq, type Alias, type Document } from 'yaml';
import { Unreadable } from './unreadable.ts';
import { keyOf, resolvePlain, resolveTagged, type Scalar } from './yaml-scalar.ts';

/** Where each alias points: the anchor of its name that was set last before it. */
export type Anchors = ReadonlyMap<Alias, unknown>;

interface ScalarNode {
  readonly tag?: string;
  readonly type?: string;
  readonly source?: string;
}

/** Binds every alias of a document, in the order of the text. Throws `Unreadable` for one that names no anchor. */
export function bindAliases(document: Document): Anchors {
  const named = new Map<string, unknown>();
  const bound = new Map<Alias, unknown>();
  const pending: unknown[] = [document.contents];
  while (pending.length > 0) {
    const node = pending.pop();
    if (isAlias(node)) {
      if (!named.has(node.source)) throw new Unreadable(offsetOf(node), `unknown anchor "${node.source}"`);
      bound.set(node, named.get(node.source));
    } else if (isPair(node)) pending.push(node.value, node.key);
    else pushChildren(node, named, pending);
  }
  return bound;
}

function pushChildren(node: unknown, named: Map<string, unknown>, pending: unknown[]): void {
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return;
  if (node.anchor !== undefined) named.set(node.anchor, node);
  if (isScalar(node)) return;
  for (let index = node.items.length - 1; index >= 0; index -= 1) pending.push(node.items[index]);
}

/** The offset of a node's text, 0 when it has none. */
export function offsetOf(node: unknown): number {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0;
}

/** True for the key `<<`, unless it is quoted (go-yaml `isMerge`). */
export function isMergeKey(key: unknown): boolean {
  if (!isScalar(key) || key.source !== '<<') return false;
  return key.tag === undefined ? key.type === 'PLAIN' : key.tag === '!' || key.tag === 'tag:yaml.org,2002:merge';
}

/** A scalar node resolved by its tag, its quotes and its text; undefined when the text does not fit the tag. */
export function resolveNode(node: ScalarNode): Scalar | undefined {
  const text = node.source ?? '';
  if (node.tag !== undefined) return resolveTagged(node.tag, text);
  return node.type === undefined || node.type === 'PLAIN' ? resolvePlain(text) : { kind: 'string', value: text };
}

/** The string that a mapping's key becomes in JSON; undefined for a key that Kubernetes refuses. */
export function jsonKeyOf(key: unknown, anchors: Anchors): string | undefined {
  const node = isAlias(key) ? anchors.get(key) : key;
  if (node === null) return undefined;
  if (!isScalar(node)) return undefined;
  const scalar = resolveNode(node);
  return scalar && keyOf(scalar);
}
