import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorize } from '../../src/rbac/authorize.ts';
import { GrantsIndex } from '../../src/rbac/grants-index.ts';
import { ListPool } from '../../src/rbac/list-pool.ts';
import { Multimap } from '../../src/rbac/multimap.ts';
import { clusterRole, clusterRoleBinding, indexOf, role, roleBinding } from './objects.ts';

const APP = { kind: 'ServiceAccount', namespace: 'team-a', name: 'app' };
const USER = { name: 'system:serviceaccount:team-a:app', groups: ['devs'] };
const PODS = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const GET_POD = { verb: 'get', apiGroup: '', resource: 'pods', subresource: '', name: 'p', namespace: 'team-a' };

const namesOf = (items: Iterable<{ readonly name: string }>): readonly string[] =>
  Array.from(items, ({ name }) => name);

test('bindings are found by role and by subject, and only as they are now', () => {
  const index = indexOf([
    clusterRoleBinding('a', 'r', [APP]),
    clusterRoleBinding('b', 'r', [{ kind: 'Group', name: 'devs' }, APP]),
    clusterRoleBinding('c', 'other', [{ kind: 'User', name: USER.name }]),
  ]);
  assert.deepEqual(namesOf(index.clusterRoleBindingsTo('r')), ['a', 'b']);
  assert.deepEqual([...new Set(namesOf(index.clusterRoleBindingsFor(USER)))], ['a', 'b', 'c']);
  index.upsertClusterRoleBinding(clusterRoleBinding('a', 'other', []));
  index.deleteClusterRoleBinding('c');
  index.deleteClusterRoleBinding('c');
  assert.deepEqual(namesOf(index.clusterRoleBindingsTo('r')), ['b']);
  assert.deepEqual(namesOf(index.clusterRoleBindingsTo('other')), ['a']);
  assert.deepEqual([...new Set(namesOf(index.clusterRoleBindingsFor(USER)))], ['b']);
  assert.deepEqual(namesOf(index.clusterRoleBindings()), ['b', 'a']);
});

test('a role keeps all its rules, and is replaced and removed whole', () => {
  const index = indexOf([
    clusterRole('r', [PODS, PODS], { labels: { m: '1' }, selectors: [{ matchLabels: { m: '1' } }] }),
  ]);
  const read = index.clusterRole('r');
  assert.ok(typeof read !== 'string');
  assert.equal(read.rules.length, 2);
  assert.deepEqual(namesOf(index.clusterRolesAt('m=1')), ['r']);
  assert.equal([...index.selectorsAt('m=1')].length, 1);
  index.upsertClusterRole(clusterRole('r', []));
  assert.deepEqual(
    [[...index.clusterRolesAt('m=1')], [...index.clusterRolesAt('m')], [...index.selectorsAt('m=1')]],
    [[], [], []],
  );
  index.deleteClusterRole('r');
  index.deleteClusterRole('r');
  assert.equal(index.clusterRole('r'), 'not found');
});

test('a selector stays as long as one role has it', () => {
  const selectors = [{ matchLabels: { m: '1' } }];
  const index = indexOf([clusterRole('a', [], { selectors }), clusterRole('b', [], { selectors })]);
  const [selector] = index.selectorsAt('m=1');
  assert.ok(selector !== undefined);
  index.deleteClusterRole('a');
  assert.deepEqual(namesOf(index.clusterRolesSelectingBy(selector.key)), ['b']);
  assert.equal([...index.selectorsAt('m=1')].length, 1);
  index.deleteClusterRole('b');
  assert.deepEqual([...index.selectorsAt('m=1')], []);
});

test('Roles and RoleBindings come and go', () => {
  const index = new GrantsIndex();
  index.upsertRoleBinding(roleBinding('team-a', 'b', 'Role r', [APP]));
  assert.equal(authorize(USER, GET_POD, index).allowed, false);
  index.upsertRole(role('team-a', 'r', [PODS]));
  assert.equal(authorize(USER, GET_POD, index).allowed, true);
  index.upsertRoleBinding(roleBinding('team-a', 'b', 'Role r', []));
  assert.equal(authorize(USER, GET_POD, index).allowed, false);
  index.upsertRoleBinding(roleBinding('team-a', 'b', 'Role r', [{ kind: 'ServiceAccount', name: 'app' }]));
  assert.equal(authorize(USER, GET_POD, index).allowed, true);
  index.deleteRole('team-a', 'r');
  assert.equal(authorize(USER, GET_POD, index).allowed, false);
  index.deleteRoleBinding('team-a', 'b');
  index.deleteRoleBinding('team-a', 'b');
  assert.deepEqual([...index.roleBindings('team-a')], []);
});

test('a namespaced object without a namespace is in default', () => {
  const index = indexOf([
    { kind: 'Role', metadata: { name: 'r' }, rules: [PODS] },
    { kind: 'RoleBinding', metadata: { name: 'b' }, roleRef: { kind: 'Role', name: 'r' }, subjects: [APP] },
  ]);
  assert.equal(authorize(USER, { ...GET_POD, namespace: 'default' }, index).allowed, true);
});

test('equal lists and equal subjects are kept once', () => {
  const index = indexOf([
    ...['a', 'b'].map((name) => clusterRole(name, [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }])),
    ...['a', 'b'].map((name) => clusterRoleBinding(name, 'a', [{ ...APP }])),
  ]);
  const [one, two] = [...index.clusterRoles()].map(({ rules }) => rules[0]?.verbs);
  assert.ok(one !== undefined && one === two);
  const [first, second] = [...index.clusterRoleBindings()].map(({ subjects }) => subjects[0]);
  assert.ok(first !== undefined && first === second);
  for (const name of ['a', 'b']) index.deleteClusterRoleBinding(name);
  index.upsertClusterRoleBinding(clusterRoleBinding('c', 'a', [{ ...APP }]));
  const [forgotten] = [...index.clusterRoleBindings()].map(({ subjects }) => subjects[0]);
  assert.ok(forgotten !== undefined && forgotten !== first);
});

test('a ClusterRoleBinding to a Role is none to the ClusterRole of the same name', () => {
  const index = indexOf([{ ...clusterRoleBinding('b', 'r', [APP]), roleRef: { kind: 'Role', name: 'r' } }]);
  assert.deepEqual([namesOf(index.clusterRoleBindingsTo('r')), namesOf(index.clusterRoleBindings())], [[], ['b']]);
});

test('a pool of lists tells lists apart and forgets what it cannot hold', () => {
  const pool = new ListPool(2);
  const list = pool.share(['a', 'b']);
  assert.equal(pool.share(['a', 'b']), list);
  assert.notEqual(pool.share(['a\nb']), list);
  assert.deepEqual(pool.share(['a\nb']), ['a\nb']);
  pool.share(['c']);
  pool.share(['d']);
  assert.notEqual(pool.share(['a', 'b']), list);
  assert.deepEqual(pool.share([]), []);
});

test('a multimap has a set for each key', () => {
  const map = new Multimap<string, { readonly name: string }>();
  const [a, b] = [{ name: 'a' }, { name: 'b' }];
  for (const item of [a, b, a]) map.add('k', item);
  map.add('l', a);
  map.add('l', a);
  assert.deepEqual([[...map.get('k')], [...map.get('l')], [...map.get('m')]], [[a, b], [a], []]);
  map.delete('l', b);
  map.delete('k', a);
  map.delete('m', a);
  assert.deepEqual([map.has('k'), [...map.get('k')], map.has('l')], [true, [b], true]);
  map.delete('k', b);
  map.delete('l', a);
  assert.deepEqual([map.has('k'), map.has('l')], [false, false]);
});
