import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import type { JsonObject } from '../../../src/kube/json.ts';
import { renderText } from '../../support/chart.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { CERT_MANAGER_KINDS, installCustomKinds, PROMETHEUS_RULE } from '../../support/crds.ts';
import { NAMESPACE } from '../../support/installed-servers.ts';
import { pairwise } from '../../support/pairwise.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const SCRAPERS = [
  { kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus' },
  { kind: 'User', name: 'jane' },
];

/** Values of the chart that are chosen together; each axis has the chart's own choice first. */
const AXES: Readonly<Record<string, readonly JsonObject[]>> = {
  mode: [
    {},
    { mode: 'namespace-opt-in' },
    { mode: 'namespace-opt-in', failurePolicy: 'Fail' },
    { mode: 'cluster-wide' },
    { mode: 'cluster-wide', failurePolicy: 'Fail' },
  ],
  certificates: [
    {},
    { certificates: { source: 'cert-manager' } },
    { certificates: { source: 'cert-manager', issuerRef: { kind: 'ClusterIssuer', name: 'company' } } },
    { certificates: { source: 'existing-secret', secretName: 'theirs', caBundle: PEM } },
  ],
  metrics: [
    {},
    { metrics: { enabled: false, scrapers: SCRAPERS } },
    { metrics: { scrapers: SCRAPERS } },
    { metrics: { scrapers: SCRAPERS, serviceMonitor: { enabled: true, interval: '15s', labels: { team: 'a' } } } },
    { metrics: { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true, labels: { release: 'kube' } } } },
  ],
  policy: [
    {},
    { policy: { enforceTemplates: true, injection: { runAsUser: null, audiences: ['scrapeguard'] } } },
    {
      policy: { breakGlass: [{ kind: 'Group', name: 'oncall' }], rules: { 'metrics-grant': { maximumMode: 'warn' } } },
    },
  ],
  kinds: [{}, { templateKinds: [{ group: 'example.com', resource: 'apps', kind: 'App', path: '/spec/template' }] }],
  bootstrap: [{}, { bootstrapNamespaces: ['calico-system', 'kube-system'] }],
  clients: [{}, { clientCA: PEM }],
  network: [{}, { networkPolicy: { enabled: false } }],
  user: [{}, { runAsUser: null }],
  image: [
    {},
    { image: { tag: 'v1', pullPolicy: 'Always' }, imagePullSecrets: [{ name: 'company' }] },
    { image: { repository: 'example.com/scrapeguard', digest: `sha256:${'0'.repeat(64)}` } },
  ],
  place: [
    {},
    { replicas: 1, priorityClassName: '', drainSeconds: 0, logLevel: 'debug', resources: {} },
    {
      nodeSelector: { pool: 'system' },
      tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      podLabels: { team: 'a' },
      podAnnotations: { note: 'b' },
    },
  ],
};

await ownClusterSuite('settings of the chart, each with each', { needs: ['helm'], controllers: false }, (cluster) => {
  before(async () => {
    await installCustomKinds(cluster);
    await installCustomKinds(cluster, [...CERT_MANAGER_KINDS, PROMETHEUS_RULE]);
    const labels = {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    };
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } };
    assert.equal((await cluster.request('/api/v1/namespaces', { method: 'POST', body })).status, 201);
  });

  for (const row of pairwise(AXES)) {
    const values = Object.entries(row).map(([axis, index]) => AXES[axis]?.[index] ?? {});
    const others = Object.entries(row).filter(([, index]) => index > 0);
    it(others.map(([axis, index]) => `${axis} ${index}`).join(', ') || 'as they come', async () => {
      const { text, error } = await renderText({ values: Object.assign({}, ...values) });
      assert.equal(error, '');
      const { code, stdout, stderr } = await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], { input: text });
      // A warning of Pod Security, or of a field that is not known or deprecated, would be here.
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assert.match(stdout, /deployment\.apps\/scrapeguard created \(server dry run\)/);
    });
  }
});
