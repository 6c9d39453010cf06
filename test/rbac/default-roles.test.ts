import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorize } from '../../src/rbac/authorize.ts';
import { clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import { DEFAULT_ROLE_VERSIONS, defaultRoles, isDefaultBinding } from '../../src/rbac/default-roles.ts';
import { DEFAULT_SUBJECTS, isDefaultSubject } from '../../src/rbac/default-subjects.ts';
import { grantsOf, grantsOfRole } from '../../src/rbac/grants.ts';
import { nearMissesOf } from '../../src/rbac/near-misses.ts';
import { displaySubject, groupKey, userSubject } from '../../src/rbac/subjects.ts';
import { clusterRole, clusterRoleBinding, indexOf } from './objects.ts';

/** Rows of DEFAULT_SUBJECTS that no kube-apiserver binds by itself: kubeadm's two, and one behind a feature gate. */
const BOUND_BY_OTHERS: ReadonlySet<string> = new Set([
  'Group kubeadm:cluster-admins',
  'User kube-apiserver-kubelet-client',
  'ServiceAccount kube-system/storage-version-migrator-controller',
]);

for (const version of DEFAULT_ROLE_VERSIONS) {
  test(`the default roles of ${version} grant Kubernetes' own subjects what the table says, and nobody else anything`, () => {
    const view = indexOf(defaultRoles(version));
    const held = new Map<string, readonly string[]>();
    for (const binding of view.clusterRoleBindings()) {
      const given = grantsOf(binding, view);
      assert.ok(given !== 'unknown');
      const capabilities = given.grants.map(({ capability }) => capability);
      if (capabilities.length === 0) continue;
      for (const subject of given.subjects) held.set(displaySubject(subject), capabilities.toSorted());
    }
    const rows = DEFAULT_SUBJECTS.map(
      ({ subject, capabilities }) => [displaySubject(subject), capabilities.toSorted()] as const,
    );
    const table = new Map(rows.filter(([name]) => !BOUND_BY_OTHERS.has(name)));
    if (version === '1.30') table.set('Group system:monitoring', ['metrics']);
    assert.deepEqual(held, table);
  });

  test(`no default role of ${version} holds a near miss`, () => {
    for (const { rules, name } of indexOf(defaultRoles(version)).clusterRoles()) {
      for (const rule of rules) assert.deepEqual(nearMissesOf(rule), [], name);
    }
  });
}

test('the kubelet-api role gives what the table says of its subject', () => {
  const view = indexOf(defaultRoles());
  const role = view.clusterRole('system:kubelet-api-admin');
  const row = DEFAULT_SUBJECTS.find(({ subject }) => subject.name === 'kube-apiserver-kubelet-client');
  assert.ok(typeof role !== 'string' && row !== undefined);
  assert.deepEqual(
    grantsOfRole(role, view)
      .map(({ capability }) => capability)
      .sort(),
    row.capabilities.toSorted(),
  );
});

test('every role of the table is there, but for the one behind a feature gate', () => {
  const view = indexOf(defaultRoles());
  const absent = DEFAULT_SUBJECTS.filter(({ role }) => view.clusterRole(role) === 'not found');
  assert.deepEqual(
    absent.map(({ role }) => role),
    ['system:controller:storage-version-migrator-controller'],
  );
});

test('a role like that of the feature gate gives what the table says', () => {
  const rule = { verbs: ['list', 'create', 'patch'], apiGroups: ['*'], resources: ['*'] };
  const role = clusterRoleOf(clusterRole('r', [rule]));
  const row = DEFAULT_SUBJECTS.find(({ subject }) => subject.name === 'storage-version-migrator-controller');
  assert.deepEqual(
    grantsOfRole(role, indexOf([])).map(({ capability }) => capability),
    row?.capabilities,
  );
});

test("Kubernetes' own subjects are known by their exact name and for what their role gives", () => {
  const collector = userSubject('system:serviceaccount:kube-system:generic-garbage-collector');
  assert.equal(isDefaultSubject(collector, 'nodes/proxy'), true);
  assert.equal(isDefaultSubject(collector, 'metrics'), false);
  assert.equal(
    isDefaultSubject(userSubject('system:serviceaccount:default:generic-garbage-collector'), 'nodes/proxy'),
    false,
  );
  assert.equal(isDefaultSubject(userSubject('system:masters'), 'metrics'), false);
  assert.equal(
    isDefaultSubject({ kind: 'Group', name: 'system:masters', key: 'group:system:masters' }, 'impersonate'),
    true,
  );
});

test('a version gets the data of the newest one that is not newer', async (t) => {
  const names = (version?: string): number => defaultRoles(version).length;
  const [older, newer] = [names('1.30'), names()];
  assert.notEqual(older, newer);
  const rows = {
    'v1.30.14': older,
    '1.29': older,
    '1.35': older,
    '1.36.3': newer,
    'v1.37.0-alpha.1': newer,
    '2.0': newer,
    odd: newer,
  };
  for (const [version, expected] of Object.entries(rows)) {
    await t.test(version, () => assert.equal(names(version), expected));
  }
});

test('aggregated default roles get their members', () => {
  const view = indexOf([...defaultRoles(), clusterRoleBinding('b', 'edit', [{ kind: 'User', name: 'jane' }])]);
  const proxy = { verb: 'get', apiGroup: '', resource: 'pods', subresource: 'proxy', name: 'p', namespace: 'a' };
  const answer = authorize({ name: 'jane', groups: [] }, proxy, view);
  assert.equal(answer.allowed && answer.role, 'system:aggregate-to-edit');
});

test('the bindings that kube-apiserver makes are known by name, role and subject', () => {
  const rows: readonly [name: string, roleName: string, group: string, isDefault: boolean][] = [
    ['system:discovery', 'system:discovery', 'system:authenticated', true],
    ['system:discovery', 'system:discovery', 'system:unauthenticated', false],
    ['system:discovery', 'cluster-admin', 'system:authenticated', false],
    ['mine', 'system:discovery', 'system:authenticated', false],
  ];
  for (const [name, roleName, group, isDefault] of rows) {
    const subject = { kind: 'Group', name: group, key: groupKey(group) } as const;
    assert.equal(isDefaultBinding({ name, roleName }, subject), isDefault, `${name} ${roleName} ${group}`);
  }
});
