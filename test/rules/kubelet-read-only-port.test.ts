import type { JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/kubelet-read-only-port.ts';
import { makePod, testRule, type RuleCase } from '../support/rule-tester.ts';

const PORT = '/spec/containers/0/ports/0';

const port = (entry: JsonObject, spec: JsonObject = {}): JsonObject => makePod({ spec, container: { ports: [entry] } });

const container = (fields: JsonObject, spec: JsonObject = {}): JsonObject => makePod({ spec, container: fields });

const service = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'metrics', ...metadata },
  spec,
});

const endpoints = (subsets: unknown, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name: 'metrics', ...metadata },
  subsets,
});

const slice = (ports: unknown, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'metrics-x7f2p', ...metadata },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['192.0.2.17'] }],
  ports,
});

const template = (pod: JsonObject): JsonObject => ({ metadata: pod['metadata'], spec: pod['spec'] });

const workload = (apiVersion: string, kind: string, spec: JsonObject): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name: 'app' },
  spec,
});

const DECLARED = port({ containerPort: 10255 });

const PORTS_OF_CONTAINERS: readonly RuleCase[] = [
  { name: 'a container port', object: DECLARED, findings: [`containerPort ${PORT}/containerPort`] },
  {
    name: 'a host port, whatever it leads to',
    object: port({ containerPort: 8080, hostPort: 10255 }),
    findings: [`hostPort ${PORT}/hostPort`],
  },
  {
    name: 'a container port and the same host port are one finding',
    object: port({ containerPort: 10255, hostPort: 10255 }),
    findings: [`hostPort ${PORT}/hostPort`],
  },
  {
    name: 'on the host network a container port is a port of the node',
    object: port({ containerPort: 10255 }, { hostNetwork: true }),
    findings: [`hostPort ${PORT}/containerPort`],
  },
  {
    name: 'on the host network, as the API server completes it',
    object: port({ containerPort: 10255, hostPort: 10255 }, { hostNetwork: true }),
    findings: [`hostPort ${PORT}/containerPort`],
  },
  {
    name: 'a port on one address of the node',
    object: port({ containerPort: 80, hostPort: 10255, hostIP: '127.0.0.1' }),
    findings: [`hostPort ${PORT}/hostPort`],
  },
  {
    name: 'an init container',
    object: makePod({ spec: { initContainers: [{ name: 'init', ports: [{ containerPort: 10255 }] }] } }),
    findings: ['containerPort /spec/initContainers/0/ports/0/containerPort'],
  },
  {
    name: 'a native sidecar',
    object: makePod({
      spec: { initContainers: [{ name: 'side', restartPolicy: 'Always', ports: [{ containerPort: 10255 }] }] },
    }),
    findings: ['containerPort /spec/initContainers/0/ports/0/containerPort'],
  },
  {
    name: 'an ephemeral container',
    object: makePod({ spec: { ephemeralContainers: [{ name: 'debug', ports: [{ containerPort: 10255 }] }] } }),
    findings: ['containerPort /spec/ephemeralContainers/0/ports/0/containerPort'],
  },
  {
    name: 'every entry of every container',
    object: makePod({
      spec: {
        containers: [
          { name: 'a', ports: [{ containerPort: 80 }, { containerPort: 10255 }] },
          { name: 'b', ports: [{ containerPort: 10255, name: 'metrics' }] },
        ],
      },
    }),
    findings: [
      'containerPort /spec/containers/0/ports/1/containerPort',
      'containerPort /spec/containers/1/ports/0/containerPort',
    ],
  },
  {
    name: 'UDP is worth a word',
    object: port({ containerPort: 10255, protocol: 'UDP' }),
    findings: [`otherProtocol ${PORT}/containerPort`],
  },
  {
    name: 'SCTP on the node too',
    object: port({ containerPort: 80, hostPort: 10255, protocol: 'SCTP' }),
    findings: [`otherProtocol ${PORT}/hostPort`],
  },
  {
    name: 'a protocol that nobody knows counts as TCP',
    object: port({ containerPort: 10255, protocol: '' }),
    findings: [`containerPort ${PORT}/containerPort`],
  },
  {
    name: 'a number in quotes, as custom resources accept it',
    object: port({ containerPort: '10255' }),
    findings: [`containerPort ${PORT}/containerPort`],
  },
  {
    name: '10255.0 is 10255 once it is JSON',
    object: port({ containerPort: 1.0255e4 }),
    findings: [`containerPort ${PORT}/containerPort`],
  },
  { name: 'a port that merely begins with the digits', object: port({ containerPort: 102550 }), findings: [] },
  { name: 'the secure port', object: port({ containerPort: 10250 }), findings: [] },
  { name: 'a fraction', object: port({ containerPort: 10255.5 }), findings: [] },
];

const PROBE = '/spec/containers/0/readinessProbe';

const PROBES: readonly RuleCase[] = [
  {
    name: 'a probe on the host network calls the node',
    object: container({ readinessProbe: { tcpSocket: { port: 10255 } } }, { hostNetwork: true }),
    findings: [`nodeProbe ${PROBE}/tcpSocket/port`],
  },
  {
    name: 'a probe with a host calls that host from the node',
    object: container({ readinessProbe: { httpGet: { host: '127.0.0.1', port: 10255 } } }),
    findings: [`nodeProbe ${PROBE}/httpGet/port`],
  },
  {
    name: 'a probe of the pod itself is worth a word',
    object: container({ readinessProbe: { httpGet: { port: 10255, host: '' } } }),
    findings: [`ownProbe ${PROBE}/httpGet/port`],
  },
  {
    name: 'a probe by gRPC',
    object: container({ readinessProbe: { grpc: { port: 10255 } } }, { hostNetwork: true }),
    findings: [`nodeProbe ${PROBE}/grpc/port`],
  },
  {
    name: 'the other probes and both lifecycle hooks',
    object: container(
      {
        livenessProbe: { httpGet: { port: 10255 } },
        startupProbe: { httpGet: { port: 10255 } },
        lifecycle: { postStart: { httpGet: { port: 10255 } }, preStop: { tcpSocket: { port: 10255 } } },
      },
      { hostNetwork: true },
    ),
    findings: [
      'nodeProbe /spec/containers/0/livenessProbe/httpGet/port',
      'nodeProbe /spec/containers/0/startupProbe/httpGet/port',
      'nodeProbe /spec/containers/0/lifecycle/postStart/httpGet/port',
      'nodeProbe /spec/containers/0/lifecycle/preStop/tcpSocket/port',
    ],
  },
  {
    name: 'a lifecycle hook without host or host network',
    object: container({ lifecycle: { preStop: { httpGet: { port: 10255 } } } }),
    findings: ['ownProbe /spec/containers/0/lifecycle/preStop/httpGet/port'],
  },
  {
    name: 'a probe by name, resolved in its container',
    object: container({
      ports: [{ name: 'metrics', containerPort: 10255 }],
      readinessProbe: { httpGet: { port: 'metrics' } },
    }),
    findings: [`containerPort ${PORT}/containerPort`, `ownProbe ${PROBE}/httpGet/port`],
  },
  {
    name: 'a name of another container resolves to nothing',
    object: makePod({
      spec: {
        containers: [
          { name: 'a', ports: [{ name: 'metrics', containerPort: 10255 }] },
          { name: 'b', livenessProbe: { httpGet: { port: 'metrics' } } },
        ],
      },
    }),
    findings: [`containerPort ${PORT}/containerPort`],
  },
  {
    name: 'a probe that runs a program',
    object: container({ readinessProbe: { exec: { command: ['true'] } } }, { hostNetwork: true }),
    findings: [],
  },
  {
    name: 'a probe of the secure port',
    object: container({ readinessProbe: { httpGet: { port: 10250, scheme: 'HTTPS' } } }, { hostNetwork: true }),
    findings: [],
  },
];

const FORWARDERS: readonly RuleCase[] = [
  {
    name: 'a forwarder to the port',
    object: container({ args: ['socat', 'TCP-LISTEN:9999,fork', 'TCP:$(NODE_IP):10255'] }),
    findings: ['forwarder /spec/containers/0/args/2'],
  },
  {
    name: 'a forwarder in an ephemeral container',
    object: makePod({
      spec: {
        ephemeralContainers: [{ name: 'debug', command: ['socat', 'TCP-LISTEN:80,fork', 'TCP:127.0.0.1:10255'] }],
      },
    }),
    findings: ['forwarder /spec/ephemeralContainers/0/command/2'],
  },
  {
    name: 'a client is for another rule',
    object: container({ args: ['curl', 'http://node:10255/pods'] }),
    findings: [],
  },
];

const TEMPLATES: readonly RuleCase[] = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['apps/v1', 'ReplicaSet'],
  ['v1', 'ReplicationController'],
  ['batch/v1', 'Job'],
  ['argoproj.io/v1alpha1', 'Rollout'],
  ['extensions/v1beta1', 'Deployment'],
].map(([apiVersion = '', kind = '']) => ({
  name: `the template of a ${kind} of ${apiVersion}`,
  object: workload(apiVersion, kind, { template: template(DECLARED) }),
  findings: [`containerPort /spec/template${PORT}/containerPort`],
}));

const OTHER_TEMPLATES: readonly RuleCase[] = [
  {
    name: 'the template of a CronJob',
    object: workload('batch/v1', 'CronJob', { jobTemplate: { spec: { template: template(DECLARED) } } }),
    findings: [`containerPort /spec/jobTemplate/spec/template${PORT}/containerPort`],
  },
  {
    name: 'a PodTemplate',
    object: { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'app' }, template: template(DECLARED) },
    findings: [`containerPort /template${PORT}/containerPort`],
  },
  {
    name: 'a Deployment of a group that is nobody we know',
    object: workload('example.com/v1', 'Deployment', { template: template(DECLARED) }),
    findings: [],
  },
];

const SERVICES: readonly RuleCase[] = [
  {
    name: 'a Service with the target port',
    object: service({ ports: [{ port: 80, targetPort: 10255 }] }),
    findings: ['targetPort /spec/ports/0/targetPort'],
  },
  {
    name: 'a Service whose target port is its own',
    object: service({ ports: [{ port: 10255 }] }),
    findings: ['targetPort /spec/ports/0/port'],
  },
  ...[null, 0, ''].map((targetPort) => ({
    name: `a target port of ${JSON.stringify(targetPort)} is none`,
    object: service({ ports: [{ port: 10255, targetPort }] }),
    findings: ['targetPort /spec/ports/0/port'],
  })),
  {
    name: 'a target port in quotes',
    object: service({ ports: [{ port: 80, targetPort: '10255' }] }),
    findings: ['targetPort /spec/ports/0/targetPort'],
  },
  {
    name: 'a named target port is judged at its pod',
    object: service({ ports: [{ port: 80, targetPort: 'kubelet-ro' }] }),
    findings: [],
  },
  {
    name: 'the port alone is worth a word',
    object: service({ ports: [{ port: 10255, targetPort: 8080 }] }),
    findings: ['servicePort /spec/ports/0/port'],
  },
  {
    name: 'the port alone with a named target',
    object: service({ ports: [{ port: 10255, targetPort: 'http' }] }),
    findings: ['servicePort /spec/ports/0/port'],
  },
  {
    name: 'every entry',
    object: service({ ports: [{ port: 80, targetPort: 10255 }, { port: 443 }, { port: 10255 }] }),
    findings: ['targetPort /spec/ports/0/targetPort', 'targetPort /spec/ports/2/port'],
  },
  ...['NodePort', 'LoadBalancer'].map((type) => ({
    name: `a Service of type ${type} opens it to the outside`,
    object: service({ type, ports: [{ port: 80, targetPort: 10255 }] }),
    findings: ['targetPort /spec/ports/0/targetPort', 'outside /spec/type'],
  })),
  {
    name: 'so do external addresses',
    object: service({ externalIPs: ['203.0.113.5'], ports: [{ port: 10255 }] }),
    findings: ['targetPort /spec/ports/0/port', 'outside /spec/externalIPs'],
  },
  {
    name: "a node port shadows the kubelet's on every node",
    object: service({ type: 'NodePort', ports: [{ port: 80, targetPort: 80, nodePort: 10255 }] }),
    findings: ['nodePort /spec/ports/0/nodePort'],
  },
  { name: 'UDP', object: service({ ports: [{ port: 10255, protocol: 'UDP' }] }), findings: [] },
  { name: 'another port', object: service({ type: 'NodePort', ports: [{ port: 10250 }] }), findings: [] },
];

const ENDPOINTS: readonly RuleCase[] = [
  {
    name: 'an EndpointSlice, whatever its addresses',
    object: slice([{ name: 'ro', port: 10255, protocol: 'TCP' }]),
    findings: ['endpointPort /ports/0/port'],
  },
  { name: 'an EndpointSlice with another port', object: slice([{ port: 8080 }]), findings: [] },
  { name: 'an EndpointSlice for every port', object: slice([{ name: '', port: null }]), findings: [] },
  { name: 'an EndpointSlice by UDP', object: slice([{ port: 10255, protocol: 'UDP' }]), findings: [] },
  {
    name: 'each subset of Endpoints',
    object: endpoints([
      { addresses: [{ ip: '192.0.2.17' }], ports: [{ port: 443 }, { port: 10255 }] },
      { notReadyAddresses: [{ ip: '192.0.2.18' }], ports: [{ port: 10255 }] },
    ]),
    findings: ['endpointPort /subsets/0/ports/1/port', 'endpointPort /subsets/1/ports/0/port'],
  },
];

const KUBELET_PORTS = [
  { name: 'https-metrics', port: 10250 },
  { name: 'http-metrics', port: 10255 },
  { name: 'cadvisor', port: 4194 },
];
const KUBELET_LABELS = { labels: { 'k8s-app': 'kubelet', 'app.kubernetes.io/managed-by': 'prometheus-operator' } };
const KUBELET_SERVICE = service({ clusterIP: 'None', ports: KUBELET_PORTS }, { name: 'kubelet', ...KUBELET_LABELS });
const inKubeSystem = { namespace: 'kube-system' } as const;

const KUBELET_SERVICES: readonly RuleCase[] = [
  {
    name: "prometheus-operator's Service for the kubelets",
    object: KUBELET_SERVICE,
    ...inKubeSystem,
    findings: ['kubeletService /spec/ports/1/port'],
  },
  {
    name: 'its Endpoints',
    object: endpoints([{ addresses: [{ ip: '192.0.2.17' }], ports: KUBELET_PORTS }], KUBELET_LABELS),
    ...inKubeSystem,
    findings: ['kubeletService /subsets/0/ports/1/port'],
  },
  {
    name: 'its EndpointSlice',
    object: slice(KUBELET_PORTS, KUBELET_LABELS),
    ...inKubeSystem,
    findings: ['kubeletService /ports/1/port'],
  },
  { name: 'the same in another namespace', object: KUBELET_SERVICE, findings: ['targetPort /spec/ports/1/port'] },
  {
    name: 'the same with a selector',
    object: service({ clusterIP: 'None', selector: { app: 'a' }, ports: KUBELET_PORTS }, KUBELET_LABELS),
    ...inKubeSystem,
    findings: ['targetPort /spec/ports/1/port'],
  },
  {
    name: 'the same with an address of its own',
    object: service({ ports: KUBELET_PORTS }, KUBELET_LABELS),
    ...inKubeSystem,
    findings: ['targetPort /spec/ports/1/port'],
  },
  {
    name: 'the same without the secure port',
    object: service({ clusterIP: 'None', ports: KUBELET_PORTS.slice(1) }, KUBELET_LABELS),
    ...inKubeSystem,
    findings: ['targetPort /spec/ports/0/port'],
  },
  {
    name: 'the same without the label',
    object: slice(KUBELET_PORTS, { labels: { 'k8s-app': 'kubelets' } }),
    ...inKubeSystem,
    findings: ['endpointPort /ports/1/port'],
  },
];

const WRITERS: readonly RuleCase[] = [
  ...[
    'system:serviceaccount:kube-system:endpoint-controller',
    'system:serviceaccount:kube-system:endpointslice-controller',
    'system:serviceaccount:kube-system:endpointslicemirroring-controller',
    'system:kube-controller-manager',
  ].map((username) => ({
    name: `${username} only follows`,
    object: slice([{ port: 10255 }]),
    writer: { username, groups: [] },
    findings: ['followedObject /ports/0/port'],
  })),
  {
    name: 'an account of the same name elsewhere does not',
    object: slice([{ port: 10255 }]),
    writer: { username: 'system:serviceaccount:default:endpointslice-controller', groups: ['system:masters'] },
    findings: ['endpointPort /ports/0/port'],
  },
  {
    name: 'a controller that writes a Service is no follower',
    object: service({ ports: [{ port: 10255 }] }),
    writer: { username: 'system:kube-controller-manager', groups: [] },
    findings: ['targetPort /spec/ports/0/port'],
  },
];

const UPDATES: readonly RuleCase[] = [
  {
    name: 'what was there before is left alone',
    operation: 'UPDATE',
    oldObject: DECLARED,
    object: { ...DECLARED, metadata: { name: 'app', finalizers: ['example.com/a'] } },
    findings: [],
  },
  {
    name: 'what comes in is reported',
    operation: 'UPDATE',
    oldObject: makePod(),
    object: DECLARED,
    findings: [`containerPort ${PORT}/containerPort`],
  },
  {
    name: 'a container that moves to another list brings nothing new',
    operation: 'UPDATE',
    oldObject: makePod({ spec: { containers: [{ name: 'a', ports: [{ containerPort: 10255 }] }] } }),
    object: makePod({ spec: { containers: [], initContainers: [{ name: 'a', ports: [{ containerPort: 10255 }] }] } }),
    findings: [],
  },
  {
    name: 'a second entry is one more',
    operation: 'UPDATE',
    oldObject: service({ ports: [{ port: 10255 }] }),
    object: service({ ports: [{ port: 10255 }, { port: 80, targetPort: 10255 }] }),
    findings: ['targetPort /spec/ports/1/targetPort'],
  },
  {
    name: 'a Service that is opened to the outside',
    operation: 'UPDATE',
    oldObject: service({ type: 'ClusterIP', ports: [{ port: 10255 }] }),
    object: service({ type: 'LoadBalancer', ports: [{ port: 10255 }] }),
    findings: ['outside /spec/type'],
  },
  {
    name: 'a Service that is closed again',
    operation: 'UPDATE',
    oldObject: service({ type: 'LoadBalancer', ports: [{ port: 10255 }] }),
    object: service({ type: 'ClusterIP', ports: [{ port: 10255 }] }),
    findings: [],
  },
  {
    name: 'an ephemeral container that is added',
    operation: 'UPDATE',
    oldObject: DECLARED,
    object: makePod({
      spec: {
        containers: [{ name: 'app', ports: [{ containerPort: 10255 }] }],
        ephemeralContainers: [{ name: 'debug', args: ['socat', 'TCP-LISTEN:80', 'TCP:node:10255'] }],
      },
    }),
    findings: ['forwarder /spec/ephemeralContainers/0/args/2'],
  },
];

const MALFORMED: readonly RuleCase[] = [
  ...[[], null, 'all', {}, [null, 1, 'a', []]].map((ports) => ({
    name: `ports: ${JSON.stringify(ports)}`,
    object: container({ ports, readinessProbe: { httpGet: { port: 'metrics' } } }),
    findings: [],
  })),
  ...[null, {}, 'app', [null, 1, []]].map((containers) => ({
    name: `containers: ${JSON.stringify(containers)}`,
    object: workload('apps/v1', 'Deployment', { template: { spec: { containers } } }),
    findings: [],
  })),
  ...[null, [], 'x', { ports: null }, { ports: [null, 'a'] }].map((spec) => ({
    name: `a Service whose spec is ${JSON.stringify(spec)}`,
    object: { apiVersion: 'v1', kind: 'Service', metadata: null, spec },
    findings: [],
  })),
  { name: 'no spec at all', object: { apiVersion: 'v1', kind: 'Pod' }, findings: [] },
  { name: 'Endpoints without subsets', object: endpoints(null), findings: [] },
  { name: 'Endpoints with subsets of anything', object: endpoints([null, { ports: [null] }]), findings: [] },
  {
    name: 'a name that every object inherits',
    object: container({ readinessProbe: { httpGet: { port: 'constructor' } } }),
    findings: [],
  },
];

const PARAMS: readonly RuleCase[] = [
  {
    name: 'other ports',
    params: { ports: [10255, 4194] },
    object: port({ containerPort: 4194 }),
    findings: [`containerPort ${PORT}/containerPort`],
  },
  { name: 'ports without 10255', params: { ports: [4194] }, object: DECLARED, findings: [] },
  { name: 'no ports', params: { ports: [] }, object: DECLARED, findings: [] },
];

testRule(rule, [
  ...PORTS_OF_CONTAINERS,
  ...PROBES,
  ...FORWARDERS,
  ...TEMPLATES,
  ...OTHER_TEMPLATES,
  ...SERVICES,
  ...ENDPOINTS,
  ...KUBELET_SERVICES,
  ...WRITERS,
  ...UPDATES,
  ...MALFORMED,
  ...PARAMS,
]);
