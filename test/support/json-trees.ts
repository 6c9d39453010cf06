// JSON objects grown, shuffled and broken for tests of what must hold for all of them.

import * as fc from 'fast-check';

import { isObject, type JsonObject } from '../../src/kube/json.ts';

/** A copy of a JSON value, everything in it replaced by what `change` makes of it, from the leaves up. */
export function mapTree(value: unknown, change: (node: unknown, key: string) => unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    return change(
      value.map((item, index) => mapTree(item, change, String(index))),
      key,
    );
  }
  if (!isObject(value)) return change(value, key);
  const entries = Object.entries(value).map(([name, item]) => [name, mapTree(item, change, name)]);
  return change(Object.fromEntries(entries), key);
}

/** How many values a JSON value holds: objects, lists and leaves, itself among them. */
export function countNodes(value: unknown): number {
  let nodes = 0;
  mapTree(value, (node) => {
    nodes += 1;
    return node;
  });
  return nodes;
}

/** A copy in which the value of that number, counted from the leaves up, is another one. */
export function replaceNode(value: JsonObject, number: number, replacement: unknown): JsonObject {
  let at = -1;
  const replaced = mapTree(value, (node) => {
    at += 1;
    return at === number ? replacement : node;
  });
  return isObject(replaced) ? replaced : value;
}

/** A copy in which an object of that number has each of its lists `times` over, and as many entries more if all are texts. */
export function growNode(value: JsonObject, number: number, times: number): JsonObject {
  let at = -1;
  const grown = mapTree(value, (node) => {
    at += 1;
    return at === number && isObject(node) ? growObject(node, times) : node;
  });
  return isObject(grown) ? grown : value;
}

function growObject(node: JsonObject, times: number): JsonObject {
  const entries = Object.entries(node);
  const lists = entries.map(([key, item]) => [key, Array.isArray(item) ? Array(times).fill(item).flat() : item]);
  const isTexts = entries.length > 0 && entries.every(([, item]) => typeof item === 'string');
  const more = isTexts ? Array.from({ length: times }, (_, index) => [`filler-${index}`, 'text']) : [];
  return Object.fromEntries([...lists, ...more]);
}

/** Names that rules look for, so that arbitrary objects reach further than their first line. */
const KEYS = `metadata spec template containers initContainers ephemeralContainers name image command args env value
  valueFrom ports containerPort hostPort port targetPort protocol readinessProbe httpGet tcpSocket host lifecycle preStop
  hostNetwork subsets endpoints annotations labels data kubelet config.yaml prometheus.io/port relabelings replacement
  targetLabel staticConfigs targets authentication authorization anonymous enabled mode readOnlyPort metricsBindAddress
  kubeletExtraArgs constructor __proto__ toString ~/0`.split(/\s+/);

/** Texts that mean something somewhere, or end in the middle of it. */
const TEXTS =
  `10255 TCP UDP kubelet etcd socat sh -c --read-only-port=10255 --read-only-port --anonymous-auth --port=10251
  $(A) $( $\{ \` " TCP-LISTEN:1,fork TCP:a:10255 http://a:10255 [:: ::1 /metrics * /m[ {"readOnlyPort":1} __proto__
  KubeletConfiguration`.split(/\s+/);

const LEAVES = [...TEXTS, 'readOnlyPort: 1', 'a: [', '- !!js', '\0', '', 10255, 0, -1, 1e300, 0.5, true, false, null];

const leaf = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...LEAVES) }, fc.string(), fc.integer());

/** Any JSON value, in the words of Kubernetes where it has any. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 6 }),
  ),
})).value;
