import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/kube/json.ts';
import { clusterRoleBindingOf } from '../../src/rbac/bindings.ts';
import { clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import { type Delta, deltaOfBinding, deltaOfRole } from '../../src/rbac/delta.ts';
import { unitsOf } from '../../src/rbac/grants.ts';
import type { GrantsView } from '../../src/rbac/grants-view.ts';
import { OverlayView } from '../../src/rbac/overlay.ts';
import { displaySubject } from '../../src/rbac/subjects.ts';
import { clusterRole, clusterRoleBinding, indexOf } from './objects.ts';

const NODES_PROXY = { verbs: ['get'], apiGroups: [''], resources: ['nodes/proxy'] };
const METRICS = { verbs: ['get'], nonResourceURLs: ['/metrics'] };
const PODS = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const BAD = { kind: 'ServiceAccount', namespace: 'team-a', name: 'app' };
const GOOD = { kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus' };
const M1 = [{ matchLabels: { m: '1' } }];

const np = clusterRole('np', [NODES_PROXY]);
const bound = (to: string, ...subjects: readonly object[]): JsonObject => clusterRoleBinding('b', to, subjects);
const named = (...names: readonly string[]): object => ({ ...NODES_PROXY, resourceNames: names });
const urls = (...paths: readonly string[]): object => ({ verbs: ['get'], nonResourceURLs: paths });

/** What was there, what is written (the old object is looked up by name), and each unit that the write adds. */
interface Row {
  readonly title: string;
  readonly state?: readonly JsonObject[];
  readonly write: JsonObject;
  readonly adds: readonly string[];
}

const BINDINGS: readonly Row[] = [
  { title: 'a new binding', state: [np], write: bound('np', BAD), adds: ['b team-a/app nodes/proxy'] },
  {
    title: 'the user that a ServiceAccount is',
    state: [np],
    write: bound('np', { kind: 'User', name: 'system:serviceaccount:team-a:app' }),
    adds: ['b team-a/app nodes/proxy'],
  },
  { title: 'a role that does not exist', write: bound('ghost', BAD), adds: [] },
  { title: 'no subjects', state: [np], write: bound('np'), adds: [] },
  {
    title: 'no name yet',
    state: [np],
    write: { ...bound('np', BAD), metadata: { generateName: 'x-' } },
    adds: [' team-a/app nodes/proxy'],
  },
  {
    title: 'nothing but labels',
    state: [np, bound('np', BAD)],
    write: { ...bound('np', BAD), metadata: { name: 'b', labels: { a: 'b' } } },
    adds: [],
  },
  {
    title: 'subjects in another order, twice',
    state: [np, bound('np', BAD, GOOD)],
    write: bound('np', GOOD, BAD, BAD),
    adds: [],
  },
  {
    title: 'the same subject spelled otherwise',
    state: [np, bound('np', BAD)],
    write: bound('np', { kind: 'User', name: 'system:serviceaccount:team-a:app', namespace: 'x' }),
    adds: [],
  },
  { title: 'one subject less', state: [np, bound('np', BAD, GOOD)], write: bound('np', GOOD), adds: [] },
  {
    title: 'one subject more',
    state: [np, bound('np', BAD)],
    write: bound('np', BAD, GOOD),
    adds: ['b monitoring/prometheus nodes/proxy'],
  },
  {
    title: 'one subject more, who is in a group that was there',
    state: [np, bound('np', { kind: 'Group', name: 'system:authenticated' })],
    write: bound('np', { kind: 'Group', name: 'system:authenticated' }, BAD),
    adds: ['b team-a/app nodes/proxy'],
  },
  {
    title: 'another binding gave the same before',
    state: [np, clusterRoleBinding('old', 'np', [BAD])],
    write: bound('np', BAD),
    adds: ['b team-a/app nodes/proxy'],
  },
  {
    title: 'another role',
    state: [np, clusterRole('pods', [PODS]), bound('pods', BAD)],
    write: bound('np', BAD),
    adds: ['b team-a/app nodes/proxy'],
  },
  {
    title: 'an aggregated role whose rules are not there yet',
    state: [clusterRole('np', [NODES_PROXY], { labels: { m: '1' } }), clusterRole('all', [], { selectors: M1 })],
    write: bound('all', BAD),
    adds: ['b team-a/app nodes/proxy <- all <- np 0'],
  },
  {
    title: 'a role that selects every role without a label',
    state: [
      np,
      clusterRole('all', [], { selectors: [{ matchExpressions: [{ key: 'm', operator: 'NotIn', values: ['x'] }] }] }),
    ],
    write: bound('all', BAD),
    adds: ['b team-a/app nodes/proxy <- all <- np 0'],
  },
  {
    title: 'a role that gives nothing of this',
    state: [clusterRole('pods', [PODS])],
    write: bound('pods', BAD),
    adds: [],
  },
  { title: 'rules that are null', state: [clusterRole('r', null)], write: bound('r', BAD), adds: [] },
  {
    title: 'half of a grant by constrained impersonation',
    state: [
      clusterRole('r', [
        { ...NODES_PROXY, verbs: ['impersonate-on:serviceaccount:get'] },
        { verbs: ['impersonate:serviceaccount'], apiGroups: ['authentication.k8s.io'], resources: ['serviceaccounts'] },
      ]),
    ],
    write: bound('r', BAD),
    adds: ['b team-a/app nodes/proxy', 'b team-a/app impersonate <- r 1'],
  },
];

const ROLES: readonly Row[] = [
  {
    title: 'a role that was bound before it existed',
    state: [bound('ghost', BAD)],
    write: clusterRole('ghost', [METRICS]),
    adds: ['b team-a/app metrics'],
  },
  { title: 'a role that nobody is bound to', write: np, adds: [] },
  { title: 'a bound role without subjects', state: [bound('np')], write: np, adds: [] },
  {
    title: 'one rule more',
    state: [clusterRole('r', [PODS]), bound('r', BAD, GOOD)],
    write: clusterRole('r', [PODS, NODES_PROXY]),
    adds: ['b team-a/app nodes/proxy <- r 1', 'b monitoring/prometheus nodes/proxy <- r 1'],
  },
  {
    title: 'nothing but an annotation',
    state: [np, bound('np', BAD)],
    write: { ...np, metadata: { name: 'np', annotations: { a: 'b' } } },
    adds: [],
  },
  {
    title: 'another capability',
    state: [np, bound('np', BAD)],
    write: clusterRole('np', [METRICS, NODES_PROXY]),
    adds: ['b team-a/app metrics'],
  },
  { title: 'one rule less', state: [clusterRole('np', [METRICS, NODES_PROXY]), bound('np', BAD)], write: np, adds: [] },
  {
    title: 'the wildcard in place of the entry',
    state: [np, bound('np', BAD)],
    write: clusterRole('np', [{ ...NODES_PROXY, resources: ['nodes/proxy', '*/proxy'] }]),
    adds: ['b team-a/app pods/proxy', 'b team-a/app services/proxy'],
  },
  {
    title: 'a name in place of all',
    state: [np, bound('np', BAD)],
    write: clusterRole('np', [named('node1')]),
    adds: [],
  },
  {
    title: 'all in place of a name',
    state: [clusterRole('np', [named('node1')]), bound('np', BAD)],
    write: np,
    adds: ['b team-a/app nodes/proxy'],
  },
  {
    title: 'one name more',
    state: [clusterRole('np', [named('node1')]), bound('np', BAD)],
    write: clusterRole('np', [named('node1', 'node2')]),
    adds: ['b team-a/app nodes/proxy[node2]'],
  },
  {
    title: 'the same names in two rules',
    state: [clusterRole('np', [named('a', 'b')]), bound('np', BAD)],
    write: clusterRole('np', [named('b'), named('a')]),
    adds: [],
  },
  {
    title: 'one name more in a rule of its own, which is the one that is told',
    state: [clusterRole('np', [named('a')]), bound('np', BAD)],
    write: clusterRole('np', [named('a'), named('b')]),
    adds: ['b team-a/app nodes/proxy[b] <- np 1'],
  },
  {
    title: 'a path below /metrics where the whole was',
    state: [clusterRole('r', [METRICS]), bound('r', BAD)],
    write: clusterRole('r', [urls('/metrics/cadvisor')]),
    adds: [],
  },
  {
    title: '/metrics where a path below it was',
    state: [clusterRole('r', [urls('/metrics/*')]), bound('r', BAD)],
    write: clusterRole('r', [METRICS]),
    adds: ['b team-a/app metrics'],
  },
  {
    title: 'paths that a prefix covers, and one that it does not',
    state: [clusterRole('r', [urls('/metrics/c*', '/metrics/a')]), bound('r', BAD)],
    write: clusterRole('r', [urls('/metrics/cadvisor', '/metrics/ca*', '/metrics/slis', '/metrics/a')]),
    adds: ['b team-a/app metrics[/metrics/slis]'],
  },
  {
    title: 'a longer prefix is not covered by a path',
    state: [clusterRole('r', [urls('/metrics/a')]), bound('r', BAD)],
    write: clusterRole('r', [urls('/metrics/a*')]),
    adds: ['b team-a/app metrics[/metrics/a*]'],
  },
  {
    title: 'a new member of a bound role, by its label',
    state: [clusterRole('all', [], { selectors: M1 }), bound('all', BAD)],
    write: clusterRole('np', [NODES_PROXY], { labels: { m: '1' } }),
    adds: ['b team-a/app nodes/proxy <- all <- np 0'],
  },
  {
    title: 'a label and nothing else',
    state: [np, clusterRole('all', [], { selectors: M1 }), bound('all', BAD)],
    write: clusterRole('np', [NODES_PROXY], { labels: { m: '1' } }),
    adds: ['b team-a/app nodes/proxy <- all <- np 0'],
  },
  {
    title: 'the value of a label and nothing else',
    state: [
      clusterRole('np', [NODES_PROXY], { labels: { m: '0' } }),
      clusterRole('all', [], { selectors: M1 }),
      bound('all', BAD),
    ],
    write: clusterRole('np', [NODES_PROXY], { labels: { m: '1' } }),
    adds: ['b team-a/app nodes/proxy <- all <- np 0'],
  },
  {
    title: 'an aggregationRule and nothing else',
    state: [clusterRole('np', [NODES_PROXY], { labels: { m: '1' } }), clusterRole('all', []), bound('all', BAD)],
    write: clusterRole('all', [], { selectors: M1 }),
    adds: ['b team-a/app nodes/proxy <- all <- np 0'],
  },
  {
    title: 'an aggregationRule that selects everything',
    state: [np, clusterRole('all', []), bound('all', BAD)],
    write: clusterRole('all', [], { selectors: [{}] }),
    adds: ['b team-a/app nodes/proxy <- all <- np 0'],
  },
  {
    title: 'three levels of aggregation',
    state: [
      clusterRole('admin', null, { selectors: [{ matchLabels: { 'to-admin': 'true' } }] }),
      clusterRole('edit', null, {
        labels: { 'to-admin': 'true' },
        selectors: [{ matchLabels: { 'to-edit': 'true' } }],
      }),
      clusterRole('view', null, { labels: { 'to-edit': 'true' }, selectors: [{ matchLabels: { 'to-view': 'true' } }] }),
      bound('admin', { kind: 'Group', name: 'devs' }),
    ],
    write: clusterRole('x', [PODS, NODES_PROXY], { labels: { 'to-view': 'true' } }),
    adds: ['b Group devs nodes/proxy <- admin <- edit <- view <- x 1'],
  },
  {
    title: 'what the controller writes when members are known',
    state: [
      clusterRole('np', [NODES_PROXY], { labels: { m: '1' } }),
      clusterRole('all', [], { selectors: M1 }),
      bound('all', BAD),
    ],
    write: clusterRole('all', [NODES_PROXY], { selectors: M1 }),
    adds: [],
  },
  {
    title: 'a second member that gives the same',
    state: [
      clusterRole('np', [NODES_PROXY], { labels: { m: '1' } }),
      clusterRole('all', [], { selectors: M1 }),
      bound('all', BAD),
    ],
    write: clusterRole('too', [NODES_PROXY, METRICS], { labels: { m: '1' } }),
    adds: ['b team-a/app metrics <- all <- too 1'],
  },
  {
    title: 'a second member that gives names where the first gives one of them',
    state: [
      clusterRole('np', [named('a')], { labels: { m: '1' } }),
      clusterRole('all', [], { selectors: M1 }),
      bound('all', BAD),
    ],
    write: clusterRole('too', [named('a', 'b')], { labels: { m: '1' } }),
    adds: ['b team-a/app nodes/proxy[b] <- all <- too 0'],
  },
  {
    title: 'a second member that gives paths where the first gives a prefix',
    state: [
      clusterRole('p', [urls('/metrics/c*')], { labels: { m: '1' } }),
      clusterRole('all', [], { selectors: M1 }),
      bound('all', BAD),
    ],
    write: clusterRole('too', [urls('/metrics/c', '/metrics/d')], { labels: { m: '1' } }),
    adds: ['b team-a/app metrics[/metrics/d] <- all <- too 0'],
  },
  {
    title: 'what a member gave through another role too',
    state: [
      clusterRole('np', [NODES_PROXY], { labels: { m: '1' } }),
      clusterRole('all', [], { selectors: M1 }),
      clusterRole('more', [], { selectors: [{ matchLabels: { n: '1' } }] }),
      bound('all', BAD),
      clusterRoleBinding('c', 'more', [GOOD]),
    ],
    write: clusterRole('np', [NODES_PROXY], { labels: { m: '1', n: '1' } }),
    adds: ['c monitoring/prometheus nodes/proxy <- more <- np 0'],
  },
  {
    title: 'two roles that select each other',
    state: [
      clusterRole('a', [], { labels: { m: '1' }, selectors: M1 }),
      clusterRole('b', [], { labels: { m: '1' }, selectors: M1 }),
      clusterRoleBinding('to-b', 'b', [BAD]),
    ],
    write: clusterRole('a', [METRICS], { labels: { m: '1' }, selectors: M1 }),
    adds: ['to-b team-a/app metrics <- b <- a 0'],
  },
  {
    title: 'an explicit entry where a wildcard was',
    state: [clusterRole('r', [{ ...NODES_PROXY, resources: ['*'] }]), bound('r', BAD)],
    write: clusterRole('r', [NODES_PROXY, { ...NODES_PROXY, resources: ['*'] }]),
    adds: [],
  },
  {
    title: 'both at once: the explicit one counts',
    state: [clusterRole('r', []), bound('r', BAD)],
    write: clusterRole('r', [urls('*'), urls('/metrics')]),
    adds: ['b team-a/app metrics <- r 1'],
  },
  {
    title: 'names by a wildcard, and some of them explicitly',
    state: [clusterRole('r', []), bound('r', BAD)],
    write: clusterRole('r', [
      { verbs: ['get'], apiGroups: [''], resources: ['nodes/proxy'], resourceNames: ['a'] },
      { verbs: ['*'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'], resourceNames: ['a', 'b'] },
      { verbs: ['bind'], apiGroups: ['*'], resources: ['clusterroles'], resourceNames: ['b', 'c'] },
    ]),
    adds: [
      'b team-a/app nodes/proxy[a]',
      'b team-a/app ~escalate[a b] <- r 1',
      'b team-a/app bind[b c] <- r 2',
      'b team-a/app ~bind[a] <- r 1',
    ],
  },
  {
    title: 'a wildcard beside an explicit path: both count',
    state: [clusterRole('r', []), bound('r', BAD)],
    write: clusterRole('r', [urls('*'), urls('/metrics/a')]),
    adds: ['b team-a/app ~metrics', 'b team-a/app metrics[/metrics/a] <- r 1'],
  },
];

for (const { title, state = [], write, adds } of BINDINGS) {
  test(`a ClusterRoleBinding: ${title}`, () => {
    assert.deepEqual(described(deltaOfWrite(write, state)), adds);
  });
}

for (const { title, state = [], write, adds } of ROLES) {
  test(`a ClusterRole: ${title}`, () => {
    assert.deepEqual(described(deltaOfWrite(write, state)), adds);
    // A watch may have brought the write already; what the request says was before holds.
    const index = indexOf([...state, write]);
    assert.deepEqual(described(deltaOfWrite(write, state, index)), adds);
  });
}

test('unknown is only what depends on what is not known', () => {
  const stale = new OverlayView(indexOf([np, clusterRole('all', [], { selectors: M1 }), bound('np', BAD)]), {
    isCurrent: false,
  });
  const fetched = (role: JsonObject): GrantsView => {
    const read = clusterRoleOf(role);
    return new OverlayView(stale, { clusterRoles: new Map([[read.name, read]]) });
  };
  const toNp = clusterRoleBindingOf(bound('np', BAD));
  const toAll = clusterRoleBindingOf(bound('all', BAD));
  assert.equal(deltaOfBinding(undefined, toNp, stale), 'unknown');
  assert.deepEqual(described(deltaOfBinding(undefined, toNp, fetched(np))), ['b team-a/app nodes/proxy']);
  assert.equal(deltaOfBinding(undefined, toAll, fetched(clusterRole('all', [], { selectors: M1 }))), 'unknown');
  assert.deepEqual(deltaOfBinding(toNp, toNp, stale), []);
  const absent = new OverlayView(stale, { clusterRoles: new Map([['np', undefined]]) });
  assert.deepEqual(deltaOfBinding(undefined, toNp, absent), []);
  assert.equal(deltaOfRole(undefined, clusterRoleOf(np), stale), 'unknown');
  assert.deepEqual(deltaOfRole(clusterRoleOf(np), clusterRoleOf(clusterRole('np', [PODS])), stale), []);
  assert.deepEqual(deltaOfRole(clusterRoleOf(np), clusterRoleOf(clusterRole('np', [PODS, NODES_PROXY])), stale), []);
  const labelled = clusterRoleOf(clusterRole('np', [NODES_PROXY], { labels: { m: '1' } }));
  assert.equal(deltaOfRole(clusterRoleOf(np), labelled, stale), 'unknown');
});

test('a subject or a rule is not repeated for each of ten thousand scopes', () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `node${at}`);
  const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: names };
  const state = [clusterRole('r', []), bound('r', BAD)];
  const delta = deltaOfWrite(clusterRole('r', [everything]), state);
  assert.ok(delta !== 'unknown' && delta[0] !== undefined);
  assert.equal(delta[0].grants.length, 14);
  assert.deepEqual(delta[0].grants[0]?.scopes, names);
});

function deltaOfWrite(write: JsonObject, state: readonly JsonObject[], view: GrantsView = indexOf(state)): Delta {
  const before = state.find((object) => object['kind'] === write['kind'] && nameOf(object) === nameOf(write));
  return write['kind'] === 'ClusterRole'
    ? deltaOfRole(before && clusterRoleOf(before), clusterRoleOf(write), view)
    : deltaOfBinding(before && clusterRoleBindingOf(before), clusterRoleBindingOf(write), view);
}

function nameOf(object: JsonObject): unknown {
  return clusterRoleOf(object).name;
}

/** `binding subject capability[scopes]`, `~` before a wildcard's, and the way where it is longer than one role's first rule. */
function described(delta: Delta): readonly string[] {
  if (delta === 'unknown') return ['unknown'];
  return delta.flatMap((added) =>
    Array.from(unitsOf(added), ({ binding, subject, capability, how, scopes, chain, rule }) => {
      const limit = scopes === undefined ? '' : `[${scopes.join(' ')}]`;
      const isShort = rule === 0 && chain().length === 1;
      const way = isShort ? '' : ` <- ${chain().join(' <- ')} ${rule}`;
      const whom = displaySubject(subject).replace('ServiceAccount ', '');
      return `${binding.name} ${whom} ${how === 'wildcard' ? '~' : ''}${capability}${limit}${way}`;
    }),
  );
}
