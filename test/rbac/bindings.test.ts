import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/kube/json.ts';
import { clusterRoleBindingOf, placedSubjectsOf, roleBindingOf, subjectPlaces } from '../../src/rbac/bindings.ts';
import { displaySubject, userSubject } from '../../src/rbac/subjects.ts';
import { clusterRoleBinding, roleBinding } from './objects.ts';

const APP = { kind: 'ServiceAccount', namespace: 'a', name: 'app' };

test('subjects are told with the place where they stand first; malformed ones take a place and are left out', () => {
  const subjects = [
    null,
    { kind: 'User', name: 'jane' },
    'x',
    APP,
    { kind: 'User', name: 'system:serviceaccount:a:app' },
  ];
  const placed = Array.from(
    placedSubjectsOf({ subjects }),
    ({ subject, index }) => `${index} ${displaySubject(subject)}`,
  );
  assert.deepEqual(placed, ['1 User jane', '3 ServiceAccount a/app']);
  const binding = clusterRoleBindingOf(clusterRoleBinding('b', 'r', subjects));
  assert.deepEqual(binding.subjects.map(displaySubject), ['User jane', 'ServiceAccount a/app']);
});

test('what a binding refers to', async (t) => {
  const refer = (roleRef: unknown): string => {
    const [cluster, namespaced] = [
      { metadata: { name: 'b' }, roleRef },
      { metadata: { name: 'b', namespace: 'a' }, roleRef },
    ];
    return `${clusterRoleBindingOf(cluster).roleKind} ${roleBindingOf(namespaced).roleKind}`;
  };
  const rows: readonly [unknown, string][] = [
    [{ kind: 'ClusterRole', name: 'r' }, 'ClusterRole ClusterRole'],
    [{ kind: 'Role', name: 'r' }, 'undefined Role'],
    [{ kind: 'clusterrole', name: 'r' }, 'undefined undefined'],
    [{ kind: 'ClusterRole', name: '' }, 'undefined undefined'],
    [{ kind: 'ClusterRole', name: 1 }, 'undefined undefined'],
    [{ name: 'r' }, 'undefined undefined'],
    [null, 'undefined undefined'],
    ['r', 'undefined undefined'],
  ];
  for (const [roleRef, expected] of rows) {
    await t.test(JSON.stringify(roleRef), () => assert.equal(refer(roleRef), expected));
  }
});

test('a binding without subjects, name or namespace', () => {
  assert.deepEqual(clusterRoleBindingOf({}), {
    namespace: '',
    name: '',
    roleKind: undefined,
    roleName: '',
    subjects: [],
  });
  const unplaced = roleBindingOf({
    ...roleBinding('', 'b', 'r', [{ kind: 'ServiceAccount', name: 'app' }]),
    metadata: {},
  });
  assert.deepEqual(
    [unplaced.namespace, unplaced.subjects.map(displaySubject)],
    ['default', ['ServiceAccount default/app']],
  );
});

test('the place of a subject is found in whatever order they are asked for', () => {
  const user = (name: string): JsonObject => ({ kind: 'User', name });
  const placeOf = subjectPlaces({ subjects: [null, user('a'), user('b'), user('a'), user('c')] });
  const places = ['c', 'a', 'b', 'd', 'c'].map((name) => placeOf(userSubject(name)));
  assert.deepEqual(places, [4, 1, 2, undefined, 4]);
});
