// Arbitrary JSON that looks enough like Kubernetes objects to get into every corner of the rules.

import fc, { type Arbitrary } from 'fast-check';

import { isObject, type JsonObject } from '../../src/kube/json.ts';
import { RESOURCES } from '../../src/kube/resources.ts';
import { TEMPLATE_KINDS } from '../../src/kube/templates.ts';

const KINDS = [...Object.values(RESOURCES), ...TEMPLATE_KINDS].map(({ group, kind }) => ({
  apiVersion: group === '' ? 'v1' : `${group}/v1`,
  kind,
}));

/** Anything at all, with keys that JavaScript knows. */
const noise = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(null, '', 0, -1, 1.5, 2 ** 53, [], {}, '\u0000\uD800\u202E', 'x'.repeat(300)),
  fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'toString', 'name', 'spec'), fc.jsonValue({ maxDepth: 1 })),
);

/** What one would expect in a place, mostly. */
const mostly = <T>(expected: Arbitrary<T>): Arbitrary<unknown> =>
  fc.oneof({ weight: 15, arbitrary: expected }, { weight: 1, arbitrary: noise });
const one = (...values: unknown[]): Arbitrary<unknown> => mostly(fc.constantFrom(...values));
const some = (item: Arbitrary<unknown>): Arbitrary<unknown> => mostly(fc.array(item, { maxLength: 3 }));
const fields = (model: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<unknown> =>
  mostly(fc.record(model, { requiredKeys: [] }));

const number = one(10255, 10250, 10252, 8080, 0, '10255', '0x280F', 'metrics');
const name = one('app', 'metrics', 'kubelet', 'kube-proxy', 'http-metrics');
const WORDS = [
  ['kubelet', '--read-only-port=10255', '--read-only-port', '10255', '--config', '/etc/k.yaml', 'sh', '-c', '$(PORT)'],
  ['kubelet --read-only-port 10255', 'curl http://$(NODE):10255/metrics', 'socat', 'TCP-LISTEN:1', 'TCP:node:10255'],
  ['kube-apiserver', '--insecure-port=8080', '--anonymous-auth', 'etcd', '--client-cert-auth=false', 'kube-proxy'],
  ['--metrics-bind-address=0.0.0.0', 'kube-rbac-proxy', '--ignore-paths=/metrics', '--upstream=http://127.0.0.1:1'],
].flat();
const word = one(...WORDS);
const file = one(
  'kind: KubeletConfiguration\nreadOnlyPort: 10255',
  'authentication: {anonymous: {enabled: true}}\nreadOnlyPort: 10255',
  '{"kind": "KubeProxyConfiguration", "metricsBindAddress": "0.0.0.0:10249"}',
  'readOnlyPort: &a [*a]',
  '{',
);

const port = fields({
  name,
  containerPort: number,
  hostPort: number,
  port: number,
  targetPort: number,
  protocol: one('TCP', 'UDP'),
});
const address = fields({ port: number, host: one('', 'localhost', '10.0.0.1'), path: one('/metrics') });
const handler = fields({ httpGet: address, tcpSocket: address, grpc: address });
const container = fields({
  name,
  image: one('app:1', 'kubelet', 'registry.k8s.io/kube-apiserver:v1', 'quay.io/brancz/kube-rbac-proxy:v0.22.1'),
  command: some(word),
  args: some(word),
  env: some(fields({ name: one('PORT', 'KUBELET_EXTRA_ARGS'), value: word })),
  ports: some(port),
  livenessProbe: handler,
  lifecycle: fields({ preStop: handler, postStart: handler }),
});
const metadata = fields({
  name,
  namespace: one('default', 'kube-system', 'kube-node-lease'),
  labels: fields({ 'k8s-app': name, 'scrapeguard.io/enforce': one('off', 'strict', 'none') }),
  annotations: fields({
    'prometheus.io/port': number,
    'prometheus.io/scrape': one('true'),
    'scrapeguard.io/metrics-port': number,
  }),
});
const spec = fields({
  hostNetwork: one(true, false),
  containers: some(container),
  initContainers: some(container),
  ephemeralContainers: some(container),
  ports: some(port),
  endpoints: some(address),
  podMetricsEndpoints: some(address),
  staticConfigs: some(fields({ targets: some(one('node:10255', 'node', '[::1]:10255')) })),
});
const template = fields({ metadata, spec });
const anySpec = fc.oneof(spec, fields({ template }), fields({ jobTemplate: fields({ spec: fields({ template }) }) }));

const object = fc.record(
  {
    metadata,
    spec: anySpec,
    template,
    ports: some(port),
    subsets: some(fields({ ports: some(port), addresses: some(address) })),
    data: fields({ kubelet: file, 'config.yaml': file, __proto__: file }),
    readOnlyPort: number,
    authentication: fields({ anonymous: fields({ enabled: one(true) }), webhook: fields({ enabled: one(false) }) }),
    authorization: fields({ mode: one('AlwaysAllow', 'Webhook') }),
    kubeletConfiguration: fields({ readOnlyPort: number }),
    rules: some(fields({ resources: some(one('nodes/proxy', '*')), verbs: some(one('get', '*')) })),
    subjects: some(fields({ kind: one('User'), name })),
  },
  { requiredKeys: [] },
);

/** Any JSON object: of a known kind, of an unknown one, or nothing of the sort. */
export const kubernetesLike: Arbitrary<JsonObject> = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...KINDS) }, { weight: 1, arbitrary: fc.constant({}) }),
    object,
  )
  // Through text, so that it is what a parser would give.
  .map(([kind, rest]): unknown => JSON.parse(JSON.stringify({ ...rest, ...kind })))
  .filter(isObject);
