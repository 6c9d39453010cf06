import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { judge } from '../../src/admission/judge.ts';
import { initialPolicyYaml } from '../../src/cli/policy-yaml.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { readManifests } from '../../src/manifests/manifests.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import type { PolicyDocument } from '../../src/policy/document.ts';
import { initialExpectations } from '../../src/policy/initial-policy.ts';
import { policyParser } from '../../src/policy/parse.ts';
import { makeRuleset } from '../../src/policy/ruleset.ts';
import { displaySubject } from '../../src/rbac/subjects.ts';
import { RULES } from '../../src/rules/index.ts';
import { someCluster } from '../rbac/clusters.ts';
import { clusterRole, clusterRoleBinding } from '../rbac/objects.ts';
import { anyText } from '../support/any-text.ts';
import { TODAY } from '../support/rulesets.ts';

const parse = policyParser(RULES);
const GRANT_RULES = RULES.filter(({ meta }) => meta.judgesGrants === true);
const METRICS = { verbs: ['get'], nonResourceURLs: ['/metrics'] };
const PROXY = { verbs: ['get'], apiGroups: [''], resources: ['nodes/proxy'] };
const account = (name: string): JsonObject => ({ kind: 'ServiceAccount', namespace: 'monitoring', name });

/** The policy that is printed for these objects, as the program reads it back. */
function policyFor(objects: readonly JsonObject[]): PolicyDocument {
  const text = initialPolicyYaml(initialExpectations(viewOf(objects).grants));
  const { manifests, errors, warnings } = readManifests('policy', text);
  assert.deepEqual([manifests.length, errors, warnings], [1, [], []], text);
  const parsed = parse(manifests[0]?.object);
  assert.ok(parsed.ok, `${JSON.stringify(parsed)}\n${text}`);
  return parsed.document;
}

/** What the rules about grants enforce of these objects under a policy that puts every rule in force. */
function enforced(objects: readonly JsonObject[], { spec }: PolicyDocument): string[] {
  const everything = { enforce: 'strict', warn: 'strict', audit: 'strict' } as const;
  const ruleset = makeRuleset(GRANT_RULES, { ...spec, clusterScoped: everything });
  const surroundings = { view: viewOf(objects), today: TODAY };
  return objects.flatMap((object) => {
    const { findings, errors } = judge(object, ruleset, surroundings);
    assert.deepEqual(errors, []);
    return findings.filter(({ mode }) => mode === 'enforce').map(({ rule, messageId }) => `${rule.id}/${messageId}`);
  });
}

function withStar(object: JsonObject): boolean {
  return JSON.stringify(object['subjects'] ?? []).includes('*');
}

describe('the policy that expects who is there', () => {
  const objects = [
    clusterRole('reads', [METRICS]),
    clusterRole('node', [PROXY]),
    clusterRole('some', [{ ...PROXY, resourceNames: ['n1'] }]),
    clusterRoleBinding('b', 'reads', [account('prometheus'), { kind: 'User', name: 'jane' }]),
    clusterRoleBinding('a', 'reads', [account('prometheus'), { kind: 'Group', name: 'system:masters' }]),
    clusterRoleBinding('nodes', 'node', [account('agent')]),
    clusterRoleBinding('one-node', 'some', [{ kind: 'Group', name: 'debuggers' }]),
    clusterRoleBinding('alias', 'reads', [{ kind: 'User', name: 'system:serviceaccount:monitoring:alias' }]),
    clusterRoleBinding('star', 'reads', [{ kind: 'User', name: '*' }]),
  ];

  it('groups by what is held, the most dangerous first, and says by which binding', () => {
    const { expectations, unnameable } = initialExpectations(viewOf(objects).grants);
    const told = expectations.map(({ capabilities, subjects }) =>
      [capabilities.join()].concat(
        subjects.map(
          ({ subject, bindings, isLimited }) =>
            `${displaySubject(subject)} by ${bindings.join()}${isLimited ? ' in part' : ''}`,
        ),
      ),
    );
    assert.deepEqual(told, [
      ['nodes/proxy', 'Group debuggers by one-node in part', 'ServiceAccount monitoring/agent by nodes'],
      [
        'metrics',
        'User jane by b',
        'ServiceAccount monitoring/alias by alias',
        'ServiceAccount monitoring/prometheus by b,a',
      ],
    ]);
    assert.deepEqual(unnameable.map(displaySubject), ['User *']);
  });

  it('says so in comments and reasons', () => {
    const text = initialPolicyYaml(initialExpectations(viewOf(objects).grants));
    assert.match(text, /^# Who holds a capability today/);
    assert.match(text, /name: prometheus \} # ClusterRoleBindings b, a\n/);
    assert.match(text, /name: debuggers \} # ClusterRoleBinding one-node, for some names or paths only\n/);
    assert.match(text, /reason: holds it today by ClusterRoleBindings b, alias, a; say here what for\n/);
  });

  it('enforces something without it, and nothing with it', () => {
    const some = objects.filter((object) => !withStar(object));
    const nobody = parse({ apiVersion: 'scrapeguard.io/v1alpha1', kind: 'MetricsPolicy' });
    assert.ok(nobody.ok);
    assert.ok(enforced(some, nobody.document).length > 4);
    assert.deepEqual(enforced(some, policyFor(some)), []);
    assert.equal(enforced(objects, policyFor(objects)).length, 1);
  });

  it('expects nobody where only Kubernetes holds something', () => {
    assert.deepEqual(policyFor([]).spec.expectedSubjects, []);
  });

  it('property: nothing that is there is enforced under it', () => {
    assert.equal(GRANT_RULES.length, 4);
    let busy = 0;
    fc.assert(
      fc.property(someCluster, (cluster) => {
        const some = cluster.filter((object) => !withStar(object));
        const policy = policyFor(some);
        if (policy.spec.expectedSubjects.length > 0) busy += 1;
        assert.deepEqual(enforced(some, policy), []);
      }),
      { numRuns: 200 },
    );
    assert.ok(busy > 10, `${busy} clusters with holders`);
  });

  it('property: whatever a binding and its subjects are called, it is read back', () => {
    const name = fc.oneof(anyText(1), fc.constantFrom('a # b', '}', 'on', 'a\nb: c', '- x', '"'));
    fc.assert(
      fc.property(name, name, (binding, user) => {
        const cluster = [
          clusterRole('reads', [METRICS]),
          clusterRoleBinding(binding, 'reads', [{ kind: 'User', name: user }]),
        ];
        const { expectedSubjects } = policyFor(cluster).spec;
        const [expected] = expectedSubjects;
        if (!user.includes('*') && !user.startsWith('system:')) assert.equal(expected?.subjects[0]?.name, user);
      }),
      { numRuns: 200 },
    );
  });
});
