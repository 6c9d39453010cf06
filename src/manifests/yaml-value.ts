// A parsed YAML document as the JSON that sigs.k8s.io/yaml makes of it: go-yaml v2's decoder, its keys as strings.

import { isAlias, isMap, isScalar, isSeq, type Alias, type Document, type Pair, type YAMLMap } from 'yaml';
import { DEEPEST, Unreadable, type Remark } from './unreadable.ts';
import { isMergeKey, jsonKeyOf, offsetOf, resolveNode, type Anchors } from './yaml-nodes.ts';

// Aliases may make 99% of a document's first 400,000 nodes, then ever less, down to 10% (go-yaml `allowedAliasRatio`).
const FREE_NODES = 1000;
const FREE_ALIASED = 100;
const LOW = 400_000;
const HIGH = 4_000_000;

interface Decoding {
  readonly anchors: Anchors;
  readonly remarks: Remark[];
  readonly open: Set<Alias>;
  nodes: number;
  aliased: number;
  depth: number;
}

/**
 * The document's value in JSON, with a remark for each key that is given twice (the last one counts).
 * Throws `Unreadable` where Kubernetes refuses the document, and for nesting deeper than `DEEPEST`.
 */
export function decodeDocument(document: Document, anchors: Anchors): { value: unknown; remarks: readonly Remark[] } {
  const decoding: Decoding = { anchors, remarks: [], open: new Set(), nodes: 0, aliased: 0, depth: 0 };
  return { value: decodeNode(decoding, document.contents), remarks: decoding.remarks };
}

/** The value of one node of a document that was decoded. */
export function decodePart(node: unknown, anchors: Anchors): unknown {
  return decodeNode({ anchors, remarks: [], open: new Set(), nodes: 0, aliased: 0, depth: 0 }, node);
}

function decodeNode(decoding: Decoding, node: unknown): unknown {
  countNode(decoding, node);
  if (isScalar(node)) return decodeScalar(node);
  if (isAlias(node)) return throughAlias(decoding, node, (target) => decodeNode(decoding, target));
  if (isMap(node)) {
    const object = {};
    nested(decoding, node, () => fillObject(decoding, node, object));
    return object;
  }
  if (isSeq(node)) return nested(decoding, node, () => node.items.map((item) => decodeMember(decoding, node, item)));
  return null;
}

/** To libyaml a `?` begins a key in a flow collection even without a space behind it, to YAML 1.2 it is text. */
function refuseQuestionMark(parent: { flow?: boolean }, node: unknown): void {
  if (parent.flow === true && isScalar(node) && node.type === 'PLAIN' && node.source?.startsWith('?') === true) {
    throw new Unreadable(offsetOf(node), 'a ? in a flow collection needs a space behind it, or quotes around the text');
  }
}

function decodeMember(decoding: Decoding, parent: { flow?: boolean }, node: unknown): unknown {
  refuseQuestionMark(parent, node);
  return decodeNode(decoding, node);
}

function nested<T>(decoding: Decoding, node: unknown, decode: () => T): T {
  decoding.depth += 1;
  if (decoding.depth > DEEPEST) throw new Unreadable(offsetOf(node), `nested deeper than ${DEEPEST} levels`);
  const value = decode();
  decoding.depth -= 1;
  return value;
}

function countNode(decoding: Decoding, node: unknown): void {
  decoding.nodes += 1;
  if (decoding.open.size === 0) return;
  decoding.aliased += 1;
  if (decoding.aliased <= FREE_ALIASED || decoding.nodes <= FREE_NODES) return;
  const share = Math.min(1, Math.max(0, (decoding.nodes - LOW) / (HIGH - LOW)));
  if (decoding.aliased / decoding.nodes > 0.99 - 0.89 * share) {
    throw new Unreadable(offsetOf(node), 'aliases make this document too large');
  }
}

function throughAlias<T>(decoding: Decoding, alias: Alias, decode: (target: unknown) => T): T {
  if (decoding.open.has(alias)) throw new Unreadable(offsetOf(alias), `anchor "${alias.source}" contains itself`);
  decoding.open.add(alias);
  const value = decode(decoding.anchors.get(alias));
  decoding.open.delete(alias);
  return value;
}

function decodeScalar(node: { tag?: string; source?: string }): unknown {
  const scalar = resolveNode(node);
  if (!scalar) throw refused(node, `does not fit its tag ${node.tag ?? ''}`);
  if (scalar.kind === 'float' && !Number.isFinite(scalar.value)) {
    throw refused(node, 'is a number that JSON cannot hold; quote it if it is a string');
  }
  return scalar.value;
}

function refused(node: { source?: string }, reason: string): Unreadable {
  return new Unreadable(offsetOf(node), `${JSON.stringify(node.source)} ${reason}`);
}

/** Pairs in their order, as Go's decoder takes them: a merge overwrites what stands before it and yields to what follows. */
function fillObject(decoding: Decoding, map: YAMLMap, object: Record<string, unknown>): void {
  const written = new Map<string, number>();
  for (const pair of map.items) {
    if (isMergeKey(pair.key)) {
      mergeInto(decoding, pair, object);
      continue;
    }
    const key = decodeKey(decoding, map, pair);
    const offset = offsetOf(pair.key);
    const earlier = written.get(key);
    // What an alias repeats was remarked on at its anchor.
    if (earlier !== undefined && decoding.open.size === 0) {
      const message = `key ${JSON.stringify(key)} is given twice, the last one counts`;
      decoding.remarks.push({ offset, earlier, message });
    }
    written.set(key, offset);
    setOwn(object, key, decodeMember(decoding, map, pair.value));
  }
}

function decodeKey(decoding: Decoding, map: YAMLMap, pair: Pair): string {
  countNode(decoding, pair.key);
  refuseQuestionMark(map, pair.key);
  const key = jsonKeyOf(pair.key, decoding.anchors);
  if (key === undefined) throw new Unreadable(offsetOf(pair.key), 'a key must be a string, a number or a boolean');
  return key;
}

function mergeInto(decoding: Decoding, pair: Pair, object: Record<string, unknown>): void {
  const sources = isSeq(pair.value) ? pair.value.items.toReversed() : [pair.value];
  for (const source of sources) {
    const map = isAlias(source) ? decoding.anchors.get(source) : source;
    if (!isMap(map)) throw new Unreadable(offsetOf(source), 'a merge (<<) needs a mapping or a list of mappings');
    countNode(decoding, source);
    const fill = (): void => nested(decoding, map, () => fillObject(decoding, map, object));
    if (isAlias(source)) throughAlias(decoding, source, fill);
    else fill();
  }
}

/** `__proto__` is a key like any other. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}
