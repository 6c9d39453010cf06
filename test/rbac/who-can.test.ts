import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displaySubject } from '../../src/rbac/subjects.ts';
import { grantsOfCapability, permissionsFor } from '../../src/rbac/who-can.ts';
import { clusterRole, clusterRoleBinding, indexOf, role, roleBinding } from './objects.ts';

const APP = { kind: 'ServiceAccount', namespace: 'team-a', name: 'app' };
const PODS = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };

test('who holds a capability, with the way it came, the whole before the parts', () => {
  const view = indexOf([
    clusterRole('all', [], { selectors: [{ matchLabels: { m: '1' } }] }),
    clusterRole('part', [PODS, { verbs: ['get'], nonResourceURLs: ['/metrics/slis'] }], { labels: { m: '1' } }),
    clusterRole('whole', [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }]),
    clusterRole('wide', [{ verbs: ['*'], nonResourceURLs: ['*'] }]),
    clusterRoleBinding('to-all', 'all', [APP]),
    clusterRoleBinding('to-whole', 'whole', [APP, { kind: 'Group', name: 'devs' }]),
    clusterRoleBinding('to-wide', 'wide', [{ kind: 'User', name: 'jane' }]),
    clusterRoleBinding('dangling', 'ghost', [APP]),
    roleBinding('team-a', 'namespaced', 'whole', [APP]),
  ]);
  const found = Array.from(grantsOfCapability('metrics', view), (grant) => [
    displaySubject(grant.subject),
    grant.binding.name,
    grant.how,
    grant.scopes,
    grant.chain().join(' '),
    grant.rule,
  ]);
  assert.deepEqual(found, [
    ['ServiceAccount team-a/app', 'to-whole', 'explicit', undefined, 'whole', 0],
    ['Group devs', 'to-whole', 'explicit', undefined, 'whole', 0],
    ['User jane', 'to-wide', 'wildcard', undefined, 'wide', 0],
    ['ServiceAccount team-a/app', 'to-all', 'explicit', ['/metrics/slis'], 'all part', 1],
  ]);
});

test('who may make a request: RoleBindings count where the request has their namespace', () => {
  const view = indexOf([
    clusterRole('all', [], { selectors: [{ matchLabels: { m: '1' } }] }),
    clusterRole('pods', [PODS], { labels: { m: '1' } }),
    role('team-a', 'own', [PODS]),
    clusterRoleBinding('everywhere', 'all', [APP]),
    roleBinding('team-a', 'by-cluster-role', 'pods', [APP]),
    roleBinding('team-a', 'by-role', 'Role own', [APP]),
    roleBinding('team-b', 'elsewhere', 'pods', [APP]),
    roleBinding('team-b', 'no-role', 'Role own', [APP]),
  ]);
  const asked = (namespace: string): readonly string[] => {
    const request = { verb: 'get', apiGroup: '', resource: 'pods', subresource: '', name: 'p', namespace };
    return Array.from(
      permissionsFor(request, view),
      ({ binding, chain, index }) => `${binding.name}: ${chain().join(' ')} ${index}`,
    );
  };
  assert.deepEqual(asked(''), ['everywhere: all pods 0']);
  assert.deepEqual(asked('team-a'), ['everywhere: all pods 0', 'by-cluster-role: pods 0', 'by-role: own 0']);
  assert.deepEqual(asked('team-b'), ['everywhere: all pods 0', 'elsewhere: pods 0']);
});
