import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';

import { judge } from '../../src/admission/judge.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { messageOf } from '../../src/policy/evaluate.ts';
import { clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import { defaultRoles, DEFAULT_ROLE_VERSIONS } from '../../src/rbac/default-roles.ts';
import { GrantsIndex } from '../../src/rbac/grants-index.ts';
import { OverlayView } from '../../src/rbac/overlay.ts';
import rule from '../../src/rules/ineffective-metrics-rule.ts';
import { clusterRole, role, roleBinding } from '../rbac/objects.ts';
import { readVectors, type Vector, VECTORS_SKIP } from '../rbac/vectors.ts';
import { findingsOf, testRule, type RuleCase } from '../support/rule-tester.ts';
import { judgeAlone, rulesetOf, TODAY } from '../support/rulesets.ts';

const APP = { kind: 'ServiceAccount', namespace: 'team-a', name: 'app' };
const resources = (names: readonly string[], change: JsonObject = {}): JsonObject => ({
  verbs: ['get'],
  apiGroups: [''],
  resources: names,
  ...change,
});
const urls = (...nonResourceURLs: string[]): JsonObject => ({ verbs: ['get'], nonResourceURLs });
const PODS = resources(['pods']);

const inClusterRole = (name: string, given: JsonObject, findings: readonly string[]): RuleCase => ({
  name: `ClusterRole: ${name}`,
  object: clusterRole('r', [given]),
  findings,
});
const inRole = (name: string, given: JsonObject, findings: readonly string[]): RuleCase => ({
  name: `Role: ${name}`,
  object: role('team-a', 'r', [given]),
  findings,
});
const bound = (name: string, rules: readonly JsonObject[], findings: readonly string[]): RuleCase => ({
  name: `RoleBinding: ${name}`,
  object: roleBinding('team-a', 'b', 'r', [APP]),
  clusterObjects: [clusterRole('r', rules)],
  findings,
});

testRule(rule, [
  inClusterRole('what has an effect', resources(['nodes/metrics', 'nodes/proxy']), []),
  inClusterRole('verbs that are not asked', resources(['nodes/proxy'], { verbs: ['list', 'watch'] }), [
    'verb /rules/0/verbs',
  ]),
  inClusterRole('a verb in capitals', resources(['nodes/stats'], { verbs: ['GET'] }), ['verb /rules/0/verbs']),
  inClusterRole('a star after the slash', resources(['nodes/*']), ['resource /rules/0/resources']),
  inClusterRole('a short name', resources(['no/proxy']), ['resource /rules/0/resources']),
  inClusterRole('a capital letter', resources(['Nodes/metrics']), ['resource /rules/0/resources']),
  inClusterRole('the core group by a name', resources(['nodes/proxy'], { apiGroups: ['core'] }), [
    'group /rules/0/apiGroups',
  ]),
  inClusterRole('a star as a name', resources(['nodes/proxy'], { resourceNames: ['*'] }), [
    'name /rules/0/resourceNames',
  ]),
  inClusterRole('all of it', resources(['node/proxy'], { verbs: ['list'], apiGroups: ['v1'], resourceNames: [''] }), [
    'verb /rules/0/verbs',
    'group /rules/0/apiGroups',
    'resource /rules/0/resources',
    'name /rules/0/resourceNames',
  ]),
  inClusterRole('a URL without its slash', urls('metrics'), ['url /rules/0/nonResourceURLs']),
  inClusterRole('a star in front', urls('*/metrics'), ['url /rules/0/nonResourceURLs']),
  inClusterRole('a URL with a verb of resources', { ...urls('/metrics'), verbs: ['list'] }, ['verb /rules/0/verbs']),
  inClusterRole('URLs beside apiGroups', { ...urls('/metrics'), apiGroups: [''] }, [
    'urlsBesideResources /rules/0/nonResourceURLs',
  ]),
  inClusterRole('other URLs beside apiGroups', { ...urls('/healthz'), apiGroups: [''] }, []),
  inClusterRole('nodes of another group', resources(['nodes/proxy'], { apiGroups: ['example.com'] }), []),
  inClusterRole('everything', resources(['*'], { apiGroups: ['*'], verbs: ['*'] }), []),
  inClusterRole('other URLs', urls('/healthz', '/version'), []),
  inClusterRole('nothing about metrics', PODS, []),

  inRole('a URL', urls('/metrics'), ['urlsInRole /rules/0/nonResourceURLs']),
  inRole('another URL', urls('/healthz'), []),
  inRole('a subresource of nodes', resources(['nodes/metrics']), ['nodesInRole /rules/0/resources']),
  inRole('two of them', resources(['nodes/metrics', 'nodes/proxy']), [
    'nodesInRole /rules/0/resources',
    'nodesInRole /rules/0/resources',
  ]),
  inRole('one that would be misspelled, too', resources(['nodes/*'], { verbs: ['list'] }), [
    'nodesInRole /rules/0/resources',
  ]),
  inRole('pods/proxy has an effect', resources(['pods/proxy']), []),
  inRole('the proxy of everything has one on pods', resources(['*/proxy']), []),
  inRole('everything', resources(['*'], { apiGroups: ['*'], verbs: ['*'] }), []),

  bound('R096: a URL', [urls('/metrics')], ['boundInNamespace /roleRef/name']),
  bound('F44: nodes/proxy', [PODS, resources(['nodes/proxy'])], ['boundInNamespace /roleRef/name']),
  bound(
    'R100: everything',
    [resources(['*'], { apiGroups: ['*'], verbs: ['*'] }), { verbs: ['*'], nonResourceURLs: ['*'] }],
    [],
  ),
  bound('the proxy of everything', [resources(['*/proxy'])], []),
  bound('pods/proxy', [resources(['pods/proxy'])], []),
  bound('nothing about metrics', [PODS], []),
  {
    ...bound('by way of aggregation', [], ['boundInNamespace /roleRef/name']),
    clusterObjects: [
      clusterRole('r', [], { selectors: [{ matchLabels: { m: '1' } }] }),
      clusterRole('member', [urls('/metrics')], { labels: { m: '1' } }),
    ],
  },
  {
    name: 'RoleBinding: to a Role, which is judged itself',
    object: roleBinding('team-a', 'b', 'Role r', [APP]),
    clusterObjects: [role('team-a', 'r', [resources(['nodes/proxy'])])],
    findings: [],
  },
  { name: 'RoleBinding: to nothing', object: roleBinding('team-a', 'b', 'ghost', [APP]), findings: [] },
  {
    name: 'an update that adds another rule',
    object: clusterRole('r', [PODS, resources(['nodes/*'])]),
    oldObject: clusterRole('r', [resources(['nodes/*'])]),
    operation: 'UPDATE',
    findings: [],
  },
  ...[undefined, null, 'x', {}, [null, 7, 'x', [], {}], [{ verbs: 'get', resources: {} }]].map((rules) => ({
    name: `malformed rules: ${JSON.stringify(rules)}`,
    object: clusterRole('r', rules),
    findings: [],
  })),
]);

describe('ineffective-metrics-rule', () => {
  it("finds nothing in Kubernetes' own roles and bindings", () => {
    for (const version of DEFAULT_ROLE_VERSIONS) {
      const objects = defaultRoles(version).map((object) =>
        Object.assign({ apiVersion: 'rbac.authorization.k8s.io/v1' }, object),
      );
      assert.ok(objects.length > 50);
      const found = objects.flatMap((object) =>
        findingsOf(rule, { name: '', object, findings: [], clusterObjects: objects }),
      );
      assert.deepEqual(found, []);
    }
  });

  it('says nothing of a RoleBinding where the cluster does not answer', () => {
    const view = { ...viewOf([]), grants: new OverlayView(new GrantsIndex(), { isCurrent: false }) };
    const object = roleBinding('team-a', 'b', 'r', [APP]);
    assert.deepEqual(judge(object, rulesetOf({}, [rule]), { view, today: TODAY }).findings, []);
  });

  it('says what would have an effect, and is advice', () => {
    const object = clusterRole('r', [
      resources(['nodes/*'], { verbs: ['list', 'watch'] }),
      { ...urls('/metrics'), apiGroups: [''] },
    ]);
    const strictest = rulesetOf({ clusterScoped: { enforce: 'strict', warn: 'strict', audit: 'strict' } }, [rule]);
    const { findings } = judgeAlone(object, strictest);
    assert.deepEqual(
      findings.map((finding) => `${finding.mode}: ${messageOf(finding)}`),
      [
        'warn: a rule gives nothing of nodes/proxy: no request for it has the verb "list" or "watch"; "get" is one',
        'warn: a rule gives nothing of nodes/proxy: no request is for "nodes/*"; "nodes/proxy" is what is asked for',
        'warn: a rule has nonResourceURLs beside apiGroups or resources, which the API server refuses with 422',
      ],
    );
    assert.match(findings[2]?.message.remediation ?? '', /\{verbs: \[get\], nonResourceURLs: \[\/metrics\]\}/);
  });
});

test('the executed vectors that are only to be warned about', { skip: VECTORS_SKIP }, async (t) => {
  const vectors = readVectors().filter(({ verdict, missing }) => !verdict.startsWith('n/a') && !missing);
  assert.ok(vectors.length > 80);
  for (const vector of vectors) {
    const clusterObjects = [clusterRole('r', vector.rules)];
    const found = findingsOf(rule, { name: '', object: objectOf(vector), findings: [], clusterObjects });
    const [word] = vector.verdict.split(' ');
    if (word === 'allow' || word === 'ignore') await t.test(vector.id, () => assert.deepEqual(found, []));
    // What is warned about and gives a capability is another rule's business.
    else if (word === 'warn' && !vector.want && !givesSomething(vector)) {
      await t.test(vector.id, () => assert.notDeepEqual(found, []));
    }
  }
});

/** True for the vectors whose role gives what a strict rule about grants warns of. */
function givesSomething({ rules, via }: Vector): boolean {
  if (via !== 'crb') return false;
  const object = clusterRole('r', rules);
  return clusterRoleOf(object).gives.any !== 0;
}

/** The object of a vector that the rule is about: the role, or the RoleBinding to a ClusterRole. */
function objectOf({ via, ns, rules, subjects }: Vector): JsonObject {
  if (via === 'rb-cr') return roleBinding(ns, 'b', 'r', subjects);
  return via === 'rb-r' ? role(ns, 'r', rules) : clusterRole('r', rules);
}
