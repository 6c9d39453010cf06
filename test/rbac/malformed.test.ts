// Objects of every shape and size that an index may be given: it neither breaks nor slows down out of proportion.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isObject, type JsonObject } from '../../src/kube/json.ts';
import { clusterRoleBindingOf } from '../../src/rbac/bindings.ts';
import { CAPABILITIES } from '../../src/rbac/capabilities.ts';
import { clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import { deltaOfBinding, deltaOfRole } from '../../src/rbac/delta.ts';
import { grantsOf } from '../../src/rbac/grants.ts';
import { GrantsIndex } from '../../src/rbac/grants-index.ts';
import { nearMissesOf } from '../../src/rbac/near-misses.ts';
import { grantsOfCapability } from '../../src/rbac/who-can.ts';
import { clusterRole, clusterRoleBinding, indexOf } from './objects.ts';

const LARGE = 100_000;
const ROLE = clusterRole('r', [{ verbs: ['get'], apiGroups: [''], resources: ['nodes/proxy'], resourceNames: ['n'] }], {
  labels: { m: '1' },
  selectors: [{ matchLabels: { m: '1' }, matchExpressions: [{ key: 'm', operator: 'In', values: ['1'] }] }],
});
const BINDING = clusterRoleBinding('b', 'r', [{ kind: 'ServiceAccount', namespace: 'a', name: 'b' }]);

test('no value in the place of another breaks anything', () => {
  const value = fc.oneof(
    fc.constantFrom(
      null,
      undefined,
      true,
      0,
      -1,
      '',
      '*',
      '__proto__',
      'constructor',
      [],
      [null],
      [[]],
      {},
      { length: 2 },
    ),
    fc.json({ maxDepth: 3 }).map((text): unknown => JSON.parse(text)),
  );
  const place = (object: JsonObject): fc.Arbitrary<readonly string[]> => fc.constantFrom(...placesIn(object));
  fc.assert(
    fc.property(place(ROLE), place(BINDING), value, value, (inRole, inBinding, forRole, forBinding) => {
      exercise(replaced(ROLE, inRole, forRole), replaced(BINDING, inBinding, forBinding));
    }),
    { numRuns: 2000 },
  );
});

test('anything at all may stand for a role and a binding', () => {
  const anything = fc
    .anything({ maxDepth: 4, withNullPrototype: true })
    .map((each) => (isObject(each) ? each : { metadata: each }));
  fc.assert(
    fc.property(anything, anything, (role, binding) => exercise(role, binding)),
    { numRuns: 1000 },
  );
});

test('names that objects inherit are names like any other', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const labels: JsonObject = JSON.parse(`{"${name}": "1"}`);
    const view = indexOf([
      { ...clusterRole(name, [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }]), metadata: { name, labels } },
      clusterRole('all', [], { selectors: [{ matchLabels: labels }] }),
      clusterRoleBinding(name, 'all', [{ kind: 'User', name }]),
    ]);
    const [grant] = [...grantsOfCapability('metrics', view)];
    assert.deepEqual([grant?.binding.name, grant?.subject.name, grant?.chain()], [name, name, ['all', name]]);
    assert.equal(indexOf([]).clusterRole(name), 'not found');
  }
});

test('a hundred thousand rules', () => {
  const rules = Array.from({ length: LARGE }, (_, at) => ({
    verbs: ['get'],
    apiGroups: [''],
    resources: ['nodes/proxy', `x${at}`],
    resourceNames: [`n${at}`],
  }));
  const view = indexOf([clusterRoleBinding('b', 'r', [{ kind: 'User', name: 'jane' }])]);
  const delta = deltaOfRole(
    clusterRoleOf(clusterRole('r', rules.slice(1))),
    clusterRoleOf(clusterRole('r', rules)),
    view,
  );
  assert.ok(delta !== 'unknown');
  assert.deepEqual(
    delta[0]?.grants.map(({ capability, scopes, rule }) => [capability, scopes, rule]),
    [['nodes/proxy', ['n0'], 0]],
  );
});

test('a hundred thousand rules that give no more than the first are kept as one grant', () => {
  const rule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  const role = clusterRoleOf(
    clusterRole(
      'r',
      Array.from({ length: LARGE }, () => rule),
    ),
  );
  assert.equal(role.rules.length, LARGE);
  assert.equal(role.gives.byRule.length, 1);
});

test('a hundred thousand subjects', () => {
  const subjects = Array.from({ length: LARGE }, (_, at) => ({ kind: 'User', name: `user${at}` }));
  const view = indexOf([clusterRole('r', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }])]);
  const before = clusterRoleBindingOf(clusterRoleBinding('b', 'r', subjects.slice(1)));
  const delta = deltaOfBinding(before, clusterRoleBindingOf(clusterRoleBinding('b', 'r', subjects)), view);
  assert.ok(delta !== 'unknown');
  assert.deepEqual(
    delta[0]?.subjects.map(({ name }) => name),
    ['user0'],
  );
  assert.equal(delta[0]?.grants.length, CAPABILITIES.length - 1);
});

test('a hundred thousand labels and selectors', () => {
  const labels = Object.fromEntries(Array.from({ length: LARGE }, (_, at) => [`l${at}`, '1']));
  const selectors = Array.from({ length: LARGE }, (_, at) => ({ matchLabels: { [`l${at}`]: '1' } }));
  const role = clusterRoleOf(
    clusterRole('r', [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }], { labels, selectors }),
  );
  const view = indexOf([clusterRoleBinding('b', 'r', [{ kind: 'User', name: 'jane' }])]);
  const delta = deltaOfRole(undefined, role, view);
  assert.ok(delta !== 'unknown' && delta.length === 1);
});

test('very long entries', () => {
  const long = `/metrics/${'a'.repeat(1_000_000)}`;
  const urls = [`${long}*`, long, '*'.repeat(1_000_000), `${'/'.repeat(1_000_000)}metrics`];
  const role = clusterRoleOf(clusterRole('r', [{ verbs: ['get'], nonResourceURLs: urls }]));
  assert.equal(role.gives.byRule.length, 2);
  for (const rule of role.rules) assert.deepEqual(nearMissesOf(rule), []);
});

function exercise(role: JsonObject, binding: JsonObject): void {
  const index = new GrantsIndex();
  const [readRole, readBinding] = [clusterRoleOf(role), clusterRoleBindingOf(binding)];
  for (const rule of readRole.rules) nearMissesOf(rule);
  deltaOfRole(clusterRoleOf(ROLE), readRole, indexOf([BINDING]));
  deltaOfBinding(clusterRoleBindingOf(BINDING), readBinding, indexOf([ROLE]));
  index.upsertClusterRole(role);
  index.upsertClusterRoleBinding(binding);
  index.upsertRole(role);
  index.upsertRoleBinding(binding);
  grantsOf(readBinding, index);
  for (const capability of CAPABILITIES) assert.ok([...grantsOfCapability(capability, index)].length <= 1);
  index.deleteClusterRole(readRole.name);
  index.deleteClusterRoleBinding(readBinding.name);
  assert.deepEqual([[...index.clusterRoles()], [...index.clusterRoleBindings()]], [[], []]);
}

/** Every way into an object. */
function placesIn(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  const below = ([key, item]: [string, unknown]): readonly (readonly string[])[] =>
    [[], ...placesIn(item)].map((place) => [key].concat(place));
  return Object.entries(value).flatMap(below);
}

function replaced(object: JsonObject, [first, ...rest]: readonly string[], value: unknown): JsonObject {
  if (first === undefined) return object;
  const inner = object[first];
  const next = rest.length === 0 ? value : replaced(isObject(inner) ? inner : { ...Object(inner) }, rest, value);
  return Array.isArray(object) ? Object.assign([...object], { [first]: next }) : { ...object, [first]: next };
}
