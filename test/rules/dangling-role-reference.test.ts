import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { judge } from '../../src/admission/judge.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { type ClusterView, NEWEST_VERSION, viewOf } from '../../src/policy/cluster-view.ts';
import { messageOf } from '../../src/policy/evaluate.ts';
import type { ClusterRole } from '../../src/rbac/cluster-role.ts';
import { GrantsIndex } from '../../src/rbac/grants-index.ts';
import { OverlayView } from '../../src/rbac/overlay.ts';
import rule from '../../src/rules/dangling-role-reference.ts';
import { clusterRole, clusterRoleBinding, roleBinding } from '../rbac/objects.ts';
import { testRule } from '../support/rule-tester.ts';
import { rulesetOf, TODAY } from '../support/rulesets.ts';

const APP = { kind: 'ServiceAccount', namespace: 'team-a', name: 'app' };
const KUBELET_API = clusterRole('kubelet-api', []);
const bindingTo = (name: string): JsonObject => clusterRoleBinding('b', name, [APP]);
const AT = '/roleRef/name';

testRule(rule, [
  { name: 'R101: no role of this name', object: bindingTo('ghost'), findings: [`missing ${AT}`] },
  { name: 'a role among the manifests', object: bindingTo('kubelet-api'), clusterObjects: [KUBELET_API], findings: [] },
  { name: "a role of Kubernetes' own", object: bindingTo('cluster-admin'), findings: [] },
  {
    name: 'a misspelled role',
    object: bindingTo('kubelet-apis'),
    clusterObjects: [KUBELET_API],
    findings: [`misspelled ${AT}`],
  },
  {
    name: 'a role with a word too many',
    object: bindingTo('test-kubelet-api'),
    clusterObjects: [KUBELET_API],
    findings: [`misspelled ${AT}`],
  },
  { name: 'without subjects, too', object: clusterRoleBinding('b', 'ghost', []), findings: [`missing ${AT}`] },
  {
    name: 'an update that leaves the reference as it was',
    object: clusterRoleBinding('b', 'ghost', [APP, { kind: 'User', name: 'jane' }]),
    oldObject: bindingTo('ghost'),
    operation: 'UPDATE',
    findings: [],
  },
  { name: 'a RoleBinding is not asked about', object: roleBinding('team-a', 'b', 'ghost', [APP]), findings: [] },
  {
    name: 'a reference to a Role, which the API server refuses',
    object: { ...bindingTo('x'), roleRef: { kind: 'Role', name: 'x' } },
    findings: [],
  },
  ...[undefined, null, [], 'x', {}, { kind: 'ClusterRole' }, { kind: 'ClusterRole', name: 7 }].map((roleRef) => ({
    name: `a malformed reference: ${JSON.stringify(roleRef)}`,
    object: { ...bindingTo('x'), roleRef },
    findings: [],
  })),
]);

describe('dangling-role-reference', () => {
  const ruleset = rulesetOf({}, [rule]);
  const sentence = (role: string, roles: readonly string[]): string | undefined => {
    const view = viewOf(roles.map((name) => clusterRole(name, [])));
    const [finding] = judge(bindingTo(role), ruleset, { view, today: TODAY }).findings;
    return finding && messageOf(finding);
  };

  it('names the role that may have been meant', () => {
    assert.equal(
      sentence('test-kubelet-api', ['kubelet-api']),
      'the ClusterRole "test-kubelet-api" does not exist, so the binding gives nothing yet; did you mean kubelet-api?',
    );
  });

  it('is advice: a warning at most', () => {
    const strictest = rulesetOf({ clusterScoped: { enforce: 'strict', warn: 'strict', audit: 'strict' } }, [rule]);
    const { findings } = judge(bindingTo('ghost'), strictest, { view: viewOf([]), today: TODAY });
    assert.deepEqual(
      findings.map(({ mode }) => mode),
      ['warn'],
    );
  });

  it('says nothing where the cluster does not answer', () => {
    const view = { ...viewOf([]), grants: new OverlayView(new GrantsIndex(), { isCurrent: false }) };
    assert.deepEqual(judge(bindingTo('ghost'), ruleset, { view, today: TODAY }).findings, []);
  });

  it('reads each of 10,000 roles once', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => clusterRole(`team-${index}-reader`, []));
    const { view, reads } = countedRoles(names);
    assert.equal(judge(bindingTo('team-readers'), ruleset, { view, today: TODAY }).findings.length, 1);
    assert.ok(reads() <= 11_000, `${reads()} reads`);
  });
});

/** A view that counts how often a role is handed out. */
function countedRoles(objects: readonly JsonObject[]): { readonly view: ClusterView; readonly reads: () => number } {
  let count = 0;
  class Counting extends GrantsIndex {
    override *clusterRoles(): Iterable<ClusterRole> {
      for (const each of super.clusterRoles()) {
        count += 1;
        yield each;
      }
    }
  }
  const grants = new Counting();
  for (const object of objects) grants.upsertClusterRole(object);
  return { view: { version: NEWEST_VERSION, grants, namespaceLabels: () => 'not found' }, reads: () => count };
}
