import type { JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/control-plane-flags.ts';
import { makePod, testRule, type RuleCase } from '../support/rule-tester.ts';

const COMMAND = '/spec/containers/0/command';

/** A row about one command line; `findings` are `messageId index`, the index that of the word in it. */
function commandRow(name: string, command: string, findings: readonly string[]): RuleCase {
  return {
    name,
    object: makePod({ container: { command: command.split(' ') } }),
    findings: findings.map((finding) => finding.replace(' ', ` ${COMMAND}/`)),
  };
}

const MANAGERS = [
  commandRow(
    'a controller manager on the insecure port, open to the network',
    'kube-controller-manager --port=10252 --address=0.0.0.0',
    ['insecurePort 1', 'insecureAddress 2'],
  ),
  commandRow(
    'a controller manager on the secure port',
    'kube-controller-manager --secure-port=10257 --authorization-kubeconfig=/etc/kubernetes/cm.conf --bind-address=127.0.0.1',
    [],
  ),
  commandRow('X13 a scheduler with its insecure port turned off', 'kube-scheduler --port=0', []),
  commandRow('an open address of a port that is turned off', 'kube-scheduler --port=0 --address=0.0.0.0', []),
  commandRow('X14 a scheduler on every address', 'kube-scheduler --bind-address=0.0.0.0', ['bindAddress 1']),
  commandRow('a scheduler on every address of version 6', 'kube-scheduler --bind-address ::', ['bindAddress 1']),
  commandRow('a cloud controller manager of some cloud', '/bin/aws-cloud-controller-manager --port=10253', [
    'insecurePort 1',
  ]),
  commandRow('a scheduler inside hyperkube', '/hyperkube scheduler --port=10251', ['insecurePort 2']),
  commandRow('the flags of an unrelated scheduler', '/app/scheduler --port=10251 --address=0.0.0.0', []),
  commandRow(
    "X10 a controller manager's metrics for everyone",
    'kube-controller-manager --authorization-always-allow-paths=/healthz,/metrics',
    ['alwaysAllowPaths 1'],
  ),
  ...['metrics', '/m*', '*', '/*', '/metrics*', '/metrics/slis', '/metrics/*', '"/metrics"'].map((path) =>
    commandRow(`X11 always allowed: ${path}`, `kube-scheduler --authorization-always-allow-paths ${path}`, [
      'alwaysAllowPaths 1',
    ]),
  ),
  ...['/healthz,/readyz,/livez', '/metricsz', '/met', '/Metrics', ''].map((path) =>
    commandRow(
      `always allowed, but no metrics: "${path}"`,
      `kube-scheduler --authorization-always-allow-paths=${path}`,
      [],
    ),
  ),
  commandRow(
    'always allowed by the first of two lists: both count',
    'metrics-server --authorization-always-allow-paths=/metrics --authorization-always-allow-paths=/livez',
    ['alwaysAllowPaths 1'],
  ),
];

const APISERVER = [
  commandRow('the insecure port of an API server', 'kube-apiserver --insecure-port=8080', ['insecurePort 1']),
  commandRow('the insecure port turned off', 'kube-apiserver --insecure-port=0 --insecure-bind-address=0.0.0.0', []),
  commandRow('an API server of 2015', 'kube-apiserver --port=8080 --address=0.0.0.0', [
    'insecurePort 1',
    'insecureAddress 2',
  ]),
  commandRow('an insecure address on loopback', 'kube-apiserver --insecure-bind-address=127.0.0.1', []),
  commandRow('everyone is allowed, after all', 'kube-apiserver --authorization-mode=RBAC,AlwaysAllow', [
    'alwaysAllow 1',
  ]),
  commandRow('RBAC', 'kube-apiserver --authorization-mode=Node,RBAC --anonymous-auth=false', []),
  commandRow('anonymous requests', 'kube-apiserver --anonymous-auth', ['anonymousAuthentication 1']),
  commandRow(
    "a dashboard's port of the same name",
    'dashboard --insecure-port=9090 --insecure-bind-address=0.0.0.0',
    [],
  ),
];

const ETCD = [
  commandRow('X05 metrics in the clear on every address', 'etcd --listen-metrics-urls=http://0.0.0.0:2381', [
    'etcdMetrics 1',
  ]),
  commandRow(
    'X07 metrics with TLS, in the clear on loopback only',
    'etcd --listen-metrics-urls=https://10.0.0.4:2381,http://127.0.0.1:2381',
    [],
  ),
  commandRow(
    'one open URL among closed ones',
    'etcd --listen-metrics-urls=http://127.0.0.1:2381,http://10.0.0.4:2381',
    ['etcdMetrics 1'],
  ),
  commandRow('X08 clients without certificates', 'etcd --client-cert-auth=false', ['etcdCertificates 1']),
  commandRow('peers without certificates', 'etcd --peer-client-cert-auth=false', ['etcdCertificates 1']),
  commandRow('clients in the clear', 'etcd -listen-client-urls http://0.0.0.0:2379', ['etcdClients 1']),
  commandRow('clients in the clear on an address from elsewhere', 'etcd --listen-client-urls=http://$(POD_IP):2379', [
    'etcdClients 1',
  ]),
  commandRow('clients in the clear on loopback', 'etcd --listen-client-urls=http://localhost:2379,http://[::1]:2379', [
    'etcdLocalClients 1',
  ]),
  commandRow('clients that are asked for no certificate', 'etcd --listen-client-urls=https://10.0.0.4:2379', [
    'etcdNoCertificates 1',
  ]),
  commandRow(
    'clients that are asked for a certificate',
    'etcd --listen-client-urls=https://10.0.0.4:2379 --client-cert-auth',
    [],
  ),
  commandRow(
    'a trusted CA is as good',
    'etcd --listen-client-urls=https://10.0.0.4:2379 --trusted-ca-file=/ca.crt',
    [],
  ),
  {
    name: 'etcd takes flags from its environment',
    object: makePod({
      container: {
        image: 'quay.io/coreos/etcd:v3.6.8',
        env: [{ name: 'ETCD_LISTEN_CLIENT_URLS', value: 'http://0.0.0.0:2379' }],
      },
    }),
    findings: ['etcdClients /spec/containers/0/env/0/value'],
  },
  {
    name: 'the command line of etcd wins over its environment',
    object: makePod({
      container: {
        command: ['etcd', '--client-cert-auth=true'],
        env: [{ name: 'ETCD_CLIENT_CERT_AUTH', value: 'false' }],
      },
    }),
    findings: [],
  },
  {
    name: "the environment of etcd's clients",
    object: makePod({
      container: { command: ['etcdctl'], env: [{ name: 'ETCD_LISTEN_CLIENT_URLS', value: 'http://0.0.0.0:2379' }] },
    }),
    findings: [],
  },
];

const port = (entry: JsonObject, spec: JsonObject = {}, container: JsonObject = {}): JsonObject =>
  makePod({ spec: { ...spec, containers: [{ name: 'app', image: 'app:1', ports: [entry], ...container }] } });

const HOST_PORTS: readonly RuleCase[] = [
  ...[10249, 10251, 10252, 2381, 4194].map((hostPort) => ({
    name: `P50 host port ${hostPort} of an unknown program`,
    object: port({ containerPort: 8080, hostPort }),
    findings: ['hostPort /spec/containers/0/ports/0/hostPort'],
  })),
  {
    name: 'on the host network a container port is one of the host',
    object: port({ containerPort: 10249 }, { hostNetwork: true }),
    findings: ['hostPort /spec/containers/0/ports/0/containerPort'],
  },
  { name: 'a container port is none', object: port({ containerPort: 10249 }), findings: [] },
  {
    name: 'a port of another protocol',
    object: port({ containerPort: 1, hostPort: 10249, protocol: 'UDP' }),
    findings: [],
  },
  {
    name: 'the component that owns the port',
    object: port({ containerPort: 10249, hostPort: 10249 }, {}, { command: ['kube-proxy'] }),
    findings: [],
  },
  {
    name: 'ports that the policy chooses',
    object: port({ containerPort: 9100, hostPort: 9100 }),
    params: { hostPorts: [9100] },
    findings: ['hostPort /spec/containers/0/ports/0/hostPort'],
  },
];

const FILES: readonly RuleCase[] = [
  {
    name: 'kubeadm v1beta3, maps',
    object: {
      kind: 'ClusterConfiguration',
      apiServer: { extraArgs: { 'authorization-mode': 'AlwaysAllow' } },
      controllerManager: { extraArgs: { 'bind-address': '0.0.0.0' } },
      etcd: { local: { extraArgs: { 'listen-metrics-urls': 'http://0.0.0.0:2381' } } },
    },
    findings: [
      'alwaysAllow /apiServer/extraArgs/authorization-mode',
      'bindAddress /controllerManager/extraArgs/bind-address',
      'etcdMetrics /etcd/local/extraArgs/listen-metrics-urls',
    ],
  },
  {
    name: 'kubeadm v1beta4, lists',
    object: {
      kind: 'ClusterConfiguration',
      scheduler: { extraArgs: [{ name: 'authorization-always-allow-paths', value: '/healthz,/metrics' }] },
    },
    findings: ['alwaysAllowPaths /scheduler/extraArgs/0/value'],
  },
  {
    name: 'arguments that are added to others show no flag to be missing',
    object: {
      kind: 'ClusterConfiguration',
      etcd: { local: { extraArgs: { 'listen-client-urls': 'https://0.0.0.0:2379' } } },
    },
    findings: [],
  },
  {
    name: 'Cluster API',
    object: {
      kind: 'KubeadmControlPlane',
      spec: { kubeadmConfigSpec: { clusterConfiguration: { scheduler: { extraArgs: { port: '10251' } } } } },
    },
    findings: ['insecurePort /spec/kubeadmConfigSpec/clusterConfiguration/scheduler/extraArgs/port'],
  },
  {
    name: 'the file of k3s',
    object: { 'kube-controller-manager-arg': ['port=10252'] },
    findings: ['insecurePort /kube-controller-manager-arg/0'],
  },
  {
    name: 'k3s in a pod',
    object: makePod({ container: { command: ['k3s', 'server', '--kube-controller-manager-arg=port=10252'] } }),
    findings: [`insecurePort ${COMMAND}/2`],
  },
];

testRule(rule, [...MANAGERS, ...APISERVER, ...ETCD, ...HOST_PORTS, ...FILES]);
