import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { before, it } from 'node:test';
import { manifestPath } from '../../../scripts/plain-manifests.ts';
import { asList, asObject, asStrings, type JsonObject } from '../../../src/kube/json.ts';
import { requestApi } from '../../support/api-request.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import type { ControlPlane } from '../../support/control-plane.ts';
import { findFreePorts } from '../../support/free-ports.ts';
import { startGuard } from '../../support/guard.ts';
import { installedArguments, NAMESPACE } from '../../support/installed-servers.ts';
import { launchServer, type ServerProcess, startServer } from '../../support/server-process.ts';
import { waitUntil } from '../../support/wait-for.ts';
import { apply } from '../../support/webhook-registration.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const ROLES = {
  ClusterRole: `${RBAC}/clusterroles/scrapeguard`,
  Role: `${RBAC}/namespaces/${NAMESPACE}/roles/scrapeguard`,
} as const;
const SECRET = `/api/v1/namespaces/${NAMESPACE}/secrets/scrapeguard-certificates`;
const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/scrapeguard-certificates`;
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

/** One thing that the ServiceAccount may do, a request that shows whether it still may, and what the server says without. */
type Right = {
  readonly role: keyof typeof ROLES;
  readonly resource: string;
  readonly probe: string;
  readonly complaint: RegExp;
};

const FOLLOWED = (resource: string): RegExp => new RegExp(`may not read ${resource}`);
const NEEDED = (resource: string): RegExp => new RegExp(`There is no certificate: ${resource}\\b.* is forbidden`);

/** Rights that are missed whatever the Secret holds. */
const TO_FOLLOW: readonly Right[] = [
  {
    role: 'ClusterRole',
    resource: 'clusterroles',
    probe: `${RBAC}/clusterroles`,
    complaint: FOLLOWED('clusterroles'),
  },
  {
    role: 'ClusterRole',
    resource: 'clusterrolebindings',
    probe: `${RBAC}/clusterrolebindings`,
    complaint: FOLLOWED('clusterrolebindings'),
  },
  { role: 'ClusterRole', resource: 'namespaces', probe: '/api/v1/namespaces', complaint: FOLLOWED('namespaces') },
];

/** Rights that are missed when there is no certificate yet. */
const TO_CERTIFY: readonly Right[] = [
  {
    role: 'ClusterRole',
    resource: 'validatingwebhookconfigurations',
    probe: `${ADMISSION}/validatingwebhookconfigurations/scrapeguard`,
    complaint: NEEDED('validatingwebhookconfigurations'),
  },
  {
    role: 'ClusterRole',
    resource: 'mutatingwebhookconfigurations',
    probe: `${ADMISSION}/mutatingwebhookconfigurations/scrapeguard`,
    complaint: NEEDED('mutatingwebhookconfigurations'),
  },
  { role: 'Role', resource: 'secrets', probe: SECRET, complaint: NEEDED('secrets') },
  {
    role: 'Role',
    resource: 'leases',
    probe: LEASE,
    complaint: NEEDED('leases'),
  },
];

/** Rights to ask about those who scrape: a server that may not, answers them 503 and says nothing. */
const REVIEWS = ['tokenreviews', 'subjectaccessreviews'];

await ownClusterSuite('each permission of an installation', { controllers: false }, (cluster) => {
  before(async () => {
    const file = fileURLToPath(new URL(`../../../${manifestPath('audit')}`, import.meta.url));
    const { code, stderr } = await cluster.kubectl(['apply', '-f', file]);
    assert.equal(code, 0, stderr);
    const scraper = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'scraper' } };
    await apply(cluster, `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, scraper);
    await apply(cluster, `${RBAC}/clusterrolebindings`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'scraper' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'scrapeguard-metrics-reader' },
      subjects: [{ kind: 'ServiceAccount', namespace: NAMESPACE, name: 'scraper' }],
    });
  });

  it('has a row here', async () => {
    const granted = new Set<string>();
    for (const path of Object.values(ROLES)) {
      for (const rule of await rulesOf(cluster, path)) {
        for (const resource of asStrings(rule['resources'])) granted.add(resource);
      }
    }
    assert.deepEqual(granted, new Set([...[...TO_FOLLOW, ...TO_CERTIFY].map(({ resource }) => resource), ...REVIEWS]));
  });

  for (const right of TO_FOLLOW) missing(cluster, right, { secret: 'as it is' });

  it('with all of them a server is ready, and knows who may see its metrics', async () => {
    await freeLease(cluster);
    const guard = await startGuard();
    const args = await installedArguments(cluster, guard);
    const server = await startServer(guard, { name: 'server', args });
    assert.equal(await scrape(cluster, server), 200);
    assert.doesNotMatch(JSON.stringify(await server.log()), /forbidden|may not read/);
    await guard.end();
  });

  for (const resource of REVIEWS) {
    it(`without ${resource} nobody sees the metrics of a server`, async () => {
      const original = await rulesOf(cluster, ROLES.ClusterRole);
      await setRules(cluster, ROLES.ClusterRole, without(original, resource));
      await freeLease(cluster);
      const guard = await startGuard();
      const server = await startServer(guard, { name: 'server', args: await installedArguments(cluster, guard) });
      await waitUntil('nobody to be let in', async () => (await scrape(cluster, server)) === 503);
      await guard.end();
      await setRules(cluster, ROLES.ClusterRole, original);
    });
  }

  for (const right of TO_CERTIFY) missing(cluster, right, { secret: 'empty' });
});

/** A test that a server without a right is not ready, and says why. */
function missing(
  cluster: ControlPlane,
  { role, resource, probe, complaint }: Right,
  { secret }: { readonly secret: 'as it is' | 'empty' },
): void {
  it(`without ${resource} a server is not ready, and says why`, async () => {
    const original = await rulesOf(cluster, ROLES[role]);
    await setRules(cluster, ROLES[role], without(original, resource));
    await freeLease(cluster);
    if (secret === 'empty') await emptySecret(cluster);
    const as = { token: await cluster.serviceAccountToken(NAMESPACE, 'scrapeguard') };
    await waitUntil('the right to be gone', async () => (await cluster.request(probe, { as })).status === 403);
    const guard = await startGuard();
    const args = await installedArguments(cluster, guard);
    const [port = 0, metricsPort = 0] = await findFreePorts(2);
    const { logFile } = await launchServer({ port, metricsPort }, guard, { name: 'server', args });
    await waitUntil(`a complaint like ${String(complaint)}`, async () => {
      return complaint.test(await readFile(logFile, 'utf8'));
    });
    const answer = requestApi({ url: `https://127.0.0.1:${port}` }, 'anonymous', '/readyz');
    assert.notEqual(await answer.then(({ status }) => status).catch(() => 'nobody answers'), 200);
    await guard.end();
    await setRules(cluster, ROLES[role], original);
  });
}

/** What somebody who may see everything is answered; each time somebody else, for answers are remembered a while. */
async function scrape(cluster: ControlPlane, { metricsPort }: ServerProcess): Promise<number> {
  const token = await cluster.serviceAccountToken(NAMESPACE, 'scraper');
  return (await requestApi({ url: `https://127.0.0.1:${metricsPort}` }, { token }, '/metrics')).status;
}

async function rulesOf(cluster: ControlPlane, path: string): Promise<readonly JsonObject[]> {
  return asList(asObject((await cluster.request(path)).body)['rules']).map(asObject);
}

function without(rules: readonly JsonObject[], resource: string): readonly JsonObject[] {
  return rules
    .map((rule) => ({ ...rule, resources: asStrings(rule['resources']).filter((each) => each !== resource) }))
    .filter(({ resources }) => resources.length > 0);
}

async function setRules(cluster: ControlPlane, path: string, rules: readonly JsonObject[]): Promise<void> {
  await change(cluster, path, { rules });
}

/** As it is installed: no certificate yet. The next one waits until every API server believes it beside the one before. */
async function emptySecret(cluster: ControlPlane): Promise<void> {
  await change(cluster, SECRET, { data: null });
}

/** A server that was killed has given nothing back. */
async function freeLease(cluster: ControlPlane): Promise<void> {
  await change(cluster, LEASE, { spec: null });
}

async function change(cluster: ControlPlane, path: string, body: JsonObject): Promise<void> {
  const contentType = 'application/merge-patch+json';
  assert.equal((await cluster.request(path, { method: 'PATCH', contentType, body })).status, 200, path);
}
