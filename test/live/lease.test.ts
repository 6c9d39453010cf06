import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { makeLease, type Lease } from '../../src/cluster/lease.ts';
import { asObject, type JsonObject } from '../../src/kube/json.ts';
import { makeObjectStore, type ObjectStore } from '../support/object-store.ts';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/n/leases/l';
const { signal } = new AbortController();

interface World {
  readonly store: ObjectStore;
  /** Milliseconds that have passed for everybody. */
  elapsed: number;
  readonly replica: (identity: string, skewMs?: number) => Lease;
  readonly spec: () => JsonObject;
}

function makeWorld(): World {
  const store = makeObjectStore();
  const world: World = {
    store,
    elapsed: 0,
    replica: (identity, skewMs = 0) =>
      makeLease(store.client, {
        namespace: 'n',
        name: 'l',
        identity,
        seconds: 30,
        now: () => new Date(Date.parse('2026-01-01T00:00:00Z') + world.elapsed + skewMs),
        elapsed: () => world.elapsed,
      }),
    spec: () => asObject(store.get(PATH)?.['spec']),
  };
  return world;
}

describe('a lease', () => {
  it('is made by the first, with six digits of a second, and held by it alone', async () => {
    const world = makeWorld();
    const [a, b] = [world.replica('a'), world.replica('b')];
    assert.equal(a.isHeld(), false);
    assert.deepEqual([await a.hold(signal), await b.hold(signal)], [true, false]);
    assert.deepEqual([a.isHeld(), b.isHeld()], [true, false]);
    assert.deepEqual(world.spec(), {
      holderIdentity: 'a',
      leaseDurationSeconds: 30,
      renewTime: '2026-01-01T00:00:00.000000Z',
      acquireTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
  });

  it('is renewed and stays with its holder, however long', async () => {
    const world = makeWorld();
    const [a, b] = [world.replica('a'), world.replica('b')];
    for (let turn = 0; turn < 20; turn += 1) {
      assert.deepEqual([await a.hold(signal), await b.hold(signal)], [true, false]);
      world.elapsed += 10_000;
    }
    assert.equal(world.spec()['acquireTime'], '2026-01-01T00:00:00.000000Z');
    assert.equal(world.spec()['renewTime'], '2026-01-01T00:03:10.000000Z');
  });

  for (const skewMs of [-600_000, 0, 600_000]) {
    it(`is taken when it has not changed for its duration, by the clock of who takes it (skew ${skewMs} ms)`, async () => {
      const world = makeWorld();
      const [a, b] = [world.replica('a', skewMs), world.replica('b')];
      await a.hold(signal);
      world.elapsed += 100_000;
      assert.equal(await b.hold(signal), false, 'seen for the first time');
      world.elapsed += 29_999;
      assert.equal(await b.hold(signal), false);
      world.elapsed += 1;
      assert.equal(await b.hold(signal), true);
      assert.equal(world.spec()['leaseTransitions'], 1);
      assert.equal(await a.hold(signal), false);
    });
  }

  it('is not counted on for longer than the others wait, and not without an answer', async () => {
    const world = makeWorld();
    const a = world.replica('a');
    await a.hold(signal);
    world.elapsed += 19_999;
    assert.equal(a.isHeld(), true);
    world.store.refuse(() => new Error('fetch failed'));
    await assert.rejects(a.hold(signal), /fetch failed/);
    world.elapsed += 1;
    assert.equal(a.isHeld(), false);
  });

  it('is somebody else’s when somebody was faster: to make it, to take it, to renew it', async () => {
    const made = makeWorld();
    made.store.beforeWrite(() => made.store.put(PATH, { spec: { holderIdentity: 'b' } }));
    assert.equal(await made.replica('a').hold(signal), false);

    const renewed = makeWorld();
    const a = renewed.replica('a');
    await a.hold(signal);
    renewed.store.beforeWrite(() => renewed.store.put(PATH, { spec: { holderIdentity: 'b' } }));
    assert.equal(await a.hold(signal), false);
    assert.equal(a.isHeld(), false);
  });

  it('is free at once when it is released, and only its holder releases it', async () => {
    const world = makeWorld();
    const [a, b] = [world.replica('a'), world.replica('b')];
    await a.hold(signal);
    await b.release(signal);
    assert.equal(world.spec()['holderIdentity'], 'a');
    await a.release(signal);
    assert.deepEqual([a.isHeld(), await b.hold(signal)], [false, true]);
  });

  const STRANGE: readonly JsonObject[] = [
    {},
    { spec: null },
    { spec: { holderIdentity: 7, leaseTransitions: 'many' } },
    { spec: { holderIdentity: '' } },
  ];
  for (const object of STRANGE) {
    it(`is taken from nobody: ${JSON.stringify(object)}`, async () => {
      const world = makeWorld();
      world.store.put(PATH, object);
      assert.equal(await world.replica('a').hold(signal), true);
      assert.equal(world.spec()['leaseTransitions'], 1);
    });
  }

  it('is not kept for a day by a holder that says so', async () => {
    const world = makeWorld();
    world.store.put(PATH, { spec: { holderIdentity: 'x', leaseDurationSeconds: 86_400 } });
    const a = world.replica('a');
    assert.equal(await a.hold(signal), false);
    world.elapsed += 60_000;
    assert.equal(await a.hold(signal), true);
  });
});
