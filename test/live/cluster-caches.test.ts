import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { type ClusterCaches, COLLECTIONS, type Followed, startCaches } from '../../src/cluster/cluster-caches.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { clusterRole, clusterRoleBinding } from '../rbac/objects.ts';
import { type HeldRequest, startFakeApiServer } from '../support/fake-api-server.ts';
import { type FakeClock, makeClock } from '../support/fake-clock.ts';
import { labelledNamespace } from '../support/label-rule.ts';

const JANE = [{ kind: 'User', name: 'jane' }];

const OBJECTS: Readonly<Record<Followed, JsonObject>> = {
  clusterroles: clusterRole('r', []),
  clusterrolebindings: clusterRoleBinding('b', 'r', JANE),
  namespaces: labelledNamespace({ enforce: 'off' }),
};

interface Started {
  readonly caches: ClusterCaches;
  readonly clock: FakeClock;
  /** The next request for each collection. */
  readonly requests: () => Promise<Readonly<Record<Followed, HeldRequest>>>;
  readonly seen: readonly string[];
  readonly problems: readonly string[];
}

async function start(t: TestContext): Promise<Started> {
  const server = await startFakeApiServer(t);
  const clock = makeClock();
  const [seen, problems]: [string[], string[]] = [[], []];
  const caches = startCaches({
    client: server.client,
    clock,
    random: () => 1,
    onList: () => undefined,
    onFailure: () => undefined,
    onProblem: (followed, error) => problems.push(`${followed}: ${String(error)}`),
    onRecovery: (followed) => problems.push(`${followed}: recovered`),
  });
  caches.listen((followed, name) => seen.push(`${followed} ${name}`));
  t.after(() => caches.stop());
  const requests = async (): Promise<Readonly<Record<Followed, HeldRequest>>> => {
    const three = [await server.next(), await server.next(), await server.next()];
    const forPath = (followed: Followed): HeldRequest => {
      const request = three.find(({ path }) => path === COLLECTIONS[followed].path);
      assert.ok(request, `a request for ${followed}`);
      return request;
    };
    return {
      clusterroles: forPath('clusterroles'),
      clusterrolebindings: forPath('clusterrolebindings'),
      namespaces: forPath('namespaces'),
    };
  };
  return { caches, clock, requests, seen, problems };
}

function listOf(...items: readonly JsonObject[]): JsonObject {
  return { metadata: { resourceVersion: '10' }, items };
}

async function startSynced(
  t: TestContext,
): Promise<Started & { readonly watches: Awaited<ReturnType<Started['requests']>> }> {
  const started = await start(t);
  const lists = await started.requests();
  for (const followed of ['clusterroles', 'clusterrolebindings', 'namespaces'] as const) {
    lists[followed].answer(listOf(OBJECTS[followed]));
  }
  return { ...started, watches: await started.requests() };
}

describe('the caches of a cluster', () => {
  it('know nothing before they have been filled', async (t) => {
    const { caches, requests } = await start(t);
    assert.equal(caches.isSynced(), false);
    assert.equal(caches.grants().isCurrent, false);
    assert.equal(caches.grants().clusterRole('r'), 'unknown');
    assert.equal(caches.namespaceLabels('shop'), 'unknown');
    await requests();
  });

  it('have roles, bindings and labels, and tell of each object', async (t) => {
    const { caches, seen, problems } = await startSynced(t);
    assert.equal(caches.isSynced(), true);
    const grants = caches.grants();
    assert.equal(grants.isCurrent, true);
    assert.deepEqual(
      Array.from(grants.clusterRoleBindingsTo('r'), ({ name }) => name),
      ['b'],
    );
    assert.deepEqual(caches.namespaceLabels('shop'), { 'scrapeguard.io/enforce': 'off' });
    assert.equal(caches.namespaceLabels('other'), 'not found');
    assert.deepEqual([...seen].sort(), ['clusterrolebindings b', 'clusterroles r', 'namespaces shop']);
    assert.deepEqual(problems, []);
  });

  for (const missing of ['clusterroles', 'clusterrolebindings', 'namespaces'] as const) {
    it(`are not synced, and say one sentence, while ${missing} may not be listed`, async (t) => {
      const { caches, clock, requests, problems } = await start(t);
      const lists = await requests();
      for (const followed of ['clusterroles', 'clusterrolebindings', 'namespaces'] as const) {
        if (followed === missing) lists[followed].fail(403, 'no');
        else lists[followed].answer(listOf(OBJECTS[followed]));
      }
      await clock.expect(250);
      assert.equal(caches.isSynced(), false);
      assert.deepEqual(problems, [`${missing}: ApiError: no`]);
    });
  }

  it('are current for 90 seconds after the last event', async (t) => {
    const { caches, clock, watches } = await startSynced(t);
    // Every watch is silent: it is ended and all is to be listed again, which nobody answers.
    clock.advance(90_000);
    for (const watch of Object.values(watches)) await watch.closed;
    assert.equal(caches.grants().isCurrent, true);
    assert.deepEqual(caches.namespaceLabels('shop'), { 'scrapeguard.io/enforce': 'off' });
    clock.advance(1);
    assert.equal(caches.grants().isCurrent, false);
    assert.equal(caches.grants().clusterRole('r'), 'unknown');
    assert.equal(caches.namespaceLabels('shop'), 'unknown');
    assert.equal(caches.isSynced(), true, 'readiness does not come and go');
  });

  it('leave nothing open when they are stopped', async (t) => {
    const { caches, clock, watches } = await startSynced(t);
    await caches.stop();
    for (const watch of Object.values(watches)) await watch.closed;
    assert.deepEqual(clock.waiting(), []);
  });
});
