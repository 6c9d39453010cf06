import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { patchError, patchOf } from '../../src/inject/patch.ts';
import { planInjection } from '../../src/inject/plan.ts';
import {
  SKIP_REASONS,
  WARNINGS,
  needsAction,
  planSentence,
  skipSentence,
  warningSentence,
} from '../../src/inject/reasons.ts';
import { asList, type JsonObject } from '../../src/kube/json.ts';
import {
  annotatedPod,
  annotationsIn,
  circumstancesOf,
  foreignProxy,
  inject,
  listOf,
  outcomeOf,
  type PodChange,
  type Setting,
} from '../support/injection.ts';

interface Row {
  readonly name: string;
  readonly pod?: PodChange;
  readonly setting?: Setting;
  readonly outcome: readonly string[];
}

const INJECTED = '8443 in front of 9090 by kube-rbac-proxy';
const WINDOWS = { os: { name: 'windows' } };

/** Each pod has everything that the rows below it are about, so that the order of decisions shows. */
const ORDER: readonly Row[] = [
  {
    name: 'a mirror pod before an excluded namespace',
    setting: { isMirrorPod: true, namespace: 'kube-system' },
    outcome: ['mirror-pod'],
  },
  {
    name: 'an excluded namespace before the pod’s wish',
    pod: { annotations: { 'scrapeguard.io/inject': 'false' } },
    setting: { namespace: 'kube-system' },
    outcome: ['excluded-namespace kube-system'],
  },
  {
    name: 'the pod’s wish before what the policy selects',
    pod: { annotations: { 'scrapeguard.io/inject': 'false' } },
    setting: { injection: { select: 'off' } },
    outcome: ['opted-out'],
  },
  {
    name: 'a policy that injects nowhere before labels that nobody could read',
    setting: { injection: { select: 'off' }, labels: 'unknown' },
    outcome: ['injection-off'],
  },
  { name: 'labels that nobody could read', setting: { labels: 'unknown' }, outcome: ['namespace-unknown default'] },
  {
    name: 'a namespace’s refusal, whatever the pod asks for',
    pod: { annotations: { 'scrapeguard.io/inject': 'true' } },
    setting: { labels: { 'scrapeguard.io/inject': 'disabled' } },
    outcome: ['namespace-disabled default'],
  },
  {
    name: 'a pod adds no namespace that is not selected',
    pod: { annotations: { 'scrapeguard.io/inject': 'true' } },
    setting: { injection: { select: 'labelled' }, labels: 'not found' },
    outcome: ['namespace-not-selected default'],
  },
  {
    name: 'no port before Windows',
    pod: { annotations: { 'prometheus.io/port': undefined }, spec: WINDOWS },
    outcome: ['no-metrics-port', 'warning scraped-without-port'],
  },
  {
    name: 'Windows before the host’s network',
    pod: { spec: { ...WINDOWS, hostNetwork: true } },
    outcome: ['windows'],
  },
  {
    name: 'the host’s network before what cannot be a port',
    pod: { annotations: { 'prometheus.io/port': 'x y' }, spec: { hostNetwork: true } },
    outcome: ['host-network'],
  },
  {
    name: 'another proxy before TLS of the application’s own',
    pod: { annotations: { 'prometheus.io/scheme': 'https' }, beside: [foreignProxy(9090)] },
    outcome: ['already-protected kube-rbac-proxy'],
  },
];

const annotated = (annotations: PodChange['annotations']): Pick<Row, 'pod'> => ({ pod: { annotations } });

const PORTS: readonly Row[] = [
  ...['0', '65536', '-1', '9090/', '9090 9091', '', '9090,', '0x:2382', 'a'.repeat(16), '99999999999999999999'].map(
    (port): Row => ({
      name: `"${port}" is no port`,
      pod: { annotations: { 'scrapeguard.io/metrics-port': port } },
      outcome: [`invalid-port ${port.split(',').at(-1)}`.trim()],
    }),
  ),
  {
    name: 'a long list repeats itself',
    ...annotated({ 'prometheus.io/port': '9090,'.repeat(100) }),
    outcome: [`invalid-port ${'9090,'.repeat(100)}`],
  },
  {
    name: 'nine ports are too many',
    ...annotated({ 'scrapeguard.io/metrics-port': '1,2,3,4,5,6,7,8,9' }),
    outcome: ['too-many-ports 9'],
  },
  {
    name: 'the port of the pod’s own annotation counts by itself',
    ...annotated({ 'scrapeguard.io/metrics-port': 'metrics', 'prometheus.io/port': '1234' }),
    outcome: [INJECTED],
  },
  {
    name: 'a port of Prometheus’ annotation, where a proxy guards the one that the pod states and nothing rewrites it',
    pod: {
      annotations: { 'scrapeguard.io/metrics-port': '9090', 'prometheus.io/port': '9191' },
      beside: [foreignProxy(9090)],
    },
    outcome: ['8444 in front of 9191 by kube-rbac-proxy-2'],
  },
  {
    name: 'the port of a proxy in Prometheus’ annotation',
    pod: {
      annotations: { 'scrapeguard.io/metrics-port': '9090', 'prometheus.io/port': '8443' },
      beside: [foreignProxy(9090)],
    },
    outcome: ['already-protected kube-rbac-proxy'],
  },
  {
    name: 'a port on which an argument has a program listen is taken, though nobody declares it',
    pod: { app: { args: ['--metrics-bind-address=:9090', '--webhook-port', '8443'] } },
    outcome: ['8444 in front of 9090 by kube-rbac-proxy'],
  },
  {
    name: 'and one in a command or a variable',
    pod: {
      app: {
        command: ['sh', '-c', 'serve --listen 0.0.0.0:8443 --id 184430'],
        env: [{ name: 'ADMIN', value: 'https://localhost:8444/' }],
      },
    },
    outcome: ['8445 in front of 9090 by kube-rbac-proxy'],
  },
  {
    name: 'a version and a longer number are no ports',
    pod: { app: { args: ['--version=8443.1', '--id=84430001'] } },
    outcome: [INJECTED],
  },
  {
    name: 'annotations that fill what Kubernetes takes stay as they are',
    ...annotated({ large: 'ü'.repeat(130_990) }),
    outcome: ['annotations-full 262144'],
  },
  {
    name: 'two spellings that name two ports mean both',
    pod: {
      annotations: { prometheus_io_port: '9091' },
      app: { ports: [{ containerPort: 9090 }, { containerPort: 9091 }] },
    },
    outcome: [INJECTED, '8444 in front of 9091 by kube-rbac-proxy-2'],
  },
  {
    name: 'a pod that is not scraped',
    ...annotated({ 'prometheus.io/scrape': 'false' }),
    outcome: ['not-scraped'],
  },
  {
    name: 'unless it asks',
    ...annotated({ 'prometheus.io/scrape': 'false', 'scrapeguard.io/inject': 'true' }),
    outcome: [INJECTED],
  },
  {
    name: 'a pod that is scraped slowly',
    ...annotated({ 'prometheus.io/scrape': undefined, 'prometheus.io/scrape-slow': 'true' }),
    outcome: [INJECTED],
  },
  {
    name: 'a port of its own for the proxy',
    ...annotated({ 'scrapeguard.io/proxy-port': '10443' }),
    outcome: ['10443 in front of 9090 by kube-rbac-proxy'],
  },
  ...['443', '1023', '65536', 'https', ''].map((port): Row => ({
    name: `"${port}" is no port for a proxy`,
    pod: { annotations: { 'scrapeguard.io/proxy-port': port } },
    outcome: [INJECTED, `warning invalid-proxy-port ${port}`],
  })),
  {
    name: 'only the port that another proxy does not guard',
    pod: { annotations: { 'prometheus.io/port': '9091,9090' }, beside: [foreignProxy(9091)] },
    outcome: ['8444 in front of 9090 by kube-rbac-proxy-2', 'warning port-not-declared 9091'],
  },
  {
    name: 'no port is left',
    pod: { app: { ports: Array.from({ length: 65_535 - 8442 }, (_, index) => ({ containerPort: 8443 + index })) } },
    outcome: ['no-free-port'],
  },
];

const MALFORMED: readonly Row[] = [
  { name: 'no containers', pod: { spec: { containers: [] } }, outcome: ['malformed-pod containers'] },
  { name: 'containers that are no list', pod: { spec: { containers: {} } }, outcome: ['malformed-pod containers'] },
  { name: 'volumes that are no list', pod: { spec: { volumes: 'x' } }, outcome: ['malformed-pod volumes'] },
  { name: 'lists that are null', pod: { spec: { volumes: null, initContainers: null } }, outcome: [INJECTED] },
];

const RESOURCES: readonly (readonly [string, PodChange, unknown])[] = [
  [
    'a request over the limit raises it',
    { annotations: { 'scrapeguard.io/proxy-cpu-request': '200m' } },
    { requests: { cpu: '200m', memory: '20Mi' }, limits: { cpu: '200m', memory: '64Mi' } },
  ],
  [
    'a limit under the request lowers it',
    { annotations: { 'scrapeguard.io/proxy-memory-limit': '10Mi' } },
    { requests: { cpu: '10m', memory: '10Mi' }, limits: { cpu: '100m', memory: '10Mi' } },
  ],
  [
    'a pod with resources of its own and room in them',
    { spec: { resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } } } },
    { requests: { cpu: '10m', memory: '20Mi' }, limits: { cpu: '100m', memory: '64Mi' } },
  ],
  [
    'one that has no room for more CPU',
    { spec: { resources: { requests: { cpu: '5m' } } } },
    { requests: { memory: '20Mi' }, limits: { memory: '64Mi' } },
  ],
  [
    'one whose containers ask for everything',
    {
      spec: { resources: { requests: { cpu: '1', memory: '1Gi' } } },
      app: { resources: { requests: { cpu: '1', memory: '1Gi' } } },
    },
    undefined,
  ],
  [
    'one whose limit is below the proxy’s',
    { spec: { resources: { limits: { cpu: '50m', memory: '1Gi' } } } },
    { requests: { memory: '20Mi' }, limits: { memory: '64Mi' } },
  ],
  [
    'a pod with one container that is not Guaranteed',
    { app: { resources: { limits: { cpu: '1', memory: '1Gi' } } }, beside: [{ name: 'b' }] },
    { requests: { cpu: '10m', memory: '20Mi' }, limits: { cpu: '100m', memory: '64Mi' } },
  ],
];

function testRows(rows: readonly Row[]): void {
  for (const { name, pod, setting, outcome } of rows) {
    it(name, () => assert.deepEqual(outcomeOf(annotatedPod(pod), setting), outcome));
  }
}

describe('the first reason wins', () => testRows(ORDER));
describe('ports', () => testRows(PORTS));
describe('a pod that is not whole', () => testRows(MALFORMED));

describe('the resources of a proxy', () => {
  for (const [name, pod, resources] of RESOURCES) {
    it(name, () => assert.deepEqual(inject(annotatedPod(pod)).sidecars[0]?.['resources'], resources));
  }
});

describe('what a policy sets', () => {
  it('pull secrets, each once', () => {
    const pod = annotatedPod({ spec: { imagePullSecrets: [{ name: 'own' }] } });
    const { pod: after } = inject(pod, { injection: { imagePullSecrets: ['own', 'pull', 'pull'] } });
    assert.deepEqual(listOf(after, 'imagePullSecrets'), [{ name: 'own' }, { name: 'pull' }]);
  });

  it('audiences', () => {
    const [sidecar] = inject(annotatedPod(), { injection: { audiences: ['a', 'b'] } }).sidecars;
    assert.equal(asList(sidecar?.['args']).at(-1), '--auth-token-audiences=a,b');
  });

  it('resources', () => {
    const resources = { requests: { cpu: '1m' }, limits: { memory: '1Gi' } };
    assert.deepEqual(inject(annotatedPod(), { injection: { resources } }).sidecars[0]?.['resources'], {
      requests: { cpu: '1m', memory: '20Mi' },
      limits: { cpu: '100m', memory: '1Gi' },
    });
  });
});

describe('annotations', () => {
  it('a pod that Prometheus does not find by them is not shown to it', () => {
    const annotations = {
      'prometheus.io/scrape': undefined,
      'prometheus.io/port': undefined,
      'scrapeguard.io/metrics-port': '9090',
    };
    const keys = Object.keys(annotationsIn(inject(annotatedPod({ annotations })).pod));
    assert.deepEqual(keys, ['scrapeguard.io/metrics-port', 'scrapeguard.io/original', 'scrapeguard.io/status']);
  });

  it('with several ports Prometheus is sent to the first one’s proxy', () => {
    const pod = annotatedPod({ annotations: { 'scrapeguard.io/metrics-port': '9091,9090' } });
    assert.equal(annotationsIn(inject(pod).pod)['prometheus.io/port'], '8443');
    assert.deepEqual(inject(pod).plan.ports[0], { port: 9091, proxyPort: 8443, container: 'kube-rbac-proxy' });
  });

  for (const [name, setting, pod] of [
    ['by the namespace', { labels: { 'istio-injection': 'enabled' } }, annotatedPod()],
    ['by a revision', { labels: { 'istio.io/rev': 'canary' } }, annotatedPod()],
    ['by the pod', {}, annotatedPod({ labels: { 'sidecar.istio.io/inject': 'true' } })],
  ] as const) {
    it(`Istio, asked for ${name}, is kept from merging the metrics`, () => {
      assert.equal(annotationsIn(inject(pod, setting).pod)['prometheus.istio.io/merge-metrics'], 'false');
    });
  }

  it('but not overruled', () => {
    const annotations = { 'prometheus.istio.io/merge-metrics': 'true' };
    const pod = annotatedPod({ annotations, labels: { 'sidecar.istio.io/inject': 'true' } });
    assert.deepEqual(outcomeOf(pod), [INJECTED, 'warning istio-merge']);
    assert.equal(annotationsIn(inject(pod).pod)['prometheus.istio.io/merge-metrics'], 'true');
  });
});

describe('a patch', () => {
  const onEmpty: JsonObject = {
    ...annotatedPod({ spec: { restartPolicy: 'Never', automountServiceAccountToken: false } }),
  };

  it('25 26 makes the lists that are not there', () => {
    assert.deepEqual(
      inject(onEmpty).patch.map(({ op, path }) => `${op} ${path}`),
      [
        'add /spec/initContainers',
        'add /spec/volumes',
        'replace /metadata/annotations/prometheus.io~1port',
        'add /metadata/annotations/prometheus.io~1scheme',
        'add /metadata/annotations/scrapeguard.io~1original',
        'add /metadata/annotations/scrapeguard.io~1status',
      ],
    );
  });

  it('that would not apply is found out, without a word of the pod', () => {
    const injection = planInjection(onEmpty, circumstancesOf());
    assert.ok(injection.kind === 'plan');
    const patch = patchOf(onEmpty, injection.plan);
    assert.equal(patchError({ spec: onEmpty['spec'] }, patch), 'OPERATION_PATH_UNRESOLVABLE');
    assert.equal(patchError(onEmpty, patch), undefined);
  });
});

describe('sentences', () => {
  const long = 'x\u0007'.repeat(200);

  for (const reason of Object.keys(SKIP_REASONS) as (keyof typeof SKIP_REASONS)[]) {
    it(`${reason} is told whole in 120 characters`, () => {
      const sentence = skipSentence(reason, long);
      assert.ok(sentence.length <= 120 && !/\p{Cc}|\{\{/u.test(sentence), sentence);
      assert.equal(sentence.endsWith('…'), false);
    });
  }

  for (const code of Object.keys(WARNINGS) as (keyof typeof WARNINGS)[]) {
    it(`${code} is told whole in 120 characters`, () => {
      const sentence = warningSentence({
        code,
        value: long,
        key: code === 'invalid-resource' ? 'scrapeguard.io/proxy-memory-request' : 'memory',
      });
      assert.ok(sentence.length <= 120 && !/\p{Cc}|\{\{/u.test(sentence), sentence);
      assert.equal(sentence.endsWith('…'), false);
    });
  }

  it('what was done, and what would have been', () => {
    const ports = [{ port: 9090, proxyPort: 8443, container: 'kube-rbac-proxy' }];
    assert.equal(planSentence(ports, true), 'injected kube-rbac-proxy on port 8443 in front of 9090');
    assert.equal(planSentence(ports, false), 'would inject kube-rbac-proxy on port 8443 in front of 9090');
  });

  it('only what somebody can mend needs action', () => {
    assert.deepEqual([needsAction('opted-out'), needsAction('invalid-port')], [false, true]);
  });
});
