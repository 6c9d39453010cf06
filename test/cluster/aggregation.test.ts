import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { asObject, type JsonObject } from '../../src/kube/json.ts';
import { type ClusterRole, clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import { effectiveRules } from '../../src/rbac/grants.ts';
import { clusterRole, indexOf } from '../rbac/objects.ts';
import type { Cluster } from '../support/cluster-access.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { waitUntil } from '../support/wait-for.ts';
import { apply } from '../support/webhook-registration.ts';

const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
const SETS = 12;
const SIZE = 6;
const SEED = 20_261_127;

/** A role before it has a name: labels, what it selects by, and its own rules unless it selects. */
type Draft = {
  readonly labels: Readonly<Record<string, string>>;
  readonly selectors: readonly JsonObject[];
  readonly resources: readonly string[];
};

const KEYS = ['a', 'b', 'c'];
const VALUES = ['1', '2'];
const labelsUpTo = (maxKeys: number) =>
  fc.dictionary(fc.constantFrom(...KEYS), fc.constantFrom(...VALUES), { maxKeys });
const expression = fc.oneof(
  fc.record({
    key: fc.constantFrom(...KEYS),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(fc.constantFrom(...VALUES), { minLength: 1 }),
  }),
  fc.record({ key: fc.constantFrom(...KEYS), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);
const selector = fc.record({ matchLabels: labelsUpTo(1), matchExpressions: fc.array(expression, { maxLength: 1 }) });
const draft: fc.Arbitrary<Draft> = fc.record({
  labels: labelsUpTo(3),
  selectors: fc.oneof(fc.constant([]), fc.array(selector, { minLength: 1, maxLength: 2 })),
  resources: fc.uniqueArray(fc.constantFrom('pods', 'nodes/proxy', 'secrets', 'nodes'), {
    minLength: 1,
    maxLength: 2,
  }),
});

await clusterSuite('aggregation as the controller has it', { needs: ['kubeControllerManager'] }, (cluster) => {
  const run = `aggregation-${process.pid}`;
  const sets = fc.sample(fc.array(draft, { minLength: SIZE, maxLength: SIZE }), { numRuns: SETS, seed: SEED });

  it(`${SETS} sets of ${SIZE} roles that select each other, cycles among them`, async () => {
    const made = sets.map((drafts, index) => makeSet(`${run}-${index}`, drafts));
    for (const role of made.flat()) await apply(cluster, ROLES, role);
    const expected = new Map(made.flatMap((roles) => expectationsOf(roles)));
    assert.ok(
      [...expected.values()].filter((rules) => rules.length > 1).length > SETS,
      'there is something to compare',
    );
    await waitUntil('the controller to come to rest where the closure is', async () => {
      return (await differences(cluster, expected)).length === 0;
    });
    // The controller has looked at everything once more when it has filled a role that came last.
    const late = { labels: {}, selectors: [{ matchLabels: {} }], resources: [] };
    const last = makeSet(`${run}-last`, [{ labels: { a: '1' }, selectors: [], resources: ['pods'] }, late]);
    for (const role of last) await apply(cluster, ROLES, role);
    const lastExpected = new Map(expectationsOf(last));
    await waitUntil('a role that came last', async () => (await differences(cluster, lastExpected)).length === 0);
    assert.deepEqual(await differences(cluster, expected), []);
  });
});

/** The roles of a set select nothing outside it. */
function makeSet(name: string, drafts: readonly Draft[]): readonly JsonObject[] {
  return drafts.map(({ labels: own, selectors, resources }, index) => {
    const rules = resources.map((resource) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] }));
    const closed = selectors.map((each) => ({ ...each, matchLabels: { ...asObject(each['matchLabels']), set: name } }));
    const isAggregated = closed.length > 0;
    return clusterRole(`${name}-${index}`, isAggregated ? [] : rules, {
      labels: { ...own, set: name },
      ...(isAggregated && { selectors: closed }),
    });
  });
}

/** Each role's name with the rules that hold for it, in an order of their own. */
function expectationsOf(objects: readonly JsonObject[]): readonly (readonly [string, readonly string[]])[] {
  const index = indexOf(objects);
  return Array.from(index.clusterRoles(), (role) => [role.name, textsOf(effectiveRules(role, index))] as const);
}

function textsOf(rules: Iterable<{ readonly rule: unknown }>): readonly string[] {
  return [...new Set(Array.from(rules, ({ rule }) => JSON.stringify(rule)))].sort();
}

async function differences(
  cluster: Cluster,
  expected: ReadonlyMap<string, readonly string[]>,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const [name, rules] of expected) {
    const stored = await readRole(cluster, name);
    const found = textsOf(stored.rules.map((rule) => ({ rule })));
    if (JSON.stringify(found) !== JSON.stringify(rules)) wrong.push(`${name}: ${found.join()} is not ${rules.join()}`);
  }
  return wrong;
}

async function readRole(cluster: Cluster, name: string): Promise<ClusterRole> {
  return clusterRoleOf(asObject((await cluster.request(`${ROLES}/${name}`)).body));
}
