import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { authorize } from '../../src/rbac/authorize.ts';
import { grantsOfObjects } from '../../src/rbac/grants-of-objects.ts';
import { clusterRole, clusterRoleBinding } from './objects.ts';

const METRICS = { nonResourceURLs: ['/metrics'], verbs: ['get'] };
const REQUEST = { verb: 'get', path: '/metrics' };
const ANN = { name: 'ann', groups: [] };
const BOB = { name: 'bob', groups: [] };

const user = (name: string) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name });

describe('the grants of manifests', () => {
  it('stand over the default roles', () => {
    const view = grantsOfObjects([]);
    assert.equal(authorize({ name: 'root', groups: ['system:masters'] }, REQUEST, view).allowed, true);
    assert.equal(authorize(ANN, REQUEST, view).allowed, false);
  });

  it('replace the default of their name', () => {
    const view = grantsOfObjects([clusterRole('cluster-admin', [])]);
    assert.equal(authorize({ name: 'root', groups: ['system:masters'] }, REQUEST, view).allowed, false);
  });

  it('unite objects of one kind and name', () => {
    const view = grantsOfObjects([
      clusterRole('reader', []),
      clusterRole('reader', [METRICS]),
      clusterRoleBinding('b', 'reader', [user('ann')]),
      clusterRoleBinding('b', 'reader', [user('bob')]),
    ]);
    for (const someone of [ANN, BOB]) assert.equal(authorize(someone, REQUEST, view).allowed, true, someone.name);
  });

  it('unite the labels and selectors of a role that comes twice', () => {
    const view = grantsOfObjects([
      clusterRole('sum', [], { selectors: [{ matchLabels: { part: 'a' } }] }),
      clusterRole('sum', [], { selectors: [{ matchLabels: { part: 'b' } }] }),
      clusterRole('part', [METRICS], { labels: { part: 'b' } }),
      clusterRole('part', [], { labels: { other: 'x' } }),
      clusterRoleBinding('b', 'sum', [user('ann')]),
    ]);
    assert.equal(authorize(ANN, REQUEST, view).allowed, true);
  });

  it('pass over what is of another group', () => {
    const other = { ...clusterRoleBinding('b', 'cluster-admin', [user('ann')]), apiVersion: 'example.com/v1' };
    assert.equal(authorize(ANN, REQUEST, grantsOfObjects([other])).allowed, false);
  });
});
