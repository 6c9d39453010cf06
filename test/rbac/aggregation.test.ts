import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject } from '../../src/kube/json.ts';
import { matchesLabels } from '../../src/kube/labels.ts';
import { namesBack, walkAggregators, walkMembers } from '../../src/rbac/aggregation.ts';
import { type ClusterRole, clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import { deltaOfRole } from '../../src/rbac/delta.ts';
import type { GrantsIndex } from '../../src/rbac/grants-index.ts';
import type { GrantsView } from '../../src/rbac/grants-view.ts';
import { grantsOfCapability } from '../../src/rbac/who-can.ts';
import { clusterRole, clusterRoleBinding, indexOf } from './objects.ts';

const NODES_PROXY = { verbs: ['get'], apiGroups: [''], resources: ['nodes/proxy'] };

test('which roles a selector selects', async (t) => {
  const labels: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>> = {
    one: { m: '1', k: 'a' },
    two: { m: '2' },
    none: undefined,
    odd: { m: 1, k: null },
  };
  const members = Object.entries(labels).map(([name, own]) => clusterRole(name, [], { ...(own && { labels: own }) }));
  const rows: readonly [title: string, selectors: unknown, selected: string][] = [
    ['matchLabels', [{ matchLabels: { m: '1' } }], 'one'],
    ['two labels, both', [{ matchLabels: { m: '1', k: 'b' } }], ''],
    ['two selectors, either', [{ matchLabels: { m: '1' } }, { matchLabels: { m: '2' } }], 'one two'],
    ['In', [{ matchExpressions: [{ key: 'm', operator: 'In', values: ['2', '3', '1'] }] }], 'one two'],
    [
      'NotIn matches an absent key',
      [{ matchExpressions: [{ key: 'm', operator: 'NotIn', values: ['1'] }] }],
      'none odd two',
    ],
    ['Exists', [{ matchExpressions: [{ key: 'k', operator: 'Exists' }] }], 'one'],
    ['DoesNotExist', [{ matchExpressions: [{ key: 'm', operator: 'DoesNotExist' }] }], 'none odd'],
    ['Exists, and not this value', [exists('m', { key: 'm', operator: 'NotIn', values: ['1'] })], 'two'],
    ['an empty selector selects all', [{}], 'none odd one two'],
    ['so does null, which is decoded as one', [null], 'none odd one two'],
    ['no selector selects nothing', [], ''],
    ['nor does an unknown operator', [{ matchExpressions: [{ key: 'm', operator: 'Is', values: ['1'] }] }], ''],
    ['nor a selector that is a string', ['m=1'], ''],
    ['nor selectors that are no list', { matchLabels: { m: '1' } }, ''],
  ];
  for (const [title, selectors, selected] of rows) {
    await t.test(title, () => {
      const view = indexOf([
        ...members,
        { metadata: { name: 'all' }, kind: 'ClusterRole', aggregationRule: { clusterRoleSelectors: selectors } },
      ]);
      const found = membersOf('all', view).filter((name) => name !== 'all');
      assert.equal(found.sort().join(' '), selected);
    });
  }
});

test('aggregation goes through roles that are aggregated themselves, and the way is told', () => {
  const view = indexOf([
    clusterRole('admin', null, { selectors: [{ matchLabels: { admin: 'yes' } }] }),
    clusterRole('edit', null, { labels: { admin: 'yes' }, selectors: [{ matchLabels: { edit: 'yes' } }] }),
    clusterRole('leaf', [], { labels: { edit: 'yes' } }),
  ]);
  const down = [...walkMembers([roleNamed('admin', view)], view)].at(-1);
  assert.deepEqual(down && namesBack(down), ['leaf', 'edit', 'admin']);
  const up = [...walkAggregators([roleNamed('leaf', view)], view)].at(-1);
  assert.deepEqual(up && namesBack(up), ['admin', 'edit', 'leaf']);
});

test('a role that selects itself, and two that select each other, are each met once', () => {
  const selectors = [{ matchLabels: { m: '1' } }];
  const view = indexOf([
    clusterRole('a', [], { labels: { m: '1' }, selectors }),
    clusterRole('b', [], { labels: { m: '1' }, selectors }),
  ]);
  assert.deepEqual(membersOf('a', view), ['a', 'b']);
  assert.deepEqual(aggregatorsOf('a', view), ['a', 'b']);
});

test('the walks find what the definition says, both ways, on any roles', () => {
  fc.assert(
    fc.property(smallClusters, (objects) => {
      const view = indexOf(objects);
      const names = [...view.clusterRoles()].map(({ name }) => name);
      const members = new Map(names.map((name) => [name, closure(name, view)]));
      for (const name of names) {
        assert.deepEqual(membersOf(name, view).sort(), [...(members.get(name) ?? [])].sort());
        const above = names.filter((other) => members.get(other)?.has(name));
        assert.deepEqual(aggregatorsOf(name, view).sort(), above.sort());
      }
    }),
    { numRuns: 300 },
  );
});

test('ten thousand roles that all select each other take steps in proportion to their number', async (t) => {
  const size = 10_000;
  const cliques: Readonly<Record<string, (at: number) => JsonObject>> = {
    'by one selector': () => ({ labels: { m: '1' }, selectors: [{ matchLabels: { m: '1' } }] }),
    'by empty selectors': () => ({ selectors: [{}] }),
    'by a selector of its own each': (at) => ({
      labels: { m: '1', at: `${at}` },
      selectors: [{ matchExpressions: [{ key: 'm', operator: 'In', values: ['1', `x${at}`] }] }],
    }),
    'by everything but one label each': (at) => ({
      labels: { at: `${at}` },
      selectors: [{ matchExpressions: [{ key: 'at', operator: 'NotIn', values: [`${at}`] }] }],
    }),
    'in a chain': (at) => ({ labels: { at: `${at}` }, selectors: [{ matchLabels: { at: `${at + 1}` } }] }),
    'in a ring': (at) => ({ labels: { at: `${at}` }, selectors: [{ matchLabels: { at: `${(at + 1) % size}` } }] }),
  };
  for (const [title, parts] of Object.entries(cliques)) {
    await t.test(title, () => {
      const roles = Array.from({ length: size }, (_, at) =>
        clusterRole(`r${at}`, at === 0 ? [NODES_PROXY] : [], parts(at)),
      );
      const bindings = roles.map((_, at) => clusterRoleBinding(`b${at}`, `r${at}`, [{ kind: 'User', name: `u${at}` }]));
      const counted = new CountingView(indexOf([...roles, ...bindings]));
      const last = roleNamed(`r${size - 1}`, counted);
      const found = [...walkMembers([roleNamed('r0', counted)], counted)].length;
      const above = [...walkAggregators([last], counted)].length;
      assert.deepEqual([found, above], [size, size]);
      assert.ok(counted.steps < 12 * size, `${counted.steps} steps to walk`);

      counted.steps = 0;
      const rules = [NODES_PROXY, { verbs: ['get'], nonResourceURLs: ['/metrics', '/metrics/a'] }];
      const delta = deltaOfRole(last, clusterRoleOf(clusterRole(last.name, rules, parts(size - 1))), counted);
      assert.equal(delta.length, size);
      assert.ok(counted.steps < 60 * size, `${counted.steps} steps to decide`);

      counted.steps = 0;
      const holders = [...grantsOfCapability('nodes/proxy', counted)];
      assert.equal(holders.length, title === 'in a chain' ? 1 : size);
      assert.ok(counted.steps < 25 * size, `${counted.steps} steps to list`);
    });
  }
});

/** Counts what a view is asked for and what it gives. */
class CountingView implements Pick<GrantsView, keyof GrantsView> {
  steps = 0;
  readonly isCurrent = true;
  readonly #view: GrantsIndex;

  constructor(view: GrantsIndex) {
    this.#view = view;
  }

  *#count<Item>(items: Iterable<Item>): Iterable<Item> {
    this.steps += 1;
    for (const item of items) {
      this.steps += 1;
      yield item;
    }
  }

  readonly clusterRole: GrantsView['clusterRole'] = (name) => this.#view.clusterRole(name);
  readonly clusterRoles: GrantsView['clusterRoles'] = () => this.#count(this.#view.clusterRoles());
  readonly clusterRolesAt: GrantsView['clusterRolesAt'] = (anchor) => this.#count(this.#view.clusterRolesAt(anchor));
  readonly selectorsAt: GrantsView['selectorsAt'] = (anchor) => this.#count(this.#view.selectorsAt(anchor));
  readonly clusterRolesSelectingBy: GrantsView['clusterRolesSelectingBy'] = (key) =>
    this.#count(this.#view.clusterRolesSelectingBy(key));
  readonly clusterRoleBindings: GrantsView['clusterRoleBindings'] = () => this.#view.clusterRoleBindings();
  readonly clusterRoleBindingsTo: GrantsView['clusterRoleBindingsTo'] = (name) =>
    this.#count(this.#view.clusterRoleBindingsTo(name));
  readonly clusterRoleBindingsFor: GrantsView['clusterRoleBindingsFor'] = (user) =>
    this.#view.clusterRoleBindingsFor(user);
  readonly roleRules: GrantsView['roleRules'] = (namespace, name) => this.#view.roleRules(namespace, name);
  readonly roleBindings: GrantsView['roleBindings'] = (namespace) => this.#view.roleBindings(namespace);
  readonly roleBindingsFor: GrantsView['roleBindingsFor'] = (user, namespace) =>
    this.#view.roleBindingsFor(user, namespace);
}

const label = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('1', '2');
const labelSet = fc.dictionary(label, value, { maxKeys: 3 });
const expression = fc.oneof(
  fc.record({
    key: label,
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.array(value, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key: label, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);
const selector = fc.record(
  { matchLabels: labelSet, matchExpressions: fc.array(expression, { maxLength: 2 }) },
  { requiredKeys: [] },
);
const smallClusters = fc
  .array(fc.tuple(labelSet, fc.array(selector, { maxLength: 2 })), { maxLength: 8 })
  .map((list) => list.map(([labels, selectors], at) => clusterRole(`r${at}`, [], { labels, selectors })));

/** The members of a role by their definition, with no thought for speed. */
function closure(start: string, view: GrantsIndex): ReadonlySet<string> {
  const found = new Set([start]);
  for (const name of found) {
    for (const { requirements } of roleNamed(name, view).selectors) {
      for (const role of view.clusterRoles()) if (matchesLabels(requirements, role.labels)) found.add(role.name);
    }
  }
  return found;
}

function membersOf(name: string, view: GrantsIndex): string[] {
  return [...walkMembers([roleNamed(name, view)], view)].map(({ role }) => role.name);
}

function aggregatorsOf(name: string, view: GrantsIndex): string[] {
  return [...walkAggregators([roleNamed(name, view)], view)].map(({ role }) => role.name);
}

function roleNamed(name: string, view: GrantsView): ClusterRole {
  const role = view.clusterRole(name);
  assert.ok(typeof role !== 'string');
  return role;
}

function exists(key: string, ...more: readonly JsonObject[]): JsonObject {
  return { matchExpressions: [{ key, operator: 'Exists' }, ...more] };
}
