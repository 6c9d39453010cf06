import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { decodeReview } from '../../src/admission/decode.ts';
import { type LiveViewParts, liveView } from '../../src/cluster/live-view.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import type { ClusterView } from '../../src/policy/cluster-view.ts';
import { clusterRoleBindingOf } from '../../src/rbac/bindings.ts';
import { grantsOf } from '../../src/rbac/grants.ts';
import type { GrantsIndex } from '../../src/rbac/grants-index.ts';
import { OverlayView } from '../../src/rbac/overlay.ts';
import { clusterRole, clusterRoleBinding, indexOf, role } from '../rbac/objects.ts';
import { type FakeApiServer, startFakeApiServer } from '../support/fake-api-server.ts';
import { type FakeClock, makeClock } from '../support/fake-clock.ts';
import { labelledNamespace, labelledPod } from '../support/label-rule.ts';
import { makeReview } from '../support/validate-review.ts';

const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
const JANE = [{ kind: 'User', name: 'jane' }];
const PROXY = [{ apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] }];
const METRICS = [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }];

interface Asked {
  readonly server: FakeApiServer;
  readonly clock: FakeClock;
  /** What the caches have. */
  readonly index: GrantsIndex;
  readonly ask: (
    object: JsonObject,
    more?: { readonly signal?: AbortSignal; readonly oldObject?: JsonObject },
  ) => Promise<ClusterView>;
}

interface Known {
  readonly objects?: readonly JsonObject[];
  readonly isCurrent?: boolean;
  readonly namespaces?: LiveViewParts['caches']['namespaceLabels'];
}

async function makeView(t: TestContext, { objects = [], isCurrent = true, namespaces }: Known = {}): Promise<Asked> {
  const server = await startFakeApiServer(t);
  const index: GrantsIndex = indexOf(objects);
  const grants = isCurrent ? index : new OverlayView(index, { isCurrent: false });
  const clock = makeClock();
  const viewFor = liveView({
    client: server.client,
    clock,
    version: () => ({ major: 1, minor: 36 }),
    caches: { grants: () => grants, namespaceLabels: namespaces ?? (() => 'not found') },
  });
  return {
    server,
    clock,
    index,
    ask: async (object, { signal = AbortSignal.any([]), ...more } = {}) =>
      viewFor(decodeReview(JSON.stringify(makeReview({ object, ...more }))), signal),
  };
}

/** What a binding of a role to a user would give, by the view: `capability of role`, in order. */
function given({ grants }: ClusterView, roleName: string): readonly string[] | 'unknown' {
  const found = grantsOf(clusterRoleBindingOf(clusterRoleBinding('b', roleName, JANE)), grants);
  return found === 'unknown'
    ? 'unknown'
    : found.grants.map(({ capability, chain }) => `${capability} of ${chain().join(' < ')}`);
}

function listOf(...items: readonly JsonObject[]): JsonObject {
  return { metadata: { resourceVersion: '10' }, items };
}

const selecting = (...labels: readonly string[]) => ({
  selectors: labels.map((label) => ({ matchLabels: { [label]: 'yes' } })),
});
const labelled = (label: string) => ({ labels: { [label]: 'yes' } });

describe('the labels of a namespace', () => {
  const POD = labelledPod({}, { namespace: 'shop' });

  it('come from the cache', async (t) => {
    const { server, ask } = await makeView(t, { namespaces: (name) => ({ name }) });
    const view = await ask(POD);
    assert.deepEqual(view.namespaceLabels('shop'), { name: 'shop' });
    assert.deepEqual(view.namespaceLabels('other'), { name: 'other' });
    assert.equal(server.held(), 0);
  });

  for (const known of ['not found', 'unknown'] as const) {
    it(`are read once for all who wait, when the cache says: ${known}`, async (t) => {
      const { server, ask } = await makeView(t, { namespaces: () => known });
      const both = [ask(POD), ask(POD)];
      const request = await server.next();
      assert.equal(request.path, '/api/v1/namespaces/shop');
      assert.equal(request.query.get('resourceVersion'), null);
      request.answer(labelledNamespace({ enforce: 'off' }));
      for (const view of await Promise.all(both)) {
        assert.deepEqual(view.namespaceLabels('shop'), { 'scrapeguard.io/enforce': 'off' });
        assert.equal(view.namespaceLabels('other'), known);
      }
      assert.equal(server.held(), 0);
    });
  }

  for (const [code, answer] of [
    [404, 'not found'],
    [403, 'unknown'],
    [500, 'unknown'],
  ] as const) {
    it(`are ${answer} when the API server answers ${code}`, async (t) => {
      const { server, ask } = await makeView(t);
      const view = ask(POD);
      (await server.next()).fail(code);
      assert.equal((await view).namespaceLabels('shop'), answer);
    });
  }

  it('are unknown when there is no answer in time, or no time', async (t) => {
    const { server, ask } = await makeView(t);
    const deadline = new AbortController();
    const view = ask(POD, { signal: deadline.signal });
    await server.next();
    deadline.abort();
    assert.equal((await view).namespaceLabels('shop'), 'unknown');
    assert.equal((await ask(POD, { signal: AbortSignal.abort() })).namespaceLabels('shop'), 'unknown');
  });
});

describe('what is fetched for a write of RBAC', () => {
  for (const { name, object } of [
    { name: 'a ClusterRole that gives nothing', object: clusterRole('r', []) },
    {
      name: 'a ClusterRoleBinding to a Role',
      object: { ...clusterRoleBinding('b', 'r', JANE), roleRef: { kind: 'Role', name: 'r' } },
    },
    { name: 'a ClusterRoleBinding to nothing', object: { ...clusterRoleBinding('b', 'r', JANE), roleRef: 7 } },
  ]) {
    it(`${name}: nothing, the caches answer`, async (t) => {
      for (const isCurrent of [true, false]) {
        const { server, ask } = await makeView(t, { objects: [clusterRole('r', PROXY)], isCurrent });
        assert.equal((await ask(object)).grants.isCurrent, isCurrent);
        assert.equal(server.held(), 0);
      }
    });
  }

  for (const { name, object, oldObject } of [
    { name: 'that gives something', object: clusterRole('r', PROXY) },
    { name: 'that aggregates', object: clusterRole('r', [], selecting('a')) },
    { name: 'that gives more', object: clusterRole('r', PROXY), oldObject: clusterRole('r', []) },
    {
      name: 'that gives it elsewhere',
      object: clusterRole('r', PROXY, labelled('a')),
      oldObject: clusterRole('r', PROXY),
    },
  ]) {
    it(`a ClusterRole ${name}: the caches a moment later, which a binding of the moment before has reached`, async (t) => {
      const { server, clock, index, ask } = await makeView(t);
      const view = ask(object, oldObject && { oldObject });
      await clock.expect(250);
      index.upsertClusterRoleBinding(clusterRoleBinding('b', 'r', JANE));
      await clock.pass(250);
      assert.equal([...(await view).grants.clusterRoleBindingsTo('r')].length, 1);
      assert.equal(server.held(), 0);
    });
  }

  it('a ClusterRole that gives what it gave: nothing, and nobody waits', async (t) => {
    const { ask } = await makeView(t);
    const oldObject = clusterRole('r', PROXY);
    assert.equal(
      (await ask({ ...oldObject, metadata: { name: 'r', annotations: {} } }, { oldObject })).grants.isCurrent,
      true,
    );
  });

  it('a ClusterRole without time to wait: the caches as they are', async (t) => {
    const { ask } = await makeView(t, { isCurrent: false });
    assert.equal((await ask(clusterRole('r', PROXY), { signal: AbortSignal.abort() })).grants.isCurrent, false);
  });

  it('a Role in a namespace that is known: nothing', async (t) => {
    const { server, ask } = await makeView(t, { namespaces: () => ({}) });
    await ask(role('shop', 'r', PROXY));
    assert.equal(server.held(), 0);
  });
});

describe('the role of a ClusterRoleBinding', () => {
  const BINDING = clusterRoleBinding('b', 'r/1', JANE);

  for (const isCurrent of [true, false]) {
    it(`is as it is now, whatever a ${isCurrent ? 'current' : 'stale'} cache says`, async (t) => {
      const { server, ask } = await makeView(t, { objects: [clusterRole('r/1', METRICS)], isCurrent });
      const view = ask(BINDING);
      const request = await server.next();
      assert.equal(request.path, `${ROLES}/r%2F1`);
      assert.equal(request.query.get('resourceVersion'), null);
      request.answer(clusterRole('r/1', PROXY));
      assert.deepEqual(given(await view, 'r/1'), ['nodes/proxy of r/1']);
    });

    it(`is known not to be there, whatever a ${isCurrent ? 'current' : 'stale'} cache says`, async (t) => {
      const { server, ask } = await makeView(t, { objects: [clusterRole('r/1', METRICS)], isCurrent });
      const view = ask(BINDING);
      (await server.next()).fail(404);
      const { grants } = await view;
      assert.equal(grants.clusterRole('r/1'), 'not found');
    });
  }

  for (const code of [403, 429, 500, 504]) {
    it(`is unknown when the API server answers ${code}`, async (t) => {
      const { server, ask } = await makeView(t, { objects: [clusterRole('r/1', METRICS)] });
      const view = ask(BINDING);
      (await server.next()).fail(code);
      assert.equal(given(await view, 'r/1'), 'unknown');
    });
  }

  it('is unknown when the connection is lost, or there is no answer in time, or no time', async (t) => {
    const { server, ask } = await makeView(t, { objects: [clusterRole('r/1', METRICS)] });
    const lost = ask(BINDING);
    (await server.next()).reset();
    assert.equal(given(await lost, 'r/1'), 'unknown');
    const deadline = new AbortController();
    const late = ask(BINDING, { signal: deadline.signal });
    const request = await server.next();
    deadline.abort();
    assert.equal(given(await late, 'r/1'), 'unknown');
    await request.closed;
    assert.equal(given(await ask(BINDING, { signal: AbortSignal.abort() }), 'r/1'), 'unknown');
  });
});

describe('the members of an aggregated role that is bound', () => {
  const BINDING = clusterRoleBinding('b', 'all', JANE);

  it('are listed by each selector, transitively, each once', async (t) => {
    const { server, ask } = await makeView(t, { isCurrent: false });
    const view = ask(BINDING);
    (await server.next()).answer(clusterRole('all', [], selecting('a', 'b')));
    const first = await server.next();
    assert.equal(first.path, ROLES);
    assert.equal(first.query.get('labelSelector'), 'a in (yes)');
    first.answer(listOf(clusterRole('part', [], { ...labelled('a'), ...selecting('c', 'a') })));
    const second = await server.next();
    assert.equal(second.query.get('labelSelector'), 'b in (yes)');
    second.answer(listOf(clusterRole('metrics', METRICS, labelled('b'))));
    const third = await server.next();
    assert.equal(third.query.get('labelSelector'), 'c in (yes)');
    third.answer(listOf(clusterRole('proxy', PROXY, labelled('c')), clusterRole('all', [], selecting('a', 'b'))));
    assert.deepEqual(given(await view, 'all'), ['metrics of all < metrics', 'nodes/proxy of all < part < proxy']);
    assert.equal(server.held(), 0);
  });

  it('are asked for as the selector says', async (t) => {
    const { server, ask } = await makeView(t);
    const view = ask(BINDING);
    const matchExpressions = [
      { key: 'x.io/a', operator: 'NotIn', values: ['1', '2'] },
      { key: 'b', operator: 'Exists' },
      { key: 'c', operator: 'DoesNotExist' },
    ];
    (await server.next()).answer(clusterRole('all', [], { selectors: [{ matchExpressions }, {}] }));
    const first = await server.next();
    assert.equal(first.query.get('labelSelector'), 'x.io/a notin (1,2),b,!c');
    first.answer(listOf());
    const second = await server.next();
    assert.equal(second.query.get('labelSelector'), '');
    second.answer(listOf(clusterRole('any', PROXY)));
    assert.deepEqual(given(await view, 'all'), ['nodes/proxy of all < any']);
  });

  it('are no longer what the cache still has', async (t) => {
    const objects = [
      clusterRole('all', [], selecting('a')),
      clusterRole('gone', PROXY, labelled('a')),
      clusterRole('changed', PROXY, labelled('a')),
      clusterRole('through', [], { ...labelled('a'), ...selecting('z') }),
      clusterRole('far', PROXY, labelled('z')),
    ];
    const { server, ask } = await makeView(t, { objects });
    const view = ask(BINDING);
    (await server.next()).answer(clusterRole('all', [], selecting('a')));
    (await server.next()).answer(listOf(clusterRole('changed', METRICS, labelled('a'))));
    assert.deepEqual(given(await view, 'all'), ['metrics of all < changed']);
  });

  it('are unknown when a list of them fails', async (t) => {
    const { server, ask } = await makeView(t, { objects: [clusterRole('all', [], selecting('a'))] });
    const view = ask(BINDING);
    (await server.next()).answer(clusterRole('all', [], selecting('a')));
    (await server.next()).fail(500);
    assert.equal(given(await view, 'all'), 'unknown');
  });

  it('are unknown when there is no end of selectors', async (t) => {
    const { server, ask } = await makeView(t);
    const view = ask(BINDING);
    (await server.next()).answer(clusterRole('all', [], selecting('l0')));
    for (let index = 0; index < 200; index += 1) {
      const member = clusterRole(`r${index}`, [], { ...labelled(`l${index}`), ...selecting(`l${index + 1}`) });
      (await server.next()).answer(listOf(member));
    }
    assert.equal(given(await view, 'all'), 'unknown');
    assert.equal(server.held(), 0);
  });
});
