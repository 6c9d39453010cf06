import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type ApiClient, ApiError, connect } from '../../../src/cluster/api-client.ts';
import { SYSTEM_CLOCK } from '../../../src/cluster/clock.ts';
import { type ClusterCaches, COLLECTIONS, startCaches } from '../../../src/cluster/cluster-caches.ts';
import { pagesOf } from '../../../src/cluster/paged-list.ts';
import { watchEventOf } from '../../../src/cluster/watch-event.ts';
import type { JsonObject } from '../../../src/kube/json.ts';
import { labelsOf } from '../../../src/kube/object.ts';
import { GrantsIndex } from '../../../src/rbac/grants-index.ts';
import type { GrantsView } from '../../../src/rbac/grants-view.ts';
import { clusterRole, clusterRoleBinding } from '../../rbac/objects.ts';
import { makeKubeconfig } from '../../support/cluster-access.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { startRelay, type Relay } from '../../support/relay.ts';
import { waitUntil } from '../../support/wait-for.ts';

const { clusterroles: ROLES, clusterrolebindings: BINDINGS, namespaces: NAMESPACES } = COLLECTIONS;
const JANE = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' }];
const NONE = AbortSignal.any([]);

await ownClusterSuite('the caches on a real API server', { controllers: false }, (controlPlane) => {
  let relay: Relay | undefined;
  let isCut = false;
  let client: ApiClient | undefined;
  let caches: ClusterCaches | undefined;
  const problems: string[] = [];

  before(async () => {
    relay = await startRelay(() => (isCut ? undefined : Number(new URL(controlPlane.url).port)));
    client = await connect({ kubeconfig: controlPlane.adminKubeconfig });
    await createRoles(client, 0, 1_200);
    caches = startCaches({
      client,
      clock: SYSTEM_CLOCK,
      random: Math.random,
      onList: () => undefined,
      onFailure: () => undefined,
      onProblem: (followed, error) => problems.push(`${followed}: ${String(error)}`),
      onRecovery: (followed) => problems.push(`${followed}: recovered`),
    });
    await waitUntil('the caches to be filled', () => caches?.isSynced() === true);
  });
  after(async () => {
    await caches?.stop();
    await client?.close();
    relay?.stop();
  });

  const use = (): { client: ApiClient; caches: ClusterCaches } => {
    assert.ok(client !== undefined && caches !== undefined);
    return { client, caches };
  };

  it('have what is listed, over several pages', async () => {
    const { client: api, caches: known } = use();
    const { grants, labels } = await listAll(api);
    assert.ok([...grants.clusterRoles()].length > 1_200);
    assert.equal(known.grants().isCurrent, true);
    assert.deepEqual(textOf(known.grants()), textOf(grants));
    for (const [name, of] of labels) assert.deepEqual(known.namespaceLabels(name), of);
  });

  it('follow creations, changes and deletions', async () => {
    const { client: api, caches: known } = use();
    await api.request({ path: ROLES.path, method: 'POST', body: clusterRole('followed', []), signal: NONE });
    const binding = clusterRoleBinding('followed', 'followed', JANE);
    await api.request({ path: BINDINGS.path, method: 'POST', body: binding, signal: NONE });
    await patch(api, `${ROLES.path}/r-7`, { metadata: { labels: { followed: 'yes' } } });
    await api.request({ path: `${ROLES.path}/r-8`, method: 'DELETE', signal: NONE });
    await patch(api, `${NAMESPACES.path}/default`, { metadata: { labels: { followed: 'yes' } } });
    await untilEqual(api, known);
    await waitUntil('the label', () => {
      const labels = known.namespaceLabels('default');
      return typeof labels === 'object' && labels['followed'] === 'yes';
    });
  });

  it('come back when the API server does', async () => {
    const { caches: known } = use();
    await controlPlane.stopApiServer();
    await controlPlane.startApiServer();
    const { client: api } = use();
    await api.request({ path: ROLES.path, method: 'POST', body: clusterRole('after-restart', []), signal: NONE });
    await api.request({ path: `${ROLES.path}/r-9`, method: 'DELETE', signal: NONE });
    await untilEqual(api, known);
    assert.equal(known.grants().isCurrent, true);
  });

  it('understand how the API server says that a version is gone', async () => {
    const { client: api } = use();
    const path = `${ROLES.path}?watch=1&timeoutSeconds=5&resourceVersion=1`;
    // The server has been restarted: it knows nothing of what was before.
    const readFirst = async (): Promise<void> => {
      for await (const line of await api.lines({ path, signal: NONE })) watchEventOf(line, 'ClusterRole');
    };
    await assert.rejects(readFirst, (error) => error instanceof ApiError && error.status === 410);
  });

  it('a server whose every connection is cut is followed again, and nothing deleted meanwhile is left', async () => {
    assert.ok(relay !== undefined);
    const url = `https://127.0.0.1:${relay.port}`;
    const { client: api } = use();
    const kubeconfig = join(controlPlane.directory, 'relayed.kubeconfig');
    const credentials = await controlPlane.userCertificate('relayed', ['system:masters']);
    await writeFile(kubeconfig, makeKubeconfig({ url, ca: controlPlane.authority.cert }, credentials), { mode: 0o600 });
    const relayed = await connect({ kubeconfig });
    const told: string[] = [];
    const followed = startCaches({
      client: relayed,
      clock: SYSTEM_CLOCK,
      random: Math.random,
      onList: () => undefined,
      onFailure: () => undefined,
      onProblem: (resource) => told.push(resource),
      onRecovery: () => undefined,
    });
    try {
      await waitUntil('the caches to be filled', () => followed.isSynced());
      isCut = true;
      relay.cut();
      await waitUntil('every collection to be missed', () => new Set(told).size === 3);
      await api.request({ path: `${ROLES.path}/r-10`, method: 'DELETE', signal: NONE });
      await api.request({ path: ROLES.path, method: 'POST', body: clusterRole('meanwhile', []), signal: NONE });
      assert.equal(typeof followed.grants().clusterRole('r-10'), 'object', 'what was known is known still');
      isCut = false;
      await untilEqual(api, followed);
      assert.equal(told.length, 3, 'one line each');
    } finally {
      await followed.stop();
      await relayed.close();
    }
  });
});

async function createRoles(api: ApiClient, from: number, to: number): Promise<void> {
  for (let next = from; next < to; next += 50) {
    const names = Array.from({ length: 50 }, (_, index) => `r-${next + index}`);
    await Promise.all(
      names.map((name) => api.request({ path: ROLES.path, method: 'POST', body: clusterRole(name, []), signal: NONE })),
    );
  }
}

async function patch(api: ApiClient, path: string, body: JsonObject): Promise<void> {
  await api.request({ path, method: 'PATCH', body, contentType: 'application/merge-patch+json', signal: NONE });
}

async function listAll(api: ApiClient): Promise<{ grants: GrantsIndex; labels: Map<string, JsonObject> }> {
  const grants = new GrantsIndex();
  const labels = new Map<string, JsonObject>();
  for (const object of await listOf(api, ROLES.path)) grants.upsertClusterRole(object);
  for (const object of await listOf(api, BINDINGS.path)) grants.upsertClusterRoleBinding(object);
  for (const object of await listOf(api, NAMESPACES.path)) {
    labels.set(String((object['metadata'] as JsonObject)['name']), labelsOf(object));
  }
  return { grants, labels };
}

async function listOf(api: ApiClient, path: string): Promise<readonly JsonObject[]> {
  const all: JsonObject[] = [];
  for await (const { items } of pagesOf(api, { path }, NONE)) all.push(...items);
  return all;
}

async function untilEqual(api: ApiClient, known: ClusterCaches): Promise<void> {
  await waitUntil('the caches to have what the API server has', async () => {
    const { grants } = await listAll(api);
    return textOf(grants) === textOf(known.grants());
  });
}

/** Everything that a view knows, in an order of its own. */
function textOf(view: GrantsView): string {
  const byName = (one: { name: string }, other: { name: string }): number => (one.name < other.name ? -1 : 1);
  return JSON.stringify([[...view.clusterRoles()].sort(byName), [...view.clusterRoleBindings()].sort(byName)]);
}
