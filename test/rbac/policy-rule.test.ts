import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyRulesOf, refusalOf } from '../../src/rbac/policy-rule.ts';

const EMPTY = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] };

test('malformed rules keep their place and read as rules without entries', () => {
  const rules = policyRulesOf({
    rules: [null, 'get', { verbs: 'get', resources: [1, 'pods', null] }, [], { verbs: ['get'] }],
  });
  assert.deepEqual(rules, [EMPTY, EMPTY, { ...EMPTY, resources: ['pods'] }, EMPTY, { ...EMPTY, verbs: ['get'] }]);
});

test('rules that are no list read as none', () => {
  for (const rules of [null, undefined, 'x', 7, {}, { length: 3 }]) assert.deepEqual(policyRulesOf({ rules }), []);
});

test('what the API server does not store, in its own words', async (t) => {
  const url = { ...EMPTY, verbs: ['get'], nonResourceURLs: ['/metrics'] };
  const resource = { ...EMPTY, verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  const rows = [
    ['a rule for URLs', url, undefined, 'namespaced nonResourceURLs'],
    ['a rule for resources', resource, undefined, undefined],
    ['URLs beside apiGroups', { ...url, apiGroups: [''] }, 'mixed with nonResourceURLs', 'namespaced nonResourceURLs'],
    ['URLs beside resources', { ...url, resources: ['x'] }, 'mixed with nonResourceURLs', 'namespaced nonResourceURLs'],
    ['URLs beside names', { ...url, resourceNames: ['x'] }, 'mixed with nonResourceURLs', 'namespaced nonResourceURLs'],
    ['no verbs', { ...resource, verbs: [] }, 'no verbs', 'no verbs'],
    ['no groups', { ...resource, apiGroups: [] }, 'no apiGroups', 'no apiGroups'],
    ['no resources', { ...resource, resources: [] }, 'no resources', 'no resources'],
  ] as const;
  for (const [title, rule, inClusterRole, inRole] of rows) {
    await t.test(title, () => {
      assert.equal(refusalOf(rule, 'ClusterRole'), inClusterRole);
      assert.equal(refusalOf(rule, 'Role'), inRole);
    });
  }
});
