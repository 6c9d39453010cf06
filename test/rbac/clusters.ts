// Small clusters for properties: roles that aggregate each other and give capabilities in part, and bindings to them.
import * as fc from 'fast-check';
import type { JsonObject } from '../../src/kube/json.ts';
import { policyRule, subject } from './authorization-cases.ts';
import { clusterRole, clusterRoleBinding } from './objects.ts';

const ROLES = ['r0', 'r1', 'r2', 'r3', 'r4'];

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

const sensitiveRule = fc.oneof(
  fc.record(
    {
      verbs: fc.constantFrom(['get'], ['*'], ['list', 'get']),
      apiGroups: fc.constantFrom([''], ['*']),
      resources: fc.subarray(['nodes/proxy', 'nodes/metrics', '*', 'pods', '*/proxy', 'users'], {
        minLength: 1,
        maxLength: 2,
      }),
      resourceNames: fc.subarray(['n1', 'n2', 'n3', '/metrics/a'], { maxLength: 2 }),
    },
    { requiredKeys: ['verbs', 'apiGroups', 'resources'] },
  ),
  fc.record({
    verbs: fc.constantFrom(['get'], ['post', 'list']),
    nonResourceURLs: fc.subarray(['/metrics', '/m*', '*', '/metrics/a', '/metrics/a*', '/metrics/*', '/metrics/b'], {
      minLength: 1,
      maxLength: 2,
    }),
  }),
);

/** Rules of a role, most of which give something. */
export const rules: fc.Arbitrary<JsonObject[]> = fc.array(fc.oneof(sensitiveRule, sensitiveRule, policyRule), {
  maxLength: 3,
});

/** A ClusterRole of a small cluster. */
export const someRole: fc.Arbitrary<JsonObject> = fc
  .record({ name: fc.constantFrom(...ROLES), rules, labels: labelSet, selectors: fc.array(selector, { maxLength: 2 }) })
  .map(({ name, rules: own, labels, selectors }) => clusterRole(name, own, { labels, selectors }));

/** A ClusterRoleBinding of a small cluster. */
export const someBinding: fc.Arbitrary<JsonObject> = fc
  .record({
    name: fc.constantFrom('b0', 'b1', 'b2', 'b3'),
    to: fc.constantFrom(...ROLES),
    subjects: fc.array(subject, { maxLength: 3 }),
  })
  .map(({ name, to, subjects }) => clusterRoleBinding(name, to, subjects));

/** Objects of a small cluster: each kind and name at most once. */
export const someCluster: fc.Arbitrary<JsonObject[]> = fc
  .tuple(uniqueByName(someRole, 5), uniqueByName(someBinding, 4))
  .map((lists) => lists.flat());

function uniqueByName(arbitrary: fc.Arbitrary<JsonObject>, maxLength: number): fc.Arbitrary<JsonObject[]> {
  return fc.uniqueArray(arbitrary, {
    maxLength,
    selector: (object) => JSON.stringify(object['metadata']).slice(0, 12),
  });
}
