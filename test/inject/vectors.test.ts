import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { asList, asObject, type JsonObject } from '../../src/kube/json.ts';
import {
  annotatedPod,
  annotationsIn,
  foreignProxy,
  inject,
  listOf,
  outcomeOf,
  type PodChange,
  type Setting,
} from '../support/injection.ts';

// What an injector owes its users, vector by vector; the numbers are those of the reference.

interface Vector {
  readonly name: string;
  readonly pod?: PodChange;
  readonly setting?: Setting;
  readonly outcome: readonly string[];
}

const INJECTED = '8443 in front of 9090 by kube-rbac-proxy';
const only = (annotations: NonNullable<PodChange['annotations']>): NonNullable<PodChange['annotations']> => ({
  'prometheus.io/scrape': undefined,
  'prometheus.io/port': undefined,
  ...annotations,
});
const listening = (port: number): JsonObject => ({ name: 'other', image: 'y', ports: [{ containerPort: port }] });

const VECTORS: readonly Vector[] = [
  { name: '1 an annotated port gets a sidecar', outcome: [INJECTED] },
  {
    name: '2 where namespaces opt in, one that does not is left alone',
    setting: { injection: { select: 'labelled' } },
    outcome: ['namespace-not-selected default'],
  },
  {
    name: '2 and one that does is not',
    setting: { injection: { select: 'labelled' }, labels: { 'scrapeguard.io/inject': 'enabled' } },
    outcome: [INJECTED],
  },
  {
    name: '4 a pod opts out',
    pod: { annotations: { 'scrapeguard.io/inject': 'false' } },
    outcome: ['opted-out'],
  },
  ...['TRUE', 'yes', '', 'False'].map((value): Vector => ({
    name: `5 inject: "${value}" counts as none, with a warning`,
    pod: { annotations: { 'scrapeguard.io/inject': value } },
    outcome: [INJECTED, `warning invalid-inject ${value}`],
  })),
  {
    name: '7 an explicit request with a port of its own needs no scrape annotation',
    pod: { annotations: only({ 'scrapeguard.io/inject': 'true', 'scrapeguard.io/metrics-port': '9090' }) },
    outcome: [INJECTED],
  },
  {
    name: '13 the mirror pod that a node reports is left alone',
    setting: { isMirrorPod: true },
    outcome: ['mirror-pod'],
  },
  {
    name: '14 the annotation of a mirror pod does not make one',
    pod: { annotations: { 'kubernetes.io/config.mirror': 'x' }, spec: { nodeName: 'n1' } },
    outcome: [INJECTED],
  },
  {
    name: '19 a status that somebody wrote by hand gains nothing',
    pod: {
      annotations: {
        'scrapeguard.io/status':
          '{"version":1,"image":"x","ports":[{"port":9090,"proxyPort":8443,"container":"kube-rbac-proxy"}]}',
        'scrapeguard.io/original': '{}',
      },
    },
    outcome: [INJECTED],
  },
  {
    name: '22 a hand-made kube-rbac-proxy in front of the port is enough',
    pod: { beside: [foreignProxy(9090)] },
    outcome: ['already-protected kube-rbac-proxy'],
  },
  {
    name: '34 a port that only a probe names is not taken',
    pod: { app: { livenessProbe: { httpGet: { port: 8443 } } } },
    outcome: ['8444 in front of 9090 by kube-rbac-proxy'],
  },
  {
    name: '34 nor one that is a hostPort',
    pod: { app: { ports: [{ containerPort: 9090, hostPort: 8443 }] } },
    outcome: ['8444 in front of 9090 by kube-rbac-proxy'],
  },
  {
    name: '35 a proxy port that is the metrics port gives way',
    pod: { annotations: { 'scrapeguard.io/proxy-port': '9090' } },
    outcome: [INJECTED, 'warning proxy-port-taken 9090'],
  },
  {
    name: '37 a port that no container declares is guarded all the same',
    pod: { app: { ports: [] } },
    outcome: [INJECTED, 'warning port-not-declared 9090'],
  },
  {
    name: '38 a name is looked up among the declared ports',
    pod: { annotations: { 'prometheus.io/port': 'metrics' } },
    outcome: [INJECTED],
  },
  {
    name: '38 a name that no container declares is told',
    pod: { annotations: { 'prometheus.io/port': 'metrcis' } },
    outcome: ['unknown-port-name metrcis'],
  },
  {
    name: '40 several ports get a sidecar each',
    pod: { annotations: { 'prometheus.io/port': '9090,9091' }, beside: [listening(9091)] },
    outcome: [INJECTED, '8444 in front of 9091 by kube-rbac-proxy-2'],
  },
  {
    name: '41 a port for UDP serves no metrics',
    pod: { app: { ports: [{ containerPort: 9090, protocol: 'UDP' }] } },
    outcome: ['not-tcp 9090'],
  },
  {
    name: '47 the kubelet’s read-only port is not hidden behind a proxy',
    pod: { annotations: { 'prometheus.io/port': '10255' } },
    outcome: ['kubelet-port 10255'],
  },
  {
    name: '49 a query is no part of the path',
    pod: { annotations: { 'prometheus.io/path': '/federate?match[]=x' } },
    outcome: [INJECTED, 'warning path-query /federate?match[]=x'],
  },
  ...['/m*', '/m[a-z]', '/a/../b', '//metrics', '/a,/b', '/a\\b', '/$(HOME)', 'metrics', '/a b', '/"a"'].map(
    (path): Vector => ({
      name: `50 ${path} is no path that a proxy can be told`,
      pod: { annotations: { 'prometheus.io/path': path } },
      outcome: [`invalid-path ${path}`],
    }),
  ),
  {
    name: '52 what serves TLS by itself is left alone',
    pod: { annotations: { 'prometheus.io/scheme': 'https' } },
    outcome: ['app-serves-tls 9090'],
  },
  {
    name: '74 the pod’s own user and group change nothing',
    pod: { spec: { securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 2000 } } },
    outcome: [INJECTED],
  },
  {
    name: '77 what is no quantity gives way to the policy’s',
    pod: { annotations: { 'scrapeguard.io/proxy-cpu-limit': '10 potatoes' } },
    outcome: [INJECTED, 'warning invalid-resource scrapeguard.io/proxy-cpu-limit 10 potatoes'],
  },
  {
    name: '80 on the host’s network loopback is the node’s',
    pod: { spec: { hostNetwork: true } },
    outcome: ['host-network'],
  },
  {
    name: '80 unless the policy allows it',
    pod: { spec: { hostNetwork: true } },
    setting: { injection: { hostNetwork: 'allow' } },
    outcome: [INJECTED, 'warning node-wide-port 9090'],
  },
  {
    name: '85 what Istio merged gets a proxy, and a warning',
    pod: {
      annotations: { 'prometheus.io/port': '15020', 'prometheus.io/path': '/stats/prometheus' },
      beside: [
        { name: 'istio-proxy', image: 'istio/proxyv2', ports: [{ containerPort: 15090, name: 'http-envoy-prom' }] },
      ],
    },
    outcome: ['8443 in front of 15020 by kube-rbac-proxy', 'warning port-not-declared 15020', 'warning istio-merge'],
  },
  {
    name: '86 Linkerd may come later',
    pod: { annotations: { 'linkerd.io/inject': 'enabled' } },
    outcome: [INJECTED],
  },
  {
    name: '86 or have been there before',
    pod: {
      annotations: { 'linkerd.io/inject': 'enabled' },
      spec: { initContainers: [{ name: 'linkerd-init' }, { name: 'linkerd-proxy', restartPolicy: 'Always' }] },
    },
    outcome: [INJECTED],
  },
];

describe('what is decided about a pod', () => {
  for (const { name, pod, setting, outcome } of VECTORS) {
    it(name, () => assert.deepEqual(outcomeOf(annotatedPod(pod), setting), outcome));
  }
});

describe('what an injected pod is like', () => {
  it('1 the sidecar comes last, and Prometheus is sent to it', () => {
    const { pod } = inject(annotatedPod());
    const [first, last] = listOf(pod, 'containers');
    assert.equal(first?.['name'], 'app');
    assert.deepEqual(asList(last?.['args']).slice(0, 3), [
      '--secure-listen-address=:8443',
      '--upstream=http://127.0.0.1:9090/',
      '--allow-paths=/metrics',
    ]);
    assert.deepEqual(annotationsIn(pod), {
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '8443',
      'prometheus.io/scheme': 'https',
      'scrapeguard.io/original': '{"prometheus.io/port":"9090","prometheus.io/scheme":null}',
      'scrapeguard.io/status':
        '{"version":1,"image":"quay.io/brancz/kube-rbac-proxy:v0.22.1","ports":[{"port":9090,"proxyPort":8443,"container":"kube-rbac-proxy"}]}',
    });
  });

  it('43 44 the proxy’s port has a name of its own, short and in lower case', () => {
    const taken = annotatedPod({ app: { ports: [{ name: 'https-metrics', containerPort: 9090 }] } });
    const names = [annotatedPod(), taken].map((pod) => asObject(asList(inject(pod).sidecars[0]?.['ports'])[0])['name']);
    assert.deepEqual(names, ['https-metrics', 'https-8443']);
  });

  it('46 it listens on every address, and asks upstream where the policy says', () => {
    const [sidecar] = inject(annotatedPod(), { injection: { upstreamHost: '::1' } }).sidecars;
    assert.deepEqual(asList(sidecar?.['args']).slice(0, 2), [
      '--secure-listen-address=:8443',
      '--upstream=http://[::1]:9090/',
    ]);
  });

  it('49 the query is left out of the path', () => {
    const pod = annotatedPod({ annotations: { 'prometheus.io/path': '/federate?match[]=x' } });
    assert.equal(asList(inject(pod).sidecars[0]?.['args'])[2], '--allow-paths=/federate');
  });

  it('53 every spelling sends Prometheus to the proxy', () => {
    const spellings = { prometheus_io_port: '9090', 'prometheus.io-port': '9090', prometheus_io_scheme: 'http' };
    const annotations = annotationsIn(inject(annotatedPod({ annotations: spellings })).pod);
    assert.deepEqual(
      Object.entries(annotations).filter(([key]) => key.startsWith('prometheus')),
      [
        ['prometheus.io/scrape', 'true'],
        ['prometheus.io/port', '8443'],
        ['prometheus_io_port', '8443'],
        ['prometheus.io-port', '8443'],
        ['prometheus_io_scheme', 'https'],
      ],
    );
  });

  it('55 without the pod’s token it mounts one of its own, and nobody else does', () => {
    const { pod, sidecars } = inject(annotatedPod({ spec: { automountServiceAccountToken: false } }));
    assert.deepEqual(sidecars[0]?.['volumeMounts'], [
      {
        name: 'kube-rbac-proxy-token',
        mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
        readOnly: true,
      },
    ]);
    assert.equal(listOf(pod, 'containers')[0]?.['volumeMounts'], undefined);
    assert.deepEqual(listOf(pod, 'volumes'), [
      {
        name: 'kube-rbac-proxy-token',
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              downwardAPI: {
                items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
              },
            },
          ],
        },
      },
    ]);
  });

  it('56 a policy may ask for that always, for ServiceAccounts that mount nothing', () => {
    const { pod } = inject(annotatedPod(), { injection: { tokenVolume: 'always' } });
    assert.equal(listOf(pod, 'volumes').length, 1);
    assert.deepEqual(listOf(inject(annotatedPod()).pod, 'volumes'), []);
  });

  it('58 its volume has a name of its own', () => {
    const volumes = [{ name: 'kube-rbac-proxy-token', emptyDir: {} }];
    const { pod } = inject(annotatedPod({ spec: { automountServiceAccountToken: false, volumes } }));
    assert.deepEqual(
      listOf(pod, 'volumes').map(({ name }) => name),
      ['kube-rbac-proxy-token', 'kube-rbac-proxy-token-2'],
    );
  });

  for (const restartPolicy of ['Never', 'OnFailure']) {
    it(`61 64 a pod with restartPolicy ${restartPolicy} gets a native sidecar, and ends`, () => {
      const { pod } = inject(annotatedPod({ spec: { restartPolicy, initContainers: [{ name: 'init' }] } }));
      const [init, sidecar] = listOf(pod, 'initContainers');
      assert.equal(listOf(pod, 'containers').length, 1);
      assert.equal(init?.['name'], 'init');
      assert.equal(sidecar?.['name'], 'kube-rbac-proxy');
      assert.equal(sidecar['restartPolicy'], 'Always');
      assert.equal(sidecar['startupProbe'], undefined);
    });
  }

  it('67 what else the pod says stays as it is', () => {
    const spec = { activeDeadlineSeconds: 60, hostAliases: [{ ip: '10.0.0.1' }], dnsPolicy: 'None', foo: { bar: [1] } };
    const before = annotatedPod({ spec, app: { restartPolicyRules: [{ action: 'Restart' }] } });
    const after = asObject(inject(before).pod['spec']);
    for (const [key, value] of Object.entries(spec)) assert.equal(after[key], value);
    assert.equal(asList(after['containers'])[0], listOf(before, 'containers')[0]);
  });

  it('68 70 the sidecar is restricted, and has all four resources', () => {
    const [sidecar] = inject(annotatedPod()).sidecars;
    assert.deepEqual(sidecar?.['securityContext'], {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    assert.deepEqual(sidecar['resources'], {
      requests: { cpu: '10m', memory: '20Mi' },
      limits: { cpu: '100m', memory: '64Mi' },
    });
  });

  it('71 annotations change its resources', () => {
    const annotations = { 'scrapeguard.io/proxy-cpu-request': '50m', 'scrapeguard.io/proxy-memory-limit': '128Mi' };
    assert.deepEqual(inject(annotatedPod({ annotations })).sidecars[0]?.['resources'], {
      requests: { cpu: '50m', memory: '20Mi' },
      limits: { cpu: '100m', memory: '128Mi' },
    });
  });

  it('73 a Guaranteed pod stays Guaranteed', () => {
    const resources = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m' } };
    assert.deepEqual(inject(annotatedPod({ app: { resources } })).sidecars[0]?.['resources'], {
      requests: { cpu: '100m', memory: '64Mi' },
      limits: { cpu: '100m', memory: '64Mi' },
    });
  });

  it('76 a policy may leave its user to the platform', () => {
    const [sidecar] = inject(annotatedPod(), { injection: { runAsUser: null } }).sidecars;
    const context = asObject(sidecar?.['securityContext']);
    assert.deepEqual(
      [context['runAsUser'], context['runAsGroup'], context['runAsNonRoot']],
      [undefined, undefined, true],
    );
  });

  it('79 an image by digest is written as it is', () => {
    const image = `registry.example.com/kube-rbac-proxy:v0.22.1@sha256:${'ab'.repeat(32)}`;
    assert.equal(inject(annotatedPod(), { injection: { image } }).sidecars[0]?.['image'], image);
  });

  it('80 on the host’s network it takes the same port there', () => {
    const pod = annotatedPod({ spec: { hostNetwork: true } });
    const [sidecar] = inject(pod, { injection: { hostNetwork: 'allow' } }).sidecars;
    assert.deepEqual(sidecar?.['ports'], [
      { name: 'https-metrics', containerPort: 8443, hostPort: 8443, protocol: 'TCP' },
    ]);
  });

  it('88 no flag that does nothing, and no HTTP/2', () => {
    const args = asList(inject(annotatedPod()).sidecars[0]?.['args']);
    assert.ok(!args.some((arg) => String(arg).includes('logtostderr')));
    assert.ok(args.includes('--http2-disable'));
  });

  it('11 32 the same pod gives the same patch, and what is large in it is not copied', () => {
    const pod = annotatedPod({ annotations: { large: 'x'.repeat(1_000_000) } });
    assert.deepEqual(inject(pod).patch, inject(structuredClone(pod)).patch);
    assert.ok(JSON.stringify(inject(pod).patch).length < 4000);
  });
});

describe('vectors of ways to inject that there are not yet', () => {
  const later = {
    'closing the application’s own port: 82 83': 'the port stays open beside the proxy',
    'taking the application’s port: 35 with the same port': 'the proxy has a port of its own',
    'native sidecars on request: 65': 'only pods that end get one',
    'flags of kube-rbac-proxy v1': 'a policy with such an image is refused',
  };
  for (const [name, skip] of Object.entries(later)) it(name, { skip });
});
