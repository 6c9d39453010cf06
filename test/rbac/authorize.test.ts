import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorize } from '../../src/rbac/authorize.ts';
import type { RequestAttributes } from '../../src/rbac/rule-matching.ts';
import { clusterRole, clusterRoleBinding, indexOf, roleBinding } from './objects.ts';
import { readVectors, requestOf, stateOf, VECTORS_SKIP } from './vectors.ts';

test('executed vectors', { skip: VECTORS_SKIP }, async (t) => {
  const vectors = readVectors();
  assert.equal(vectors.length, 92);
  for (const vector of vectors) {
    await t.test(vector.id, () => {
      const user = { name: vector.user, groups: vector.groups ?? [] };
      assert.equal(authorize(user, requestOf(vector), stateOf(vector)).allowed, vector.want);
    });
  }
});

const ALICE = { name: 'alice', groups: ['devs'] };
const GET_POD: RequestAttributes = {
  verb: 'get',
  apiGroup: '',
  resource: 'pods',
  subresource: '',
  name: 'p',
  namespace: 'a',
};
const GET_PODS = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const USER = [{ kind: 'User', name: 'alice' }];

test('a RoleBinding counts in its own namespace only', () => {
  const view = indexOf([clusterRole('r', [GET_PODS]), roleBinding('a', 'b', 'r', USER)]);
  assert.equal(authorize(ALICE, GET_POD, view).allowed, true);
  assert.equal(authorize(ALICE, { ...GET_POD, namespace: 'b' }, view).allowed, false);
  assert.equal(authorize(ALICE, { ...GET_POD, namespace: '' }, view).allowed, false);
});

test('the answer names the binding, the role and the rule', () => {
  const view = indexOf([
    clusterRole('r', [{ verbs: ['list'], apiGroups: [''], resources: ['pods'] }, GET_PODS]),
    clusterRoleBinding('b', 'r', [{ kind: 'Group', name: 'devs' }]),
  ]);
  const answer = authorize(ALICE, GET_POD, view);
  assert.ok(answer.allowed);
  assert.deepEqual([answer.binding.name, answer.role, answer.rule], ['b', 'r', 1]);
});

test('a role has the rules of the roles it aggregates, and its stored ones as long as they are there', () => {
  const aggregated = clusterRole('all', [GET_PODS], { selectors: [{ matchLabels: { m: '1' } }] });
  const view = indexOf([
    aggregated,
    clusterRole('member', [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }], { labels: { m: '1' } }),
    clusterRoleBinding('b', 'all', USER),
  ]);
  assert.equal(authorize(ALICE, { verb: 'get', path: '/metrics' }, view).allowed, true);
  assert.equal(authorize(ALICE, GET_POD, view).allowed, true);
});

test('a ClusterRoleBinding to a Role, or to no role that exists, allows nothing and hides no other binding', () => {
  const view = indexOf([
    clusterRole('r', [GET_PODS]),
    { ...clusterRoleBinding('to-role', 'r', USER), roleRef: { kind: 'Role', name: 'r' } },
    clusterRoleBinding('dangling', 'ghost', USER),
  ]);
  assert.equal(authorize(ALICE, GET_POD, view).allowed, false);
  view.upsertClusterRoleBinding(clusterRoleBinding('good', 'r', USER));
  assert.equal(authorize(ALICE, GET_POD, view).allowed, true);
});
