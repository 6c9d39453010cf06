import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { type Reflector, type ReflectorParts, startReflector } from '../../src/cluster/reflector.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { type FakeApiServer, type HeldRequest, startFakeApiServer } from '../support/fake-api-server.ts';
import { type FakeClock, makeClock } from '../support/fake-clock.ts';
import { type FollowedStore, makeStore } from '../support/followed-store.ts';
import { bookmarkAt, errorOf, lineOf, pageOf } from '../support/watch-lines.ts';

const PATH = '/apis/rbac.authorization.k8s.io/v1/clusterroles';

/** The first pause after a failure, and the second one, with the dice that these tests throw. */
const [FIRST, SECOND] = [250, 500];

/** How long a watch may be silent. */
const PATIENCE = 75_000;

interface Following {
  readonly server: FakeApiServer;
  readonly clock: FakeClock;
  readonly store: FollowedStore;
  readonly reflector: Reflector;
  readonly told: string[];
  /** Lists that were complete, and lists and watches that failed. */
  readonly counted: { lists: number; failures: number };
}

async function follow(t: TestContext, parts: Partial<ReflectorParts> = {}): Promise<Following> {
  const server = await startFakeApiServer(t);
  const clock = makeClock();
  const store = makeStore();
  const told: string[] = [];
  const counted = { lists: 0, failures: 0 };
  const reflector = startReflector({
    client: server.client,
    path: PATH,
    kind: 'ClusterRole',
    store,
    clock,
    random: () => 1,
    onList: () => void (counted.lists += 1),
    onFailure: () => void (counted.failures += 1),
    onProblem: (error) => told.push(String(error)),
    onRecovery: () => told.push('recovered'),
    ...parts,
  });
  t.after(() => reflector.stop());
  return { server, clock, store, reflector, told, counted };
}

/** Follows, has two roles listed at version 10, and gives the watch that begins there. */
async function followTwo(t: TestContext): Promise<Following & { readonly watch: HeldRequest }> {
  const following = await follow(t);
  (await nextList(following)).answer(pageOf('10', ['a@3', 'b@7']));
  const watch = await nextWatch(following, '10');
  return { ...following, watch };
}

async function nextList({ server }: Following): Promise<HeldRequest> {
  const request = await server.next();
  assert.equal(request.path, PATH);
  assert.equal(request.query.get('watch'), null, 'a list');
  assert.equal(request.query.get('limit'), '500');
  assert.equal(request.query.get('resourceVersion'), null, 'as new as the moment');
  return request;
}

async function nextWatch({ server }: Following, from: string): Promise<HeldRequest> {
  const request = await server.next();
  assert.equal(request.query.get('watch'), '1', 'a watch');
  assert.equal(request.query.get('allowWatchBookmarks'), 'true');
  assert.equal(request.query.get('timeoutSeconds'), '60');
  assert.equal(request.query.get('resourceVersion'), from);
  return request;
}

/** Settles as soon as it is so; the events of this process are let happen meanwhile. */
async function eventually(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !isSo(); turn += 1) await new Promise(setImmediate);
  assert.ok(isSo());
}

describe('a reflector', () => {
  it('lists page by page, then watches from there', async (t) => {
    const following = await follow(t);
    const { store, reflector } = following;
    const first = await nextList(following);
    assert.equal(first.query.get('continue'), null);
    first.answer(pageOf('10', ['a@3'], 'more'));
    const second = await nextList(following);
    assert.equal(second.query.get('continue'), 'more');
    assert.equal(reflector.isSynced(), false, 'half a list is none');
    assert.equal(reflector.age(), Infinity);
    second.answer(pageOf('10', ['b@7']));
    const watch = await nextWatch(following, '10');
    assert.equal(reflector.isSynced(), true, 'before the watch has answered');
    assert.deepEqual(store.content(), ['a@3', 'b@7']);
    watch.send(lineOf('ADDED', 'c@11'), lineOf('MODIFIED', 'a@12'), lineOf('DELETED', 'b@13'));
    await store.becomes('a@12', 'c@11');
  });

  it('gives the objects of a list and of a watch in the same shape', async (t) => {
    const { store, watch } = await followTwo(t);
    watch.send(lineOf('MODIFIED', 'a@11'));
    await store.becomes('a@11', 'b@7');
    const [listed] = store.upserts;
    assert.deepEqual(listed, { metadata: { name: 'a', resourceVersion: '3' }, rules: [] });
    assert.deepEqual(store.upserts[2], lineOf('MODIFIED', 'a@11')['object']);
  });

  it('takes 130,000 objects in one page', async (t) => {
    const following = await follow(t, {
      store: { upsert: () => void (taken += 1), delete: () => undefined, names: () => [] },
    });
    let taken = 0;
    const items = Array.from({ length: 130_000 }, (_, index) => `r${index}@1`);
    (await nextList(following)).answer(pageOf('10', items));
    await nextWatch(following, '10');
    assert.equal(taken, 130_000);
  });

  it('uses one connection for many requests', async (t) => {
    const following = await follow(t);
    for (let page = 1; page <= 100; page += 1) {
      (await nextList(following)).answer(pageOf('10', [`r${page}@1`], page === 100 ? '' : 'more'));
    }
    await nextWatch(following, '10');
    assert.ok((await following.server.connections()) <= 2);
  });

  it('is as old as the last event or bookmark, and goes on from there when the server ends the watch', async (t) => {
    const following = await followTwo(t);
    const { clock, reflector, store, watch } = following;
    clock.advance(40_000);
    assert.equal(reflector.age(), 40_000);
    watch.send(lineOf('ADDED', 'c@11'));
    await store.becomes('a@3', 'b@7', 'c@11');
    assert.equal(reflector.age(), 0);
    clock.advance(60_000);
    watch.send(bookmarkAt('900'));
    watch.end();
    await nextWatch(following, '900');
    assert.equal(reflector.age(), 0, 'a bookmark counts');
    assert.deepEqual(store.history.at(-1), store.content(), 'nothing is listed again');
  });

  it('is as old as the last watch that was taken, for a quiet one is told nothing', async (t) => {
    const following = await followTwo(t);
    const { clock, reflector } = following;
    let watch = following.watch;
    for (let minute = 0; minute < 5; minute += 1) {
      clock.advance(1_000);
      watch.open();
      await eventually(() => reflector.age() === 0);
      clock.advance(60_000);
      assert.equal(reflector.age(), 60_000);
      watch.end();
      watch = await nextWatch(following, '10');
    }
    assert.deepEqual(following.told, []);
  });

  it('pauses when a server ends each watch at once', async (t) => {
    const following = await followTwo(t);
    following.watch.open();
    following.watch.end();
    await following.clock.pass(FIRST);
    const again = await nextWatch(following, '10');
    again.open();
    again.end();
    await following.clock.pass(SECOND);
    await nextWatch(following, '10');
  });
});

interface Break {
  readonly name: string;
  readonly act: (watch: HeldRequest) => void;
}

const LIES: readonly Break[] = [
  { name: 'a garbage line', act: (watch) => watch.send('{"type":"ADD\n') },
  { name: 'a line that is no object', act: (watch) => watch.send('7\n') },
  { name: 'an event without an object', act: (watch) => watch.send({ type: 'ADDED' }) },
  { name: 'an unknown type', act: (watch) => watch.send(lineOf('RENAMED', 'a@11')) },
  { name: 'an object of another kind', act: (watch) => watch.send(lineOf('ADDED', 'x@11', { kind: 'Role' })) },
  { name: 'an object without a name', act: (watch) => watch.send(lineOf('ADDED', '@11')) },
  { name: 'an object without a version', act: (watch) => watch.send(lineOf('ADDED', 'x')) },
  { name: 'a version that is no number', act: (watch) => watch.send(lineOf('ADDED', 'x@0x11')) },
  { name: 'an event from before the list', act: (watch) => watch.send(lineOf('MODIFIED', 'a@9')) },
  { name: 'the same event twice', act: (watch) => watch.send(lineOf('ADDED', 'c@11'), lineOf('ADDED', 'c@11')) },
  { name: 'events out of order', act: (watch) => watch.send(lineOf('ADDED', 'c@100'), lineOf('ADDED', 'd@99')) },
  { name: 'a bookmark that goes back', act: (watch) => watch.send(bookmarkAt('9')) },
  {
    name: 'a line cut short',
    act(watch) {
      watch.send(JSON.stringify(lineOf('ADDED', 'c@11')).slice(0, -5));
      watch.end();
    },
  },
];

/** After these nothing says what was missed, but what is known was right. */
const ERRORS: readonly Break[] = [
  { name: 'an ERROR event: the version is gone', act: (watch) => watch.send(errorOf(410)) },
  { name: 'an ERROR event of another kind', act: (watch) => watch.send(errorOf(500)) },
  { name: 'a watch that is refused: 410', act: (watch) => watch.fail(410) },
  { name: 'a watch that is refused: 401', act: (watch) => watch.fail(401) },
  { name: 'a watch that is refused: 403', act: (watch) => watch.fail(403) },
  { name: 'a watch that is refused: 500', act: (watch) => watch.fail(500) },
];

describe('a watch that lies', () => {
  for (const { name, act } of LIES) {
    it(`${name}: nothing is believed until all is listed again`, async (t) => {
      const following = await followTwo(t);
      const { clock, reflector, store, watch, told } = following;
      act(watch);
      await watch.closed;
      await clock.pass(FIRST);
      const list = await nextList(following);
      assert.equal(reflector.age(), Infinity);
      assert.equal(reflector.isSynced(), true);
      assert.equal(told.length, 1);
      const before = store.history.length;
      list.answer(pageOf('20', ['a@3', 'e@15']));
      await nextWatch(following, '20');
      assert.deepEqual(store.content(), ['a@3', 'e@15'], 'what is gone is gone');
      const meanwhile = store.history.slice(before);
      assert.ok(
        meanwhile.every((content) => content.includes('a@3')),
        'it is never empty meanwhile',
      );
      assert.equal(reflector.age(), 0);
    });
  }
});

describe('a watch that fails', () => {
  for (const { name, act } of ERRORS) {
    it(`${name}: all is listed again, and what is known holds meanwhile`, async (t) => {
      const following = await followTwo(t);
      act(following.watch);
      await following.clock.pass(FIRST);
      const list = await nextList(following);
      assert.equal(following.reflector.age(), FIRST);
      list.answer(pageOf('20', ['e@15']));
      await nextWatch(following, '20');
      assert.deepEqual(following.store.content(), ['e@15']);
    });
  }

  it('goes on from the last event when the connection is reset, and lists when that happens again', async (t) => {
    const following = await followTwo(t);
    following.watch.send(lineOf('ADDED', 'c@11'), '{"type":');
    await following.store.becomes('a@3', 'b@7', 'c@11');
    following.watch.reset();
    await following.clock.pass(FIRST);
    (await nextWatch(following, '11')).reset();
    assert.deepEqual(following.told, [], 'a connection that is lost once is no problem');
    await following.clock.pass(SECOND);
    (await nextList(following)).answer(pageOf('20', []));
    await nextWatch(following, '20');
    assert.equal(following.told.length, 1);
  });

  it('is counted, and so is each list', async (t) => {
    const following = await followTwo(t);
    assert.deepEqual(following.counted, { lists: 1, failures: 0 });
    following.watch.fail(500);
    await following.clock.pass(FIRST);
    (await nextList(following)).fail(503);
    await following.clock.pass(SECOND);
    (await nextList(following)).answer(pageOf('20', []));
    (await nextWatch(following, '20')).end();
    await following.clock.pass(1_000);
    await nextWatch(following, '20');
    assert.deepEqual(following.counted, { lists: 2, failures: 3 });
  });

  it('notices silence: a connection that neither speaks nor ends', async (t) => {
    const following = await followTwo(t);
    const { clock, reflector, watch } = following;
    watch.send(lineOf('ADDED', 'c@11'));
    await following.store.becomes('a@3', 'b@7', 'c@11');
    clock.advance(PATIENCE - 1);
    assert.equal(following.server.held(), 0);
    clock.advance(1);
    await watch.closed;
    await clock.pass(FIRST);
    const again = await nextWatch(following, '11');
    assert.equal(reflector.age(), PATIENCE + FIRST, 'sooner than a cache counts as stale');
    again.open();
    await eventually(() => reflector.age() === 0);
    assert.deepEqual(following.told, []);
  });

  it('notices a watch that is never answered', async (t) => {
    const following = await followTwo(t);
    following.clock.advance(PATIENCE);
    await following.watch.closed;
    await following.clock.pass(FIRST);
    await nextWatch(following, '10');
  });

  it('waits longer each time, ten seconds at most, and briefly again after a success', async (t) => {
    const following = await followTwo(t);
    following.watch.fail(500);
    for (const milliseconds of [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      await following.clock.pass(milliseconds);
      (await nextList(following)).fail(503);
    }
    await following.clock.pass(10_000);
    (await nextList(following)).answer(pageOf('20', ['a@3', 'b@7']));
    const watch = await nextWatch(following, '20');
    watch.send(lineOf('ADDED', 'c@21'));
    await following.store.becomes('a@3', 'b@7', 'c@21');
    watch.send(errorOf(410));
    await following.clock.pass(FIRST);
    await nextList(following);
  });
});

const BROKEN_LISTS: readonly { readonly name: string; readonly body: JsonObject }[] = [
  { name: 'nothing', body: {} },
  { name: 'no version', body: { metadata: {}, items: [] } },
  { name: 'no items', body: { metadata: { resourceVersion: '10' } } },
  { name: 'items that are no objects', body: { metadata: { resourceVersion: '10' }, items: ['a'] } },
  { name: 'an object without a name', body: { metadata: { resourceVersion: '10' }, items: [{}] } },
];

describe('a list that fails', () => {
  it('is tried again, told once, and nothing counts as known', async (t) => {
    const following = await follow(t);
    for (const milliseconds of [250, 500, 1_000]) {
      (await nextList(following)).fail(403, 'clusterroles is forbidden');
      await following.clock.pass(milliseconds);
      assert.equal(following.reflector.isSynced(), false);
    }
    assert.deepEqual(following.told, ['ApiError: clusterroles is forbidden']);
    (await nextList(following)).answer(pageOf('10', ['a@3']));
    const watch = await nextWatch(following, '10');
    watch.send(bookmarkAt('11'));
    watch.end();
    await nextWatch(following, '11');
    assert.deepEqual(following.told.slice(1), ['recovered']);
  });

  for (const { name, body } of BROKEN_LISTS) {
    it(`${name}: is tried again`, async (t) => {
      const following = await follow(t);
      (await nextList(following)).answer(body);
      await following.clock.pass(FIRST);
      (await nextList(following)).answer(pageOf('10', ['a@3']));
      await nextWatch(following, '10');
      assert.deepEqual(following.store.content(), ['a@3']);
    });
  }

  it('begins anew when the version of its pages is gone, or is another one', async (t) => {
    const following = await follow(t);
    (await nextList(following)).answer(pageOf('10', ['a@3'], 'more'));
    (await nextList(following)).fail(410);
    await following.clock.pass(FIRST);
    (await nextList(following)).answer(pageOf('12', ['a@3'], 'more'));
    (await nextList(following)).answer(pageOf('13', ['b@3']));
    await following.clock.pass(SECOND);
    const list = await nextList(following);
    assert.equal(list.query.get('continue'), null);
    assert.equal(following.reflector.isSynced(), false);
    list.answer(pageOf('14', ['b@3']));
    await nextWatch(following, '14');
    assert.deepEqual(following.store.content(), ['b@3'], 'what a list that failed had brought is gone');
  });

  it('keeps what is known when a later list breaks off half way', async (t) => {
    const following = await followTwo(t);
    following.watch.send(errorOf(410));
    await following.clock.pass(FIRST);
    (await nextList(following)).answer(pageOf('20', ['b@15'], 'more'));
    (await nextList(following)).reset();
    await following.clock.pass(SECOND);
    assert.deepEqual(following.store.content(), ['a@3', 'b@15']);
    await nextList(following);
  });

  it('notices a list that is never answered', async (t) => {
    const following = await follow(t);
    const list = await nextList(following);
    following.clock.advance(PATIENCE);
    await list.closed;
    await following.clock.pass(FIRST);
    await nextList(following);
    assert.match(following.told.join(), /^SilenceError/);
  });
});

describe('a reflector that is stopped', () => {
  it('asks nothing more and takes nothing more, while it watches', async (t) => {
    const following = await followTwo(t);
    following.watch.send(lineOf('ADDED', 'c@11'));
    await following.store.becomes('a@3', 'b@7', 'c@11');
    const stopped = following.reflector.stop();
    following.watch.send(lineOf('ADDED', 'd@12'));
    await stopped;
    await following.watch.closed;
    assert.deepEqual(following.store.content(), ['a@3', 'b@7', 'c@11']);
    assert.deepEqual(following.clock.waiting(), [], 'no timer is left');
  });

  it('asks nothing more, while it pauses', async (t) => {
    const following = await followTwo(t);
    following.watch.fail(500);
    await following.clock.expect(FIRST);
    await following.reflector.stop();
    following.clock.advance(1_000_000);
    assert.equal(following.server.held(), 0);
    assert.deepEqual(following.clock.waiting(), []);
  });

  it('asks nothing more, while it lists', async (t) => {
    const following = await follow(t);
    const list = await nextList(following);
    const stopped = following.reflector.stop();
    await list.closed;
    await stopped;
    await following.reflector.stop();
    assert.equal(following.reflector.isSynced(), false);
    assert.deepEqual(following.clock.waiting(), []);
  });
});

describe('what goes wrong on our own side', () => {
  it('credentials that cannot be read: told, and tried again', async (t) => {
    const broken: ReflectorParts['client'] = {
      request: () => Promise.reject(new Error('the token file is gone')),
      lines: () => Promise.reject(new Error('the token file is gone')),
      close: () => Promise.resolve(),
    };
    const following = await follow(t, { client: broken });
    await following.clock.pass(FIRST);
    await following.clock.pass(SECOND);
    assert.deepEqual(following.told, ['Error: the token file is gone']);
    assert.equal(following.reflector.isSynced(), false);
  });

  it('a store that throws: told, and listed again', async (t) => {
    const store = makeStore();
    let isBroken = true;
    const following = await follow(t, {
      store: {
        ...store,
        upsert(object) {
          if (isBroken) throw new TypeError('a bug');
          store.upsert(object);
        },
      },
    });
    (await nextList(following)).answer(pageOf('10', ['a@3']));
    await following.clock.pass(FIRST);
    assert.deepEqual(following.told, ['TypeError: a bug']);
    isBroken = false;
    (await nextList(following)).answer(pageOf('10', ['a@3']));
    await store.becomes('a@3');
  });
});
