import type { Finding } from './evaluate.ts';

/**
 * The findings of `after` that `before` had not, compared as multisets of message and data, so that a container that
 * moves to another place or list changes nothing. Both are findings of one rule.
 */
export function addedFindings(before: readonly Finding[], after: readonly Finding[]): Finding[] {
  const root = makeNode();
  const known = new Map<string, string>();
  const knownBefore = (text: string): string => known.get(text) ?? remember(known, text, text);
  for (const finding of before) nodeOf(root, finding, knownBefore).count += 1;
  const seen = new Map<string, string>();
  const knownAfter = (text: string): string => seen.get(text) ?? remember(seen, text, known.get(text) ?? text);
  return after.filter((finding) => {
    const node = nodeOf(root, finding, knownAfter);
    node.count -= 1;
    return node.count < 0;
  });
}

/** How many findings are left of those whose message and data lead here. */
interface Node {
  count: number;
  readonly next: Map<string | number, Node>;
}

function makeNode(): Node {
  return { count: 0, next: new Map() };
}

/**
 * Where message and data lead. `same` gives equal texts as one and the same string, which a map compares at a glance: a
 * long value that thousands of findings share would otherwise cost its length every time.
 */
function nodeOf(root: Node, { messageId, data }: Finding, same: (text: string) => string): Node {
  let node = step(root, messageId);
  for (const name of Object.keys(data)) {
    const value = data[name] ?? '';
    node = step(step(node, name), typeof value === 'string' ? same(value) : value);
  }
  return node;
}

function step({ next }: Node, key: string | number): Node {
  let node = next.get(key);
  if (node === undefined) next.set(key, (node = makeNode()));
  return node;
}

function remember(texts: Map<string, string>, text: string, same: string): string {
  texts.set(text, same);
  return same;
}
