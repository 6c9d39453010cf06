import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { AdmissionResponse } from '../../src/kube/admission-review.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import type { Evaluation } from '../../src/policy/evaluate.ts';
import { makePod } from '../support/rule-tester.ts';
import { judgeAlone, rulesetOf } from '../support/rulesets.ts';
import { validateWrite, type Write } from '../support/validate-review.ts';

// The ways to reach or expose a kubelet's read-only port, and what only looks like one, under the default policy: what
// the webhook answers, and the mode that `check` reports.

type Answer = 'deny' | 'warn' | 'allow';
type Mode = 'enforce' | 'warn' | 'audit' | 'nothing';

interface Vector {
  readonly name: string;
  readonly object: JsonObject;
  readonly answer: Answer;
  /** The rule that speaks; none does where everything is allowed. */
  readonly rule?: string;
  /** What `check` reports of the file, where it does not follow from the answer. */
  readonly check?: Mode;
  /** What differs from an ordinary user who creates the object. */
  readonly write?: Write;
  readonly clusterObjects?: readonly JsonObject[];
}

const READ_ONLY_PORT = 'kubelet-read-only-port';
const CLIENT = 'kubelet-read-only-port-client';
const CONFIGURATION = 'kubelet-configuration';
const CONTROL_PLANE = 'control-plane-flags';

const container = (fields: JsonObject, spec: JsonObject = {}): JsonObject => makePod({ spec, container: fields });
const declares = (...ports: JsonObject[]): JsonObject => container({ ports });
const kubelet = (fields: JsonObject): JsonObject =>
  container({ image: 'registry.example.com/kubelet:v1.36.0', ...fields });

function workload(apiVersion: string, kind: string, spec: JsonObject): JsonObject {
  return { apiVersion, kind, metadata: { name: 'app', namespace: 'default' }, spec };
}

function service(spec: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'app', namespace: 'default', ...metadata }, spec };
}

function slice(address: string, port: number): JsonObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'app-1', namespace: 'default' },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address] }],
    ports: [{ name: 'metrics', port, protocol: 'TCP' }],
  };
}

function kubeletConfigMap(readOnlyPort: number): JsonObject {
  const text = `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nreadOnlyPort: ${readOnlyPort}\n`;
  const metadata = { name: 'kubelet-config', namespace: 'kube-system' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { kubelet: text } };
}

const P01 = declares({ containerPort: 10255 });
const P02 = declares({ containerPort: 8080, hostPort: 10255 });
const DEBUGGED = makePod({
  spec: { ephemeralContainers: [{ name: 'debug', image: 'curl:8', args: ['curl', 'http://node:10255/pods'] }] },
});
const FINALIZED = { ...P01, metadata: { name: 'app', namespace: 'default', finalizers: ['example.com/a'] } };
const STATIC_POD = {
  ...P01,
  metadata: { name: 'app-n1', namespace: 'default', annotations: { 'kubernetes.io/config.mirror': 'a1b2' } },
};
const NODE_N1 = { username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };
const STRICT_NAMESPACE = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'default', labels: { 'scrapeguard.io/enforce': 'strict' } },
};

/** What prometheus-operator keeps for all kubelets. */
const KUBELETS = { name: 'kubelet', namespace: 'kube-system', labels: { 'k8s-app': 'kubelet' } };
const KUBELET_PORTS = [
  { name: 'https-metrics', port: 10250 },
  { name: 'http-metrics', port: 10255 },
  { name: 'cadvisor', port: 4194 },
];
const OPERATOR = {
  user: { username: 'system:serviceaccount:monitoring:prometheus-operator', groups: ['system:serviceaccounts'] },
};

const PODS: readonly Vector[] = [
  { name: 'P01 a container port', object: P01, answer: 'deny', rule: READ_ONLY_PORT },
  { name: 'P02 a host port', object: P02, answer: 'deny', rule: READ_ONLY_PORT },
  {
    name: 'P04 a native sidecar',
    object: makePod({
      spec: { initContainers: [{ name: 'side', restartPolicy: 'Always', ports: [{ containerPort: 10255 }] }] },
    }),
    answer: 'deny',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P05 UDP',
    object: declares({ containerPort: 10255, protocol: 'UDP' }),
    answer: 'warn',
    rule: READ_ONLY_PORT,
  },
  { name: 'P07 a longer number', object: declares({ containerPort: 102550 }), answer: 'allow' },
  {
    name: 'P08 a name that a Service refers to, at the pod',
    object: declares({ containerPort: 10255, name: 'kubelet-ro' }),
    answer: 'deny',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P08 a name that a Service refers to, at the Service',
    object: service({ ports: [{ port: 80, targetPort: 'kubelet-ro' }] }),
    answer: 'allow',
  },
  {
    name: 'P19 a forwarder',
    object: container({ args: ['socat', 'TCP-LISTEN:9999,fork', 'TCP:$(NODE_IP):10255'] }),
    answer: 'deny',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P22 a probe on the host network',
    object: container({ readinessProbe: { tcpSocket: { port: 10255 } } }, { hostNetwork: true }),
    answer: 'deny',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P23 a probe of the pod itself',
    object: container({ startupProbe: { httpGet: { port: 10255 } } }),
    answer: 'warn',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P25 a probe by name',
    object: container({
      ports: [{ name: 'metrics', containerPort: 10255 }],
      livenessProbe: { httpGet: { port: 'metrics' } },
    }),
    answer: 'deny',
    rule: READ_ONLY_PORT,
  },
  { name: 'P49 no ports', object: declares(), answer: 'allow' },
  { name: 'P49 ports: null', object: container({ ports: null }), answer: 'allow' },
  { name: 'P49 ports absent', object: makePod(), answer: 'allow' },
  {
    name: 'P49 containers: null in a malformed template',
    object: workload('apps/v1', 'Deployment', { template: { spec: { containers: null } } }),
    answer: 'allow',
  },
];

const KUBELETS_IN_PODS: readonly Vector[] = [
  {
    name: 'P10 a kubelet with the port',
    object: kubelet({ args: ['--read-only-port=10255'] }),
    answer: 'deny',
    rule: CONFIGURATION,
  },
  { name: 'P11 a kubelet without it', object: kubelet({ args: ['--read-only-port=0'] }), answer: 'allow' },
  {
    name: 'P13 the port in hexadecimal',
    object: kubelet({ args: ['--read-only-port=0x280F'] }),
    answer: 'deny',
    rule: CONFIGURATION,
  },
  {
    name: 'P14 the last flag wins',
    object: kubelet({ args: ['--read-only-port=10255', '--read-only-port=0'] }),
    answer: 'allow',
  },
  {
    name: 'P16 the flag in a variable',
    object: kubelet({
      args: ['--config=/etc/kubelet.yaml', '$(KUBELET_EXTRA_ARGS)'],
      env: [{ name: 'KUBELET_EXTRA_ARGS', value: '--read-only-port=10255' }],
    }),
    answer: 'deny',
    rule: CONFIGURATION,
  },
  {
    name: 'P16 the variable that packages of the kubelet read',
    object: container({ env: [{ name: 'KUBELET_EXTRA_ARGS', value: '--read-only-port=10255' }] }),
    answer: 'deny',
    rule: CONFIGURATION,
  },
  {
    name: 'P46 a ConfigMap with the port',
    object: kubeletConfigMap(10255),
    answer: 'warn',
    rule: CONFIGURATION,
  },
  { name: 'P47 a ConfigMap without it', object: kubeletConfigMap(0), answer: 'allow' },
  ...[10249, 2381, 4194, 10251, 10252].map((hostPort): Vector => ({
    name: `P50 host port ${hostPort} of an unknown program`,
    object: declares({ containerPort: 8080, hostPort }),
    answer: 'warn',
    rule: CONTROL_PLANE,
  })),
];

const CLIENTS: readonly Vector[] = [
  {
    name: 'P17 a variable that names the port',
    object: container({ env: [{ name: 'DD_KUBERNETES_HTTP_KUBELET_PORT', value: '10255' }] }),
    answer: 'warn',
    rule: CLIENT,
  },
  {
    name: 'P20 a number that is no port',
    object: container({ env: [{ name: 'BATCH', value: 'order-10255-x' }] }),
    answer: 'allow',
  },
  {
    name: 'P26 an ephemeral container that asks',
    object: DEBUGGED,
    write: { subResource: 'ephemeralcontainers', oldObject: makePod() },
    answer: 'warn',
    rule: CLIENT,
  },
  {
    name: 'P26 the same in a strict namespace',
    object: DEBUGGED,
    write: { subResource: 'ephemeralcontainers', oldObject: makePod() },
    clusterObjects: [STRICT_NAMESPACE],
    answer: 'deny',
    check: 'warn',
    rule: CLIENT,
  },
  {
    name: 'P43 a ScrapeConfig with a static target',
    object: workload('monitoring.coreos.com/v1alpha1', 'ScrapeConfig', {
      staticConfigs: [{ targets: ['node1:10255'] }],
    }),
    answer: 'warn',
    rule: CLIENT,
  },
  {
    name: 'P44 a ServiceMonitor that rewrites the address',
    object: workload('monitoring.coreos.com/v1', 'ServiceMonitor', {
      endpoints: [{ port: 'https', relabelings: [{ targetLabel: '__address__', replacement: '$1:10255' }] }],
    }),
    answer: 'warn',
    rule: CLIENT,
  },
];

const WRITES: readonly Vector[] = [
  ...['status', 'binding', 'resize'].map((subResource): Vector => ({
    name: `P28 the subresource ${subResource}`,
    object: P01,
    write: { subResource, oldObject: makePod() },
    answer: 'allow',
    check: 'enforce',
  })),
  {
    name: 'P28 an UPDATE of a pod that had the port before',
    object: FINALIZED,
    write: { oldObject: P01 },
    answer: 'allow',
    check: 'enforce',
  },
  {
    name: 'P28 an UPDATE that brings the port',
    object: P01,
    write: { oldObject: makePod() },
    answer: 'deny',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P29 the mirror pod of a node',
    object: STATIC_POD,
    write: { user: NODE_N1 },
    answer: 'warn',
    check: 'enforce',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P29 the annotation of a mirror pod from anybody else',
    object: STATIC_POD,
    answer: 'deny',
    rule: READ_ONLY_PORT,
  },
];

const TEMPLATES: readonly Vector[] = [
  {
    name: 'P31 a Deployment',
    object: workload('apps/v1', 'Deployment', { template: { spec: P01['spec'] } }),
    answer: 'warn',
    check: 'enforce',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P32 a CronJob',
    object: workload('batch/v1', 'CronJob', { jobTemplate: { spec: { template: { spec: P02['spec'] } } } }),
    answer: 'warn',
    check: 'enforce',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P34 a Rollout of Argo',
    object: workload('argoproj.io/v1alpha1', 'Rollout', { template: { spec: P01['spec'] } }),
    answer: 'warn',
    check: 'enforce',
    rule: READ_ONLY_PORT,
  },
];

const SERVICES: readonly Vector[] = [
  {
    name: 'P35 a NodePort Service to pods on the host network',
    object: service({ type: 'NodePort', selector: { app: 'agent' }, ports: [{ port: 80, targetPort: 10255 }] }),
    answer: 'deny',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P37 a Service whose target port is its own',
    object: service({ selector: { app: 'agent' }, ports: [{ port: 10255 }] }),
    answer: 'deny',
    rule: READ_ONLY_PORT,
  },
  {
    name: "P38 prometheus-operator's Service for the kubelets",
    object: service({ clusterIP: 'None', ports: KUBELET_PORTS }, KUBELETS),
    write: OPERATOR,
    answer: 'warn',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P38 its Endpoints',
    object: {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: KUBELETS,
      subsets: [{ addresses: [{ ip: '192.0.2.11' }], ports: KUBELET_PORTS }],
    },
    write: OPERATOR,
    answer: 'warn',
    rule: READ_ONLY_PORT,
  },
  {
    name: 'P38 its EndpointSlices',
    object: { ...slice('192.0.2.11', 10255), metadata: KUBELETS, ports: KUBELET_PORTS },
    write: OPERATOR,
    answer: 'warn',
    rule: READ_ONLY_PORT,
  },
  { name: 'P40 an EndpointSlice to a node', object: slice('192.0.2.11', 10255), answer: 'deny', rule: READ_ONLY_PORT },
  { name: 'P41 an EndpointSlice to a pod', object: slice('10.244.1.7', 8080), answer: 'allow' },
];

const ruleset = rulesetOf();

function answerOf({ allowed, warnings = [] }: AdmissionResponse): Answer {
  if (!allowed) return 'deny';
  return warnings.length > 0 ? 'warn' : 'allow';
}

function modeOf({ findings }: Evaluation): Mode {
  const modes = new Set(findings.map(({ mode }) => mode));
  return (['enforce', 'warn', 'audit'] as const).find((mode) => modes.has(mode)) ?? 'nothing';
}

const MODE_OF_ANSWER: Readonly<Record<Answer, Mode>> = { deny: 'enforce', warn: 'warn', allow: 'nothing' };

function testVector({ object, answer, rule, check, write, clusterObjects = [] }: Vector): void {
  it(`the webhook: ${answer}`, async () => {
    const { response } = await validateWrite({ object, ...write }, { clusterObjects });
    assert.equal(answerOf(response), answer, JSON.stringify(response));
    const text = [response.status?.message ?? '', ...(response.warnings ?? [])].join('\n');
    if (rule !== undefined) assert.match(text, new RegExp(`(?:/|^)${rule}[:.]`, 'm'));
    if (answer === 'deny') assert.equal(response.status?.code, 403);
  });

  it(`check: ${check ?? MODE_OF_ANSWER[answer]}`, () => {
    const evaluation = judgeAlone(object, ruleset);
    assert.deepEqual(evaluation.errors, []);
    assert.equal(modeOf(evaluation), check ?? MODE_OF_ANSWER[answer]);
    if (rule !== undefined) assert.ok(evaluation.findings.some((finding) => finding.rule.id === rule));
  });
}

for (const vector of [...PODS, ...KUBELETS_IN_PODS, ...CLIENTS, ...WRITES, ...TEMPLATES, ...SERVICES]) {
  describe(vector.name, () => testVector(vector));
}
