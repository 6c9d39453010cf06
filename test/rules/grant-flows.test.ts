// What is there, what is written by whom, and what becomes of it: grants as they come about in a cluster, written
// through the whole webhook. The policy is the default one, but that one account is expected to have everything.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { UserInfo } from '../../src/kube/admission-review.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { CAPABILITIES } from '../../src/rbac/capabilities.ts';
import { defaultRoles } from '../../src/rbac/default-roles.ts';
import { OverlayView } from '../../src/rbac/overlay.ts';
import { clusterRole, clusterRoleBinding, roleBinding } from '../rbac/objects.ts';
import { tweak } from '../support/rule-tester.ts';
import { validateWrite } from '../support/validate-review.ts';

const BAD = { kind: 'ServiceAccount', namespace: 'team-a', name: 'app' };
const EXPECTED = { kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus' };
const NODES_PROXY = { verbs: ['get'], apiGroups: [''], resources: ['nodes/proxy'] };
const METRICS = { verbs: ['get'], nonResourceURLs: ['/metrics'] };
const PODS = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };

const user = (name: string): JsonObject => ({ kind: 'User', name });
const group = (name: string): JsonObject => ({ kind: 'Group', name });
const np = clusterRole('np', [NODES_PROXY]);
const npM1 = clusterRole('np', [NODES_PROXY], { labels: { m: '1' } });
const M1 = [{ matchLabels: { m: '1' } }];
const bound = (...subjects: unknown[]): JsonObject => clusterRoleBinding('b', 'np', subjects);
const labelled = (object: JsonObject): JsonObject => tweak(object, { metadata: { labels: { team: 'a' } } });
const byDefault = (kind: string, name: string): JsonObject => {
  const found = defaultRoles().find(
    (object) => object['kind'] === kind && JSON.stringify(object['metadata']).includes(`"name":"${name}"`),
  );
  assert.ok(found);
  return { ...found, apiVersion: 'rbac.authorization.k8s.io/v1' };
};
const MONITORING = byDefault('ClusterRoleBinding', 'system:monitoring');

const API_SERVER = { username: 'system:apiserver', groups: ['system:masters'] };
const AGGREGATOR = { username: 'system:serviceaccount:kube-system:clusterrole-aggregation-controller', groups: [] };
const ADMIN = { username: 'kubernetes-admin', groups: ['kubeadm:cluster-admins', 'system:authenticated'] };

interface Flow {
  readonly name: string;
  readonly state?: readonly JsonObject[];
  readonly write: JsonObject;
  readonly oldObject?: JsonObject;
  readonly user?: UserInfo;
  readonly spec?: JsonObject;
  /** What the status of a refusal says, the rule that warns, or that nothing is said. */
  readonly verdict: RegExp | `warn ${string}` | 'allow';
}

const BINDINGS: readonly Flow[] = [
  { name: 'F01', state: [np], write: bound(BAD), verdict: /^ServiceAccount team-a\/app gets nodes\/proxy from / },
  { name: 'F02', state: [np], write: bound(EXPECTED), verdict: 'allow' },
  {
    name: 'F04 the expected account by its user name',
    state: [np],
    write: bound(user('system:serviceaccount:monitoring:prometheus')),
    verdict: 'allow',
  },
  {
    name: 'F05 the group of all accounts of the namespace',
    state: [np],
    write: bound(group('system:serviceaccounts:monitoring')),
    verdict: /\(every ServiceAccount of that namespace\) gets nodes\/proxy/,
  },
  {
    name: 'F28 an empty selector takes in every role',
    state: [np, clusterRole('agg', [], { selectors: [{}] })],
    write: clusterRoleBinding('b', 'agg', [BAD]),
    verdict: /rule 0 of ClusterRole "\S+", aggregated agg ← /,
  },
  {
    name: 'F29 NotIn takes in a role without the label',
    state: [
      np,
      clusterRole('agg', [], { selectors: [{ matchExpressions: [{ key: 'm', operator: 'NotIn', values: ['x'] }] }] }),
    ],
    write: clusterRoleBinding('b', 'agg', [BAD]),
    verdict: /aggregated agg ← /,
  },
  {
    name: 'F34 kubeadm binds the API server of a kubelet',
    write: clusterRoleBinding('kubeadm:apiserver-kubelet-client', 'system:kubelet-api-admin', [
      user('kube-apiserver-kubelet-client'),
    ]),
    user: ADMIN,
    verdict: 'allow',
  },
  {
    name: 'F35 the same role to somebody else',
    write: clusterRoleBinding('x', 'system:kubelet-api-admin', [BAD]),
    verdict: /of ClusterRole "system:kubelet-api-admin"/,
  },
  {
    name: 'F37 cluster-admin to system:masters',
    write: clusterRoleBinding('x', 'cluster-admin', [group('system:masters')]),
    verdict: 'allow',
  },
  {
    name: 'F38 cluster-admin to anybody else',
    write: clusterRoleBinding('x', 'cluster-admin', [BAD]),
    verdict: /by a wildcard .* Also refused by nodes-proxy-grant\.$/,
  },
  {
    name: 'F38 where wildcards are advice',
    write: clusterRoleBinding('x', 'cluster-admin', [BAD]),
    spec: {
      rules: {
        'metrics-grant': { params: { wildcards: 'advice' } },
        'nodes-proxy-grant': { params: { wildcards: 'advice' } },
      },
    },
    verdict: 'warn nodes-proxy-grant',
  },
  { name: 'F40', write: clusterRoleBinding('x', 'edit', [BAD]), verdict: 'warn indirect-grant' },
  { name: 'F41', write: clusterRoleBinding('x', 'system:kube-controller-manager', [BAD]), verdict: 'allow' },
  {
    name: 'F46 an apply of a binding that is not there',
    state: [np],
    write: bound(BAD),
    verdict: /nodes\/proxy/,
  },
  {
    name: 'F47 generateName',
    state: [np],
    write: { ...bound(BAD), metadata: { generateName: 'x-' } },
    verdict: /ClusterRoleBinding "x-"/,
  },
  { name: 'F49 another roleRef, created anew', state: [np], write: bound(BAD), verdict: /nodes\/proxy/ },
  { name: 'F50', state: [np], write: bound(), verdict: 'allow' },
  { name: 'F52', state: [np], write: bound(group('prometheus')), verdict: /^Group prometheus gets/ },
  {
    name: 'F53 half of a grant by constrained impersonation',
    state: [
      clusterRole('np', [
        { ...NODES_PROXY, verbs: ['impersonate-on:serviceaccount:get'] },
        { verbs: ['impersonate:serviceaccount'], apiGroups: ['authentication.k8s.io'], resources: ['serviceaccounts'] },
      ]),
    ],
    write: bound(BAD),
    verdict: /nodes\/proxy/,
  },
  {
    name: 'F55',
    state: [
      clusterRole('np', [
        {
          verbs: ['bind'],
          apiGroups: ['rbac.authorization.k8s.io'],
          resources: ['clusterroles'],
          resourceNames: ['view'],
        },
      ]),
    ],
    write: bound(BAD),
    verdict: 'warn indirect-grant',
  },
  { name: 'F56', state: [clusterRole('np', null)], write: bound(BAD), verdict: 'allow' },
];

const UPDATES_OF_BINDINGS: readonly Flow[] = [
  {
    name: 'F16 without a finalizer',
    state: [np],
    oldObject: tweak(bound(BAD), { metadata: { finalizers: ['a/b'] } }),
    write: bound(BAD),
    verdict: 'allow',
  },
  { name: 'F17', state: [np], oldObject: bound(BAD, EXPECTED), write: bound(EXPECTED, BAD, BAD), verdict: 'allow' },
  { name: 'F19', state: [np], oldObject: bound(BAD), write: bound(), verdict: 'allow' },
  { name: 'F20', state: [np], oldObject: bound(BAD), write: labelled(bound(BAD)), verdict: 'allow' },
  {
    name: 'one subject more is told alone',
    state: [np],
    oldObject: bound(BAD),
    write: bound(BAD, user('jane')),
    verdict: /^User jane gets .*\(\/subjects\/1\)/,
  },
  {
    name: 'F32 a subject more in a default binding',
    oldObject: MONITORING,
    write: { ...MONITORING, subjects: [group('system:monitoring'), user('bob')] },
    user: ADMIN,
    verdict: /^User bob gets \/metrics from ClusterRoleBinding "system:monitoring"/,
  },
  {
    name: 'F43 its label exempts nobody',
    oldObject: MONITORING,
    write: tweak(
      { ...MONITORING, subjects: [BAD] },
      { metadata: { labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } } },
    ),
    verdict: /\/metrics/,
  },
];

const R_PODS = clusterRole('r', [PODS]);
const R_PROXY = clusterRole('r', [NODES_PROXY]);
const B_R = clusterRoleBinding('b', 'r', [BAD]);

const ROLES: readonly Flow[] = [
  {
    name: 'F07 the role that a binding waits for',
    state: [clusterRoleBinding('b', 'ghost', [BAD])],
    write: clusterRole('ghost', [METRICS]),
    verdict: /ClusterRoleBinding "b" by rule 0 of ClusterRole "ghost".*\(\/rules\/0\)/,
  },
  {
    name: 'F08',
    state: [clusterRoleBinding('b', 'ghost', [EXPECTED])],
    write: clusterRole('ghost', [METRICS]),
    verdict: 'allow',
  },
  {
    name: 'F10',
    state: [R_PODS, B_R],
    oldObject: R_PODS,
    write: clusterRole('r', [PODS, NODES_PROXY]),
    verdict: /rule 1 of ClusterRole "r", .*\(\/rules\/1\)/,
  },
  {
    name: 'F11',
    state: [R_PROXY, B_R],
    oldObject: R_PROXY,
    write: tweak(R_PROXY, { metadata: { annotations: { a: 'b' } } }),
    verdict: 'allow',
  },
  {
    name: 'F13',
    state: [R_PROXY, B_R],
    oldObject: R_PROXY,
    write: clusterRole('r', [NODES_PROXY, METRICS]),
    verdict: /gets \/metrics .*See https:\/\/scrapeguard\.io\/rules\/metrics-grant\.$/,
  },
  { name: 'F14', state: [R_PROXY, B_R], oldObject: R_PROXY, write: clusterRole('r', []), verdict: 'allow' },
  {
    name: 'F22 a role that a bound role selects',
    state: [clusterRole('agg', [], { selectors: M1 }), clusterRoleBinding('b', 'agg', [BAD])],
    write: npM1,
    verdict: /rule 0 of ClusterRole "np", aggregated agg ← np/,
  },
  {
    name: 'E04 only its label is new',
    state: [np, clusterRole('agg', [], { selectors: M1 }), clusterRoleBinding('b', 'agg', [BAD])],
    oldObject: np,
    write: npM1,
    verdict: /aggregated agg ← np.*\(\/rules\/0\)/,
  },
  {
    name: 'F23 a bound role selects it from now on',
    state: [npM1, clusterRole('agg', []), clusterRoleBinding('b', 'agg', [BAD])],
    oldObject: clusterRole('agg', []),
    write: clusterRole('agg', [], { selectors: M1 }),
    verdict: /aggregated agg ← np.*\(\/aggregationRule\)/,
  },
  {
    name: 'F25 the aggregation controller writes the rules',
    state: [npM1, clusterRole('agg', [], { selectors: M1 }), clusterRoleBinding('b', 'agg', [BAD])],
    oldObject: clusterRole('agg', [], { selectors: M1 }),
    write: clusterRole('agg', [NODES_PROXY], { selectors: M1 }),
    user: AGGREGATOR,
    verdict: 'allow',
  },
  {
    name: 'F26 through view and edit into admin',
    state: [clusterRoleBinding('admins', 'admin', [group('devs')])],
    write: clusterRole('x', [NODES_PROXY], { labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } }),
    verdict: /^Group devs gets nodes\/proxy .*aggregated admin ← edit ← view ← x/,
  },
  {
    name: 'F31 the API server mends a default role',
    oldObject: byDefault('ClusterRole', 'system:discovery'),
    write: clusterRole('system:discovery', [METRICS]),
    user: API_SERVER,
    verdict: 'allow',
  },
  {
    name: 'E19 anybody else writes into a default role',
    oldObject: byDefault('ClusterRole', 'system:discovery'),
    write: clusterRole('system:discovery', [METRICS]),
    user: ADMIN,
    verdict: /^Group system:authenticated \(everybody who has logged in, and every ServiceAccount\) gets \/metrics/,
  },
  { name: 'a role that nobody is bound to', write: np, verdict: 'allow' },
];

const NAMESPACED: Flow = {
  name: 'F44 a RoleBinding gives nothing',
  state: [np],
  write: roleBinding('team-a', 'b', 'np', [BAD]),
  verdict: 'warn ineffective-metrics-rule',
};

const EXPECTING = {
  expectedSubjects: [{ capabilities: CAPABILITIES, subjects: [EXPECTED], reason: 'the scraper of this cluster' }],
};

describe('grants as they come about', () => {
  for (const { name, state = [], write, oldObject, user: writer, spec = {}, verdict } of [
    ...BINDINGS,
    ...UPDATES_OF_BINDINGS,
    ...ROLES,
    NAMESPACED,
  ]) {
    it(name, async () => {
      const { response } = await validateWrite(
        { object: write, ...(oldObject && { oldObject }), ...(writer && { user: writer }) },
        { clusterObjects: state, spec: { ...EXPECTING, ...spec } },
      );
      const { allowed, warnings = [], status } = response;
      if (verdict instanceof RegExp) {
        assert.match(status?.message ?? `allowed with ${warnings.join('\n')}`, verdict);
        assert.equal(status?.code, 403);
        return;
      }
      assert.ok(allowed, status?.message);
      const rules = warnings.map((warning) => warning.split(':', 1)[0]);
      if (verdict === 'allow') assert.deepEqual(warnings, []);
      else assert.ok(rules.includes(verdict.slice('warn '.length)), warnings.join('\n'));
    });
  }
});

describe('where the roles and bindings cannot be read', () => {
  const view = viewOf([]);
  const blind = { ...view, grants: new OverlayView(view.grants, { isCurrent: false }) };
  const answer = async (write: JsonObject, spec: JsonObject = {}): Promise<string> => {
    const { response } = await validateWrite(
      { object: write },
      { viewFor: () => blind, spec: { ...EXPECTING, ...spec } },
    );
    const { allowed, status, warnings = [], auditAnnotations = {} } = response;
    return [allowed ? 'allowed' : status?.code, auditAnnotations['error'] ?? '-', warnings.length].join(' ');
  };
  const rows: readonly [name: string, write: JsonObject, answer: string, spec?: JsonObject][] = [
    ['F61 a binding of an unexpected subject', bound(BAD), '503 unknown 0'],
    ['a binding of somebody who is expected to have everything', bound(EXPECTED), 'allowed - 0'],
    ['a binding of nobody', bound(), 'allowed - 0'],
    ['a role with a sensitive rule', np, '503 unknown 0'],
    ['a role without one', R_PODS, 'allowed - 0'],
    ['a role without one, whatever its labels', clusterRole('r', [PODS], { labels: { m: '1' } }), 'allowed - 0'],
    ['a role that aggregates', clusterRole('r', [], { selectors: M1 }), '503 unknown 0'],
    [
      'a role with what only the strict profile guards',
      clusterRole('r', [{ ...NODES_PROXY, resources: ['nodes/log'] }]),
      'allowed unknown 1',
    ],
    [
      'where the rules only warn',
      bound(BAD),
      'allowed unknown 1',
      { rules: { 'metrics-grant': { maximumMode: 'warn' }, 'nodes-proxy-grant': { maximumMode: 'warn' } } },
    ],
    [
      'where one of them only warns',
      bound(BAD),
      '503 unknown 0',
      { rules: { 'metrics-grant': { maximumMode: 'warn' } } },
    ],
  ];
  for (const [name, write, expected, spec] of rows) {
    it(name, async () => assert.equal(await answer(write, spec), expected));
  }

  it('says to try again', async () => {
    const { response } = await validateWrite({ object: bound(BAD) }, { viewFor: () => blind });
    assert.match(String(response.status?.message), /could not be read.*Try again in a moment\.$/);
    assert.deepEqual(response.status?.details, { retryAfterSeconds: 1 });
  });
});
