// The verdicts of the executed vectors, from what this folder says of a binding and its role: the rules build on it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capability } from '../../src/rbac/capabilities.ts';
import { isDefaultSubject } from '../../src/rbac/default-subjects.ts';
import { grantsOf, unitsOf } from '../../src/rbac/grants.ts';
import { nearMissesOf } from '../../src/rbac/near-misses.ts';
import { readVectors, stateOf, type Vector, VECTORS_SKIP } from './vectors.ts';

const ENFORCED: ReadonlySet<Capability> = new Set(['metrics', 'nodes/proxy']);
const TOLERATED: ReadonlySet<Capability> = new Set([
  'nodes/metrics',
  'nodes/stats',
  'nodes/pods',
  'nodes/configz',
  'nodes/healthz',
  'nodes/spec',
]);

test('verdicts of ClusterRoleBindings', { skip: VECTORS_SKIP }, async (t) => {
  const vectors = readVectors().filter(({ via, verdict }) => via === 'crb' && !verdict.startsWith('n/a'));
  assert.equal(vectors.length, 85);
  for (const vector of vectors) {
    await t.test(vector.id, () => {
      assert.equal(verdictOf(vector), vector.verdict.split(' ')[0]?.replace('ignore', 'allow'));
    });
  }
});

function verdictOf(vector: Vector): string {
  const view = stateOf(vector);
  const [binding] = [...view.clusterRoleBindings()];
  assert.ok(binding !== undefined);
  const given = grantsOf(binding, view);
  assert.ok(given !== 'unknown');
  const unexpected = [...unitsOf(given)].filter(({ subject, capability }) => !isDefaultSubject(subject, capability));
  const capabilities = unexpected.map(({ capability }) => capability);
  if (capabilities.some((capability) => ENFORCED.has(capability))) return 'deny';
  if (capabilities.some((capability) => !TOLERATED.has(capability)) || vector.missing) return 'warn';
  const role = view.clusterRole('r');
  const isMiss = typeof role !== 'string' && role.rules.some((rule) => nearMissesOf(rule).length > 0);
  return isMiss ? 'warn' : 'allow';
}
