import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { asObject, type JsonObject } from '../../src/kube/json.ts';
import { RESOURCES, type ResourceName } from '../../src/kube/resources.ts';
import { TEMPLATE_KINDS } from '../../src/kube/templates.ts';
import type { Target } from '../../src/policy/rule.ts';
import { RULES } from '../../src/rules/index.ts';
import { EXPOSES, makePod, makePodSpec, makeService, verdictOf } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { installCustomKinds } from '../support/crds.ts';
import { useWebhook } from '../support/webhook.ts';

const POLICY = `
apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
spec:
  defaults: {enforce: strict, warn: strict, audit: strict}
  clusterScoped: {enforce: strict, warn: strict, audit: strict}
  enforceTemplates: true
`;

/** An object of a kind that rules judge, and what becomes of it. */
interface Row {
  readonly apiVersion: string;
  readonly object: JsonObject;
  readonly verdict: string;
}

const PORT = 'kubelet-read-only-port';
const selector = { matchLabels: { app: 'node-agent' } };

/** By the names of src/kube/resources.ts. */
const ROWS: Readonly<Partial<Record<ResourceName, Row>>> = {
  pods: { apiVersion: 'v1', object: makePod('bad', EXPOSES), verdict: `denied pods ${PORT}` },
  services: {
    apiVersion: 'v1',
    object: makeService('bad', { port: 80, targetPort: 10255 }),
    verdict: `denied workloads ${PORT}`,
  },
  endpoints: {
    apiVersion: 'v1',
    object: { subsets: [{ addresses: [{ ip: '192.0.2.11' }], ports: [{ port: 10255 }] }] },
    verdict: `denied workloads ${PORT}`,
  },
  endpointslices: {
    apiVersion: 'discovery.k8s.io/v1',
    object: { addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.11'] }], ports: [{ name: '', port: 10255 }] },
    verdict: `denied workloads ${PORT}`,
  },
  configmaps: {
    apiVersion: 'v1',
    object: { metadata: { name: 'kubelet-config' }, data: { kubelet: 'readOnlyPort: 10255\nauthentication: {}\n' } },
    verdict: 'warned kubelet-configuration',
  },
  servicemonitors: {
    apiVersion: 'monitoring.coreos.com/v1',
    object: { spec: { selector, endpoints: [{ targetPort: 10255 }] } },
    verdict: `denied workloads ${PORT}-client`,
  },
  podmonitors: {
    apiVersion: 'monitoring.coreos.com/v1',
    object: { spec: { selector, podMetricsEndpoints: [{ portNumber: 10255 }] } },
    verdict: `denied workloads ${PORT}-client`,
  },
  scrapeconfigs: {
    apiVersion: 'monitoring.coreos.com/v1alpha1',
    object: { spec: { staticConfigs: [{ targets: ['192.0.2.11:10255'] }] } },
    verdict: `denied workloads ${PORT}-client`,
  },
};

/** What a kind with a pod template needs besides the template, and the version of its group. */
const TEMPLATE_OWNERS: Readonly<Record<string, { readonly version: string; readonly spec?: JsonObject }>> = {
  Deployment: { version: 'v1', spec: { selector } },
  StatefulSet: { version: 'v1', spec: { selector, serviceName: 'node-agent' } },
  DaemonSet: { version: 'v1', spec: { selector } },
  ReplicaSet: { version: 'v1', spec: { selector } },
  ReplicationController: { version: 'v1' },
  PodTemplate: { version: 'v1' },
  Job: { version: 'v1' },
  CronJob: { version: 'v1', spec: { schedule: '0 3 * * *' } },
  Rollout: { version: 'v1alpha1', spec: { selector } },
};

await clusterSuite('each kind that rules judge reaches them', {}, (cluster) => {
  before(() => installCustomKinds(cluster));
  const webhook = useWebhook(cluster, { policy: POLICY });

  const create = async (apiVersion: string, resource: string, object: JsonObject): Promise<string> => {
    const namespace = await webhook().createNamespace();
    const group = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
    const path = `/${group}/namespaces/${namespace}/${resource}?dryRun=All`;
    return verdictOf(await cluster.request(path, { method: 'POST', body: { apiVersion, ...object } }));
  };

  it('has a row here for each target of a rule', () => {
    const targets = new Set(RULES.flatMap(({ meta }) => meta.targets).filter((target) => !isAboutGrants(target)));
    assert.deepEqual([...targets].sort(), [...Object.keys(ROWS), 'templates'].sort());
    assert.deepEqual(
      TEMPLATE_KINDS.map(({ kind }) => kind),
      Object.keys(TEMPLATE_OWNERS),
    );
  });

  for (const { resource, kind } of Object.values(RESOURCES)) {
    const row = ROWS[resource];
    if (row === undefined) continue;
    const { apiVersion, object, verdict } = row;
    it(`${kind}: ${verdict}`, async () => {
      assert.equal(await create(apiVersion, resource, { kind, metadata: { name: 'bad' }, ...object }), verdict);
    });
  }

  for (const { group, resource, kind, path } of TEMPLATE_KINDS) {
    it(`${kind}: its pod template`, async () => {
      const { version = '', spec = {} } = TEMPLATE_OWNERS[kind] ?? {};
      const isJob = resource.endsWith('jobs');
      const podSpec = makePodSpec(EXPOSES, isJob ? { restartPolicy: 'Never' } : {});
      const template = { metadata: { labels: selector.matchLabels }, spec: podSpec };
      const owner = { kind, metadata: { name: 'bad' }, ...withTemplate(path, spec, template) };
      const apiVersion = group === '' ? version : `${group}/${version}`;
      assert.equal(await create(apiVersion, resource, owner), `denied workloads ${PORT}`);
    });
  }
});

/** Roles, bindings and namespaces are judged by what else is in the cluster, and have suites of their own. */
function isAboutGrants(target: Target): boolean {
  if (target === 'templates') return false;
  const { group, scope } = RESOURCES[target];
  return group === 'rbac.authorization.k8s.io' || scope === 'Cluster';
}

/** An object with a template at a path such as /spec/template, and the rest of its spec if it has one. */
function withTemplate(path: string, spec: JsonObject, template: JsonObject): JsonObject {
  const nested = path
    .split('/')
    .slice(1)
    .reduceRight((inner: JsonObject, token) => ({ [token]: inner }), template);
  return Object.hasOwn(nested, 'spec') ? { spec: { ...spec, ...asObject(nested['spec']) } } : nested;
}
