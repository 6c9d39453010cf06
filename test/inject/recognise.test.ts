import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { factsOf } from '../../src/inject/pod-facts.ts';
import { recogniseProxies } from '../../src/inject/recognise.ts';
import { rivalsIn } from '../../src/inject/rivals.ts';
import { asList, asObject, type JsonObject } from '../../src/kube/json.ts';
import {
  annotatedPod,
  annotationsIn,
  foreignProxy,
  inject,
  injectionPolicy,
  listOf,
  outcomeOf,
  type PodChange,
} from '../support/injection.ts';

/** A pod with its container of that name changed. */
function withContainer(pod: JsonObject, name: string, change: (container: JsonObject) => JsonObject): JsonObject {
  const spec = asObject(pod['spec']);
  const changed = ['containers', 'initContainers'].map((list) => [
    list,
    asList(spec[list]).map((item) => (asObject(item)['name'] === name ? change(asObject(item)) : item)),
  ]);
  return { ...pod, spec: { ...spec, ...Object.fromEntries(changed) } };
}

function withAnnotations(pod: JsonObject, annotations: Readonly<Record<string, string | undefined>>): JsonObject {
  const metadata = asObject(pod['metadata']);
  const merged = Object.entries({ ...annotationsIn(pod), ...annotations }).filter(([, value]) => value !== undefined);
  return { ...pod, metadata: { ...metadata, annotations: Object.fromEntries(merged) } };
}

function withSpec(pod: JsonObject, change: JsonObject): JsonObject {
  return { ...pod, spec: { ...asObject(pod['spec']), ...change } };
}

function append(pod: JsonObject, container: JsonObject): JsonObject {
  return withSpec(pod, { containers: [...listOf(pod, 'containers'), container] });
}

const change = (fields: JsonObject) => (container: JsonObject) => ({ ...container, ...fields });
const addArgument = (argument: string) => (container: JsonObject) => ({
  ...container,
  args: [...asList(container['args']), argument],
});

/** What a pod is recognised as: who protects each port, what was altered, who rivals, where Prometheus is diverted. */
function recognised(pod: JsonObject): string[] {
  const { ports, injected, diverted, status } = recogniseProxies(pod, injectionPolicy());
  return [
    `status ${status}`,
    ...ports.map(({ port, by }) => `${port} ${by}`),
    ...injected.flatMap(({ container, proxied }) => (container === undefined ? [`missing ${proxied.container}`] : [])),
    ...injected.flatMap(({ alterations }) => alterations.map(({ what, path }) => `altered ${what} ${path}`)),
    ...rivalsIn(factsOf(pod)).map(({ what, path }) => `rival ${what} ${path}`),
    ...diverted.map((path) => `diverted ${path}`),
  ];
}

const injected = inject(annotatedPod()).pod;
const WHOLE = ['status truthful', '9090 injected'];

interface Row {
  readonly name: string;
  readonly pod: JsonObject;
  readonly recognised: readonly string[];
  /** What a second run of the injector decides. */
  readonly again: string;
}

const again = 'already-injected';

const UNALTERED: readonly Row[] = [
  { name: 'as it was injected', pod: injected, recognised: WHOLE, again },
  {
    name: 'a pod that ends',
    pod: inject(annotatedPod({ spec: { restartPolicy: 'Never' } })).pod,
    recognised: WHOLE,
    again,
  },
  {
    name: 'with a token of its own',
    pod: inject(annotatedPod({ spec: { automountServiceAccountToken: false } })).pod,
    recognised: WHOLE,
    again,
  },
  {
    name: 'with Istio kept out, and there later',
    pod: append(inject(annotatedPod({ labels: { 'sidecar.istio.io/inject': 'true' } })).pod, { name: 'istio-proxy' }),
    recognised: WHOLE,
    again,
  },
  {
    name: '17 after another container was appended',
    pod: append(injected, { name: 'late', image: 'y', ports: [{ containerPort: 8444 }] }),
    recognised: WHOLE,
    again,
  },
  {
    name: '20 after the API server filled in its defaults and mounted the token',
    pod: withContainer(injected, 'kube-rbac-proxy', (container) => ({
      ...container,
      terminationMessagePath: '/dev/termination-log',
      ports: [{ name: 'https-metrics', protocol: 'TCP', containerPort: 8443 }],
      volumeMounts: [
        { name: 'kube-api-access-x', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
      ],
    })),
    recognised: WHOLE,
    again,
  },
  {
    name: 'with other resources, an added variable, and another registry',
    pod: withContainer(
      injected,
      'kube-rbac-proxy',
      change({
        resources: { limits: { cpu: '1' } },
        env: [{ name: 'HTTPS_PROXY', value: 'http://proxy' }],
        image: `registry.example.com/mirror/kube-rbac-proxy:v0.22.1@sha256:${'ab'.repeat(32)}`,
      }),
    ),
    recognised: WHOLE,
    again,
  },
  {
    name: 'with a token for a cloud',
    pod: withContainer(
      injected,
      'kube-rbac-proxy',
      change({ volumeMounts: [{ name: 't', mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount' }] }),
    ),
    recognised: WHOLE,
    again,
  },
  {
    name: 'with two ports',
    pod: inject(annotatedPod({ annotations: { 'scrapeguard.io/metrics-port': '9090,9091' } })).pod,
    recognised: ['status truthful', '9090 injected', '9091 injected'],
    again,
  },
];

const ALTERED: readonly Row[] = [
  ...(
    [
      ['command', change({ command: ['/bin/kube-rbac-proxy'] }), '/command'],
      ['arguments', addArgument('--ignore-paths=/metrics'), '/args'],
      ['mounts', change({ volumeMounts: [{ name: 'v', mountPath: '/usr/local/bin' }] }), '/volumeMounts'],
      ['mounts', change({ volumeMounts: [{ name: 'v', mountPath: '/var/run/secrets/../../usr' }] }), '/volumeMounts'],
      ['image', change({ image: 'quay.io/brancz/other:v0.22.1' }), '/image'],
      ['image', change({ image: 'quay.io/brancz/kube-rbac-proxy:v0.1.0' }), '/image'],
      ['port', change({ ports: [{ containerPort: 9443 }] }), '/ports'],
      ['port', change({ ports: [{ containerPort: 8443, protocol: 'UDP' }] }), '/ports'],
      ['hooks', change({ lifecycle: { postStart: { exec: { command: ['kube-rbac-proxy'] } } } }), '/lifecycle'],
      ['hooks', change({ livenessProbe: { exec: { command: ['kube-rbac-proxy'] } } }), '/livenessProbe'],
    ] as const
  ).map(([what, alter, path]): Row => {
    const pod = withContainer(injected, 'kube-rbac-proxy', alter);
    const guards = what !== 'arguments' && what !== 'image';
    return {
      name: `${what} at ${path}`,
      pod,
      recognised: [
        'status truthful',
        guards || path === '/image' ? '9090 other' : '9090 nobody',
        `altered ${what} /spec/containers/1${path}`,
      ],
      again: 'proxy-altered kube-rbac-proxy',
    };
  }),
  {
    name: 'one of two is gone',
    pod: withSpec(inject(annotatedPod({ annotations: { 'scrapeguard.io/metrics-port': '9090,9091' } })).pod, {
      containers: listOf(inject(annotatedPod()).pod, 'containers'),
    }),
    recognised: ['status false', '9090 injected', '9091 nobody', 'missing kube-rbac-proxy-2'],
    again: 'proxy-altered kube-rbac-proxy-2',
  },
  {
    name: 'the token that it mounted is gone',
    pod: withContainer(
      inject(annotatedPod({ spec: { automountServiceAccountToken: false } })).pod,
      'kube-rbac-proxy',
      change({ volumeMounts: [] }),
    ),
    recognised: ['status truthful', '9090 other', 'altered mounts /spec/containers/1/volumeMounts'],
    again: 'proxy-altered kube-rbac-proxy',
  },
  {
    name: 'Prometheus is sent past it',
    pod: withAnnotations(injected, { 'prometheus.io/port': '9090' }),
    recognised: [...WHOLE, 'diverted /metadata/annotations/prometheus.io~1port'],
    again: 'proxy-altered kube-rbac-proxy',
  },
  {
    name: 'Prometheus is sent to a port that nobody guards',
    pod: withAnnotations(injected, { 'prometheus.io/port': '9999', 'prometheus.io/scheme': 'http' }),
    recognised: [
      'status truthful',
      '9090 injected',
      '9999 nobody',
      'diverted /metadata/annotations/prometheus.io~1port',
      'diverted /metadata/annotations/prometheus.io~1scheme',
    ],
    again: 'proxy-altered kube-rbac-proxy',
  },
  {
    name: 'the record says that other metrics were meant',
    pod: withAnnotations(injected, { 'scrapeguard.io/original': '{"prometheus.io/port":"1234"}' }),
    recognised: ['status false', '1234 nobody'],
    again: 'proxy-altered kube-rbac-proxy',
  },
];

const RIVALS: readonly Row[] = [
  {
    name: 'its port',
    pod: append(injected, { name: 'late', ports: [{ containerPort: 8443 }] }),
    recognised: [...WHOLE, 'rival port /spec/containers/2/ports/0/containerPort'],
    again,
  },
  {
    name: 'its port’s name',
    pod: append(injected, { name: 'late', ports: [{ containerPort: 1, name: 'https-metrics' }] }),
    recognised: [...WHOLE, 'rival port-name /spec/containers/2/ports/0/name'],
    again,
  },
  {
    name: 'its name',
    pod: append(injected, { name: 'kube-rbac-proxy' }),
    recognised: [...WHOLE, 'rival name /spec/containers/2/name'],
    again,
  },
];

const beside = (container: JsonObject, annotations?: PodChange['annotations']): JsonObject =>
  annotatedPod({ beside: [container], annotations });

const OTHERS: readonly Row[] = [
  {
    name: 'nobody',
    pod: annotatedPod(),
    recognised: ['status absent', '9090 nobody'],
    again: '8443 in front of 9090 by kube-rbac-proxy',
  },
  {
    name: 'the proxy of kubebuilder',
    pod: beside(foreignProxy(9090)),
    recognised: ['status absent', '9090 other'],
    again: 'already-protected kube-rbac-proxy',
  },
  {
    name: 'the same, with Prometheus sent to it',
    pod: beside(foreignProxy(8080), { 'prometheus.io/port': '8443', 'prometheus.io/scheme': 'https' }),
    recognised: ['status absent', '8443 other'],
    again: 'already-protected kube-rbac-proxy',
  },
  {
    name: 'a proxy in front of another port',
    pod: beside(foreignProxy(8080)),
    recognised: ['status absent', '9090 nobody'],
    again: '8444 in front of 9090 by kube-rbac-proxy-2',
  },
  {
    name: 'a proxy that lets the metrics pass',
    pod: beside(foreignProxy(9090, '--ignore-paths=/metrics')),
    recognised: ['status absent', '9090 nobody'],
    again: '8444 in front of 9090 by kube-rbac-proxy-2',
  },
  {
    name: 'a proxy that serves plain HTTP, too',
    pod: beside(foreignProxy(9090, '--insecure-listen-address=0.0.0.0:8080')),
    recognised: ['status absent', '9090 nobody'],
    again: '8444 in front of 9090 by kube-rbac-proxy-2',
  },
  {
    name: 'a proxy that ends before the application starts',
    pod: annotatedPod({ spec: { initContainers: [foreignProxy(9090)] } }),
    recognised: ['status absent', '9090 nobody'],
    again: '8443 in front of 9090 by kube-rbac-proxy-2',
  },
  {
    name: 'our own, its record taken away by somebody who knows no such annotation',
    pod: withAnnotations(injected, { 'scrapeguard.io/status': undefined, 'scrapeguard.io/original': undefined }),
    recognised: ['status absent', '8443 other'],
    again: 'already-protected kube-rbac-proxy',
  },
  {
    name: 'a record without a proxy',
    pod: withSpec(injected, { containers: listOf(annotatedPod(), 'containers') }),
    recognised: ['status false', '8443 nobody'],
    again: 'app-serves-tls 8443',
  },
  ...[
    '',
    '{',
    '[]',
    '{"version":2}',
    '{"version":1,"image":"x","ports":[]}',
    '{"version":1,"image":"x","ports":[{}]}',
  ].map((status): Row => ({
    name: `the record ${status}`,
    pod: annotatedPod({ annotations: { 'scrapeguard.io/status': status, 'scrapeguard.io/original': '{}' } }),
    recognised: ['status false', '9090 nobody'],
    again: '8443 in front of 9090 by kube-rbac-proxy',
  })),
  ...['', '[]', '{"prometheus.io/scrape":"false"}', '{"app":"x"}', '{"prometheus.io/port":1}'].map((original): Row => ({
    name: `the record with ${original} as what was there before`,
    pod: withAnnotations(injected, { 'scrapeguard.io/original': original }),
    recognised: ['status false', '8443 other'],
    again: 'already-protected kube-rbac-proxy',
  })),
];

function testRows(rows: readonly Row[]): void {
  for (const row of rows) {
    it(row.name, () => {
      assert.deepEqual(recognised(row.pod), row.recognised);
      assert.equal(outcomeOf(row.pod)[0], row.again);
    });
  }
}

describe('an injected proxy is recognised, and nothing is injected again', () => testRows(UNALTERED));
describe('what was altered since is named', () => testRows(ALTERED));
describe('another container may not share', () => testRows(RIVALS));
describe('who else guards a port', () => testRows(OTHERS));
