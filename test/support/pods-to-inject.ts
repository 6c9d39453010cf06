// Pods of every sort that an injector meets, most of them with metrics, some with nonsense in any place.

import fc, { type Arbitrary } from 'fast-check';

import { isObject, type JsonObject } from '../../src/kube/json.ts';
import { foreignProxy } from './injection.ts';
import { anyJson } from './json-trees.ts';

const rarely = <T>(expected: Arbitrary<T>): Arbitrary<unknown> =>
  fc.oneof({ weight: 30, arbitrary: expected }, { weight: 1, arbitrary: anyJson });
/** Some fields as good as always, others half the time. */
const mostly = (
  expected: Readonly<Record<string, Arbitrary<unknown>>>,
  others: Readonly<Record<string, Arbitrary<unknown>>>,
): Arbitrary<JsonObject> =>
  fc
    .tuple(
      fc.oneof({ weight: 9, arbitrary: fc.record(expected) }, { weight: 1, arbitrary: optional(expected) }),
      optional(others),
    )
    .map((parts) => Object.fromEntries(parts.flatMap(Object.entries)));
const optional = (model: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<JsonObject> =>
  fc.record(model, { requiredKeys: [] });
/** The first value nine times out of ten. */
const usually = (first: unknown, ...others: readonly unknown[]): Arbitrary<unknown> =>
  rarely(fc.oneof({ weight: 9, arbitrary: fc.constant(first) }, { weight: 1, arbitrary: fc.constantFrom(...others) }));
const one = (...values: readonly unknown[]): Arbitrary<unknown> => rarely(fc.constantFrom(...values));

const port = one(9090, 9091, 8443, 8444, 8080, 1, 65535, 'metrics', 0, -1);
const ports = rarely(
  fc.array(
    optional({
      name: one('metrics', 'https-metrics', 'http', 'https-8443'),
      containerPort: port,
      hostPort: port,
      protocol: usually('TCP', 'UDP'),
    }),
    { maxLength: 3 },
  ),
);
const quantity = one('10m', '1', '100m', '1Gi', '64Mi', '0', '10 potatoes', 2);
const amounts = rarely(optional({ cpu: quantity, memory: quantity }));
const resources = rarely(optional({ requests: amounts, limits: amounts, claims: one([]) }));
const handler = rarely(optional({ httpGet: optional({ port, path: one('/healthz') }), tcpSocket: optional({ port }) }));
const ordinary = optional({
  name: one('app', 'istio-proxy', 'kube-rbac-proxy', 'kube-rbac-proxy-2', 'late'),
  image: usually('x', 'quay.io/brancz/kube-rbac-proxy:v0.22.1'),
  restartPolicy: one('Always'),
  args: rarely(fc.array(usually('--port=9090', '--upstream=http://127.0.0.1:9090/', '--secure-listen-address=:8443'))),
  ports,
  resources,
  livenessProbe: handler,
  readinessProbe: handler,
  lifecycle: optional({ preStop: handler }),
  future: anyJson,
});
const container = fc.oneof(
  { weight: 5, arbitrary: ordinary },
  {
    weight: 1,
    arbitrary: fc.constantFrom(foreignProxy(8080), foreignProxy(8080, '--v=2'), foreignProxy(9090), foreignProxy(9091)),
  },
);
const containers = rarely(fc.array(rarely(container), { maxLength: 4 }));

const annotations = rarely(
  mostly(
    {
      'prometheus.io/scrape': usually('true', 'false'),
      'prometheus.io/port': usually('9090', '8443', 'metrics', '9090,9091', '10255', '', 'x y'),
    },
    {
      'prometheus.io/path': usually('/metrics', '/stats', '/m', '', '/x/y', '/a,b', '/federate?x=1'),
      'prometheus.io/scheme': usually('http', 'https', 'HTTP'),
      prometheus_io_port: one('9090', '9091'),
      'prometheus.io.scheme': one('http', ''),
      'scrapeguard.io/inject': usually('true', 'false', 'maybe'),
      'scrapeguard.io/metrics-port': usually('9090', '9091,9090', '9090,9091', '8080', 'metrics', '', '99999'),
      'scrapeguard.io/metrics-path': usually('/metrics', '/a', '/b', 'x'),
      'scrapeguard.io/proxy-port': one('10443', '9090', '443', 'x'),
      'scrapeguard.io/proxy-cpu-request': quantity,
      'scrapeguard.io/proxy-memory-limit': quantity,
      'scrapeguard.io/status': one(
        '{}',
        '',
        '{"version":1,"image":"x","ports":[{"port":9090,"proxyPort":8443,"container":"app"}]}',
      ),
      'scrapeguard.io/original': one('{}', '{"prometheus.io/port":"9090"}'),
      'prometheus.istio.io/merge-metrics': one('true', 'false'),
      constructor: one('x'),
      __proto__: one('x'),
    },
  ),
);

const spec = rarely(
  mostly(
    {
      containers: fc.oneof(
        { weight: 15, arbitrary: fc.array(container, { minLength: 1, maxLength: 3 }) },
        { weight: 1, arbitrary: containers },
      ),
    },
    {
      initContainers: containers,
      volumes: rarely(
        fc.array(optional({ name: one('v', 'kube-rbac-proxy-token'), emptyDir: one({}) }), { maxLength: 2 }),
      ),
      imagePullSecrets: rarely(fc.array(optional({ name: one('pull', 'own') }), { maxLength: 2 })),
      restartPolicy: one('Always', 'Never', 'OnFailure'),
      automountServiceAccountToken: one(true, false),
      hostNetwork: usually(false, true),
      nodeSelector: optional({ 'kubernetes.io/os': usually('linux', 'windows') }),
      resources,
      future: anyJson,
    },
  ),
);

const metadata = rarely(
  mostly(
    { annotations },
    {
      name: one('app'),
      labels: optional({ 'sidecar.istio.io/inject': one('true', 'false') }),
      future: anyJson,
    },
  ),
);

/** Any JSON object that could be taken for a Pod, as a parser gives it. */
export const podsToInject: Arbitrary<JsonObject> = mostly(
  { apiVersion: one('v1'), kind: one('Pod'), metadata, spec },
  { future: anyJson },
)
  .map((pod): unknown => JSON.parse(JSON.stringify(pod)))
  .filter(isObject);

const image = fc.constant('quay.io/brancz/kube-rbac-proxy:v0.22.1');

/** The `injection` of a policy, every key of it. */
export const injections: Arbitrary<JsonObject> = optional({
  image,
  select: fc.constantFrom(...Array<string>(8).fill('annotated'), 'labelled', 'off'),
  imagePullSecrets: fc.constantFrom([], ['pull'], ['pull', 'pull', 'other']),
  runAsUser: fc.constantFrom(65532, null, 1000),
  audiences: fc.constantFrom([], ['metrics']),
  upstreamHost: fc.constantFrom('127.0.0.1', '::1', 'localhost'),
  hostNetwork: fc.constantFrom('skip', 'allow'),
  tokenVolume: fc.constantFrom('auto', 'always'),
});
