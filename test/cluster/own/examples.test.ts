import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { homeOf } from '../../../src/admission/judge.ts';
import { asList, asObject, asString, type JsonObject } from '../../../src/kube/json.ts';
import { groupOf, metadataOf, nameOf, refOf } from '../../../src/kube/object.ts';
import { RULES } from '../../../src/rules/index.ts';
import { type Cluster, ensureServiceAccount } from '../../support/cluster-access.ts';
import { verdictOf } from '../../support/cluster-objects.ts';
import type { KeyPair } from '../../../src/tls/source.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { installCustomKinds } from '../../support/crds.ts';
import { type Example, examplesOf } from '../../support/examples.ts';
import { useWebhook } from '../../support/webhook.ts';

const POLICY = `
apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
spec:
  defaults: {enforce: strict, warn: strict, audit: strict}
  clusterScoped: {enforce: strict, warn: strict, audit: strict}
  enforceTemplates: true
`;

/** Kinds in the examples that no API server serves: the files of programs. An example of any other kind is applied. */
const FILES_OF_PROGRAMS: ReadonlySet<string> = new Set([
  'Cluster of kops.k8s.io',
  'ClusterConfiguration of kubeadm.k8s.io',
  'JoinConfiguration of kubeadm.k8s.io',
  'KubeProxyConfiguration of kubeproxy.config.k8s.io',
  'KubeletConfiguration of kubelet.config.k8s.io',
  'a file without a kind',
]);

/** Examples of what check explains and the API server itself refuses, before anybody is asked. */
const REFUSED_AS_INVALID: ReadonlySet<string> = new Set([
  'policies/ineffective-metrics-rule/examples/warned/role-with-a-url.yaml',
  'policies/ineffective-metrics-rule/examples/warned/urls-beside-api-groups.yaml',
]);

/** What must be true of the verdicts on the objects of an example. */
const EXPECTATIONS: Readonly<Record<Example['verdict'], (verdicts: readonly string[], rule: string) => void>> = {
  denied(verdicts, rule) {
    const refusals = new Set(['pods', 'workloads', 'namespaces', 'rbac'].map((entry) => `denied ${entry} ${rule}`));
    assert.ok(
      verdicts.some((verdict) => refusals.has(verdict)),
      verdicts.join('\n'),
    );
  },
  warned(verdicts, rule) {
    assert.ok(verdicts.every(isAccepted), verdicts.join('\n'));
    assert.ok(
      verdicts.some((verdict) => verdict.split(' ').includes(rule)),
      verdicts.join('\n'),
    );
  },
  allowed(verdicts, rule) {
    assert.ok(verdicts.every(isAccepted), verdicts.join('\n'));
    assert.ok(!verdicts.some((verdict) => verdict.split(' ').includes(rule)), verdicts.join('\n'));
  },
};

await ownClusterSuite(
  'policies/*/examples, applied where everything is enforced',
  { controllers: false },
  (cluster) => {
    let writer: KeyPair | undefined;
    before(async () => {
      await installCustomKinds(cluster);
      writer = await makeOrdinaryWriter(cluster);
    });
    useWebhook(cluster, { policy: POLICY, namespaces: 'every' });

    for (const example of RULES.flatMap(({ meta }) => examplesOf(meta.id))) {
      it(example.file, async (t) => {
        const verdicts: string[] = [];
        for (const { object } of example.manifests) {
          const resource = await findResource(cluster, object);
          if (resource === undefined) {
            const kind = kindOf(object);
            assert.ok(FILES_OF_PROGRAMS.has(kind), `${kind} is served by no API server and in no list`);
            t.diagnostic(`skipped: ${kind} is served by no API server`);
          } else {
            assert.ok(writer !== undefined);
            verdicts.push(await apply({ cluster, writer }, resource, object));
            // A binding is judged by the roles that are there.
            if (object['kind'] === 'ClusterRole') {
              t.after(() => cluster.request(pathIn(resource, object), { method: 'DELETE' }));
              await cluster.request(resource, { method: 'POST', body: object });
            }
          }
        }
        if (REFUSED_AS_INVALID.has(example.file)) assert.match(verdicts.join('\n'), /^422 /);
        else if (verdicts.length > 0) EXPECTATIONS[example.verdict](verdicts, example.rule);
      });
    }
  },
);

function isAccepted(verdict: string): boolean {
  return verdict === 'allowed' || verdict.startsWith('warned ');
}

function kindOf(object: JsonObject): string {
  const { apiVersion, kind } = refOf(object);
  return kind === '' ? 'a file without a kind' : `${kind} of ${groupOf(apiVersion)}`;
}

/** Where the API server keeps objects of this kind, with the namespace and its ServiceAccount made; undefined for nowhere. */
async function findResource(cluster: Cluster, object: JsonObject): Promise<string | undefined> {
  const { apiVersion, kind } = refOf(object);
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { resources } = asObject((await cluster.request(group)).body);
  const entry = asList(resources)
    .map((item) => asObject(item))
    .find((item) => item['kind'] === kind && !asString(item['name'])?.includes('/'));
  if (entry === undefined) return undefined;
  if (entry['namespaced'] !== true) return `${group}/${String(entry['name'])}`;
  const namespace = homeOf(object);
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  const { status } = await cluster.request('/api/v1/namespaces', { method: 'POST', body });
  assert.ok(status === 201 || status === 409);
  await ensureServiceAccount(cluster.request, namespace);
  return `${group}/namespaces/${namespace}/${String(entry['name'])}`;
}

/** Who applies an example. */
interface Author {
  readonly cluster: Cluster;
  readonly writer: KeyPair;
}

/** Somebody who may do everything by RBAC and is no administrator of the policy. Made before the webhook can object. */
async function makeOrdinaryWriter(cluster: Cluster): Promise<KeyPair> {
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
  const body = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'test-jane' },
    roleRef,
    subjects,
  };
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
  assert.equal((await cluster.request(path, { method: 'POST', body })).status, 201);
  return cluster.userCertificate('jane');
}

/** Applies without a trace, except for a Pod that gets ephemeral containers: they can only be added to one that is there. */
async function apply({ cluster, writer: as }: Author, collection: string, object: JsonObject): Promise<string> {
  const { ephemeralContainers, ...spec } = asObject(object['spec']);
  if (object['kind'] !== 'Pod' || ephemeralContainers === undefined) {
    return verdictOf(await cluster.request(`${collection}?dryRun=All`, { method: 'POST', body: object, as }));
  }
  assert.equal((await cluster.request(collection, { method: 'POST', body: { ...object, spec } })).status, 201);
  const path = `${pathIn(collection, object)}/ephemeralcontainers?dryRun=All`;
  const contentType = 'application/strategic-merge-patch+json';
  return verdictOf(
    await cluster.request(path, { method: 'PATCH', contentType, body: { spec: { ephemeralContainers } }, as }),
  );
}

function pathIn(collection: string, object: JsonObject): string {
  return `${collection}/${nameOf(metadataOf(object))}`;
}
