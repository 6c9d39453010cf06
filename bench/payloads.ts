// The reviews that are sent, of the sizes that DESIGN.md's bars are given for; field managers make up most of a real one.

import type { JsonObject } from '../src/kube/json.ts';

/** One review to send, and the largest CPU ratio over the echo that it may cost. */
export interface Payload {
  readonly name: string;
  readonly path: '/validate' | '/mutate';
  readonly body: string;
  readonly bar: number;
}

/** Every payload, smallest first. */
export function makePayloads(): Payload[] {
  const path = '/validate';
  return [
    {
      name: 'ClusterRoleBinding, 1.4 KB',
      path,
      body: review(clusterRoleBinding(), 'clusterrolebindings', 1_400),
      bar: 1.4,
    },
    { name: 'Deployment, 6.6 KB', path, body: review(deployment(), 'deployments', 6_600), bar: 1.4 },
    { name: 'Pod, 6.6 KB', path, body: review(pod(), 'pods', 6_600), bar: 1.4 },
    {
      name: 'Pod that gets a sidecar, 6.6 KB',
      path: '/mutate',
      body: review(pod({ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' }), 'pods', 6_600),
      bar: 1.8,
    },
  ];
}

/** A CREATE as the API server sends it, filled up with managed fields to a number of bytes. */
function review(object: JsonObject, resource: string, bytes: number): string {
  const [group = '', version = ''] = String(object['apiVersion']).includes('/')
    ? String(object['apiVersion']).split('/')
    : ['', String(object['apiVersion'])];
  const kind = { group, version, kind: object['kind'] };
  const gvr = { group, version, resource };
  const make = (managed: readonly JsonObject[]): string =>
    JSON.stringify({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: {
        uid: '0b4c1a5e-6d1f-4c6a-9a53-2f0f2f1f9c11',
        kind,
        resource: gvr,
        requestKind: kind,
        requestResource: gvr,
        name: 'bench',
        ...(resource === 'clusterrolebindings' ? {} : { namespace: 'shop' }),
        operation: 'CREATE',
        userInfo: { username: 'kubernetes-admin', groups: ['kubeadm:cluster-admins', 'system:authenticated'] },
        object: withManagedFields(object, managed),
        oldObject: null,
        dryRun: false,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-create' },
      },
    });
  const managed: JsonObject[] = [];
  while (make(managed).length < bytes - 200) managed.push(managedField(managed.length));
  return make(managed);
}

function withManagedFields(object: JsonObject, managedFields: readonly JsonObject[]): JsonObject {
  const metadata = object['metadata'];
  return { ...object, metadata: { ...(typeof metadata === 'object' ? metadata : {}), managedFields } };
}

function managedField(index: number): JsonObject {
  return {
    manager: `controller-${index}`,
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {}, [`f:field-${index}`]: {} } } },
  };
}

function clusterRoleBinding(): JsonObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'bench', labels: { app: 'shop' } },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'shop', namespace: 'shop' }],
  };
}

function podSpec(): JsonObject {
  return {
    serviceAccountName: 'shop',
    containers: ['front', 'cache'].map((name) => ({
      name,
      image: `example.com/shop/${name}:1.4.2`,
      args: ['--listen=:8080', '--log-level=info', '--cache-size=256', '--upstream=http://127.0.0.1:9000'],
      ports: [
        { name: 'http', containerPort: 8080, protocol: 'TCP' },
        { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
      ],
      env: [
        { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
        { name: 'REGION', value: 'north' },
        { name: 'OPTIONS', value: '--fast --region=$(REGION)' },
      ],
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
      readinessProbe: { httpGet: { path: '/ready', port: 'http', scheme: 'HTTP' }, periodSeconds: 5 },
      livenessProbe: { httpGet: { path: '/live', port: 8080, scheme: 'HTTP' }, periodSeconds: 10 },
      volumeMounts: [{ name: 'config', mountPath: '/etc/shop' }],
    })),
    volumes: [{ name: 'config', configMap: { name: 'shop' } }],
  };
}

function deployment(): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'bench', namespace: 'shop', labels: { app: 'shop' } },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'shop' } },
      template: { metadata: { labels: { app: 'shop' } }, spec: podSpec() },
    },
  };
}

function pod(annotations: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'bench', namespace: 'shop', labels: { app: 'shop' }, annotations },
    spec: podSpec(),
  };
}
