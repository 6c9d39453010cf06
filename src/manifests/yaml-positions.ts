// Where in a YAML document's text a JSON pointer points.

import { isAlias, isMap, isSeq, type Document, type Pair, type YAMLMap } from 'yaml';
import { isMergeKey, jsonKeyOf, offsetOf, type Anchors } from './yaml-nodes.ts';

/**
 * Makes the function from a pointer's tokens to an offset of the text: of the key in a mapping, of the item in a
 * sequence; of the nearest ancestor when there is no such node. What an alias or a merge brings in is where it is
 * written. Never throws for a document that was decoded.
 */
export function createYamlLocator(document: Document, anchors: Anchors): (tokens: readonly string[]) => number {
  const indexes = new Map<YAMLMap, ReadonlyMap<string, Pair>>();
  const resolve = (node: unknown): unknown => (isAlias(node) ? anchors.get(node) : node);

  const indexOf = (map: YAMLMap): ReadonlyMap<string, Pair> => {
    const known = indexes.get(map);
    if (known) return known;
    const index = new Map<string, Pair>();
    indexes.set(map, index);
    for (const pair of map.items) {
      if (!isMergeKey(pair.key)) index.set(jsonKeyOf(pair.key, anchors) ?? '', pair);
      else for (const source of mergedMaps(pair)) for (const [key, merged] of indexOf(source)) index.set(key, merged);
    }
    return index;
  };

  const mergedMaps = ({ value }: Pair): YAMLMap[] =>
    (isSeq(value) ? value.items.toReversed() : [value]).map(resolve).filter((map) => isMap(map));

  return (tokens) => {
    let node: unknown = document.contents;
    let offset = offsetOf(node);
    for (const token of tokens) {
      const target = resolve(node);
      if (isMap(target)) {
        const pair = indexOf(target).get(token);
        if (!pair) return offset;
        offset = offsetOf(pair.key);
        node = pair.value;
      } else if (isSeq(target) && target.items[Number(token)] !== undefined) {
        node = target.items[Number(token)];
        offset = offsetOf(node);
      } else return offset;
    }
    return offset;
  };
}
