import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { authoritiesIn, HOUR, MINUTE, Replica, SECOND, SETTLE, World } from './rotation-world.ts';

/** What may happen next; the number is a replica's, or how much time passes. */
type Happening =
  | { readonly what: 'step' | 'run' | 'lose' | 'crash'; readonly who: number }
  | { readonly what: 'time'; readonly ms: number }
  | { readonly what: 'delete' | 'empty' }
  | { readonly what: 'scribble'; readonly part: 'cert' | 'caKey' | 'ca' };

const who = fc.nat({ max: 1 });
const steps = fc.record({ what: fc.constant('step' as const), who });
const runs = fc.record({ what: fc.constant('run' as const), who });
const time = fc.record({
  what: fc.constant('time' as const),
  ms: fc.constantFrom(SECOND, 5 * SECOND, SETTLE, MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 7 * HOUR),
});
const failures = fc.record({ what: fc.constantFrom('lose' as const, 'crash' as const), who });
const deletion = fc.constant<Happening>({ what: 'delete' });
const vandalism = fc.oneof(
  fc.constantFrom<Happening>({ what: 'delete' }, { what: 'empty' }),
  fc.record({
    what: fc.constant('scribble' as const),
    part: fc.constantFrom('cert' as const, 'caKey' as const, 'ca' as const),
  }),
);

const skew = fc.integer({ min: -10 * MINUTE, max: 10 * MINUTE });
const skews = fc.tuple(skew, skew, skew);

/** A life: requests that go on in any order, whole turns, and time that passes between them. */
function livesWith(other: fc.Arbitrary<Happening>): fc.Arbitrary<Happening[]> {
  const mix = fc.oneof(
    { weight: 12, arbitrary: steps },
    { weight: 4, arbitrary: runs },
    { weight: 4, arbitrary: time },
    { weight: 1, arbitrary: other },
  );
  return fc.array(mix, { minLength: 50, maxLength: 300, size: 'max' });
}

async function happen(world: World, replicas: readonly Replica[], happening: Happening): Promise<void> {
  switch (happening.what) {
    case 'step':
    case 'run':
    case 'lose':
    case 'crash':
      return replicas[happening.who]?.[happening.what]();
    case 'time':
      world.time += happening.ms;
      return undefined;
    case 'delete':
      world.secret = undefined;
      return undefined;
    case 'empty':
      world.bundles[0]?.push({ version: world.next(), value: '' });
      return undefined;
    case 'scribble':
      if (world.secret !== undefined) {
        world.secret = { version: world.next(), value: { ...world.secret.value, [happening.part]: 'scribble' } };
      }
  }
}

/** Every leaf that is served is believed by every API server, however late it notices and whatever its clock says. */
function assertBelieved(world: World, replicas: readonly Replica[], apiSkew: number): void {
  for (const { served } of replicas) {
    if (served === undefined || served.expiresAt < world.time + apiSkew) continue;
    for (const configuration of world.bundles.keys()) {
      for (const bundle of world.believed(configuration)) {
        // Where no CA is left alive, nobody was believed who could be lost.
        const isAlive = authoritiesIn(bundle).some(({ expiresAt }) => expiresAt >= world.time + apiSkew);
        if (isAlive) assert.ok(bundle.includes(served.issuer), `${bundle}lacks ${served.issuer}`);
      }
    }
  }
}

/** Left in peace for a while, everybody serves a leaf that is valid for a while, and nobody trusts more than needed. */
async function assertRecovers(world: World, replicas: readonly Replica[]): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) {
    for (const replica of replicas) await replica.run();
    world.time += SETTLE;
  }
  for (const replica of replicas) await replica.run();
  assertBelieved(world, replicas, 0);
  for (const { served } of replicas) assert.ok(served && served.expiresAt > world.time + 10 * MINUTE);
  for (const [bundle] of world.bundles.map((list) => list.slice(-1))) {
    assert.equal(
      bundle?.value,
      authoritiesIn(world.secret?.value.ca ?? '')
        .map(({ cert }) => cert)
        .join(''),
    );
  }
}

describe('two replicas that rotate certificates, both with the lease, with clocks that disagree', () => {
  it('serve nothing that an API server does not believe, whatever is lost, deleted or late', async () => {
    const lives = livesWith(fc.oneof(failures, deletion));
    await fc.assert(
      fc.asyncProperty(lives, skews, async (life, [first, second, apiSkew]) => {
        const world = new World();
        const replicas = [new Replica(world, first), new Replica(world, second)];
        for (const happening of life) {
          await happen(world, replicas, happening);
          assertBelieved(world, replicas, apiSkew);
        }
        await assertRecovers(world, replicas);
      }),
      { numRuns: 150, endOnFailure: true },
    );
  });

  it('recover from whatever is done to the Secret and the bundles', async () => {
    const lives = livesWith(fc.oneof(failures, vandalism));
    await fc.assert(
      fc.asyncProperty(lives, skews, async (life, [first, second]) => {
        const world = new World();
        const replicas = [new Replica(world, first), new Replica(world, second)];
        for (const happening of life) await happen(world, replicas, happening);
        await assertRecovers(world, replicas);
      }),
      { numRuns: 80, endOnFailure: true },
    );
  });
});
