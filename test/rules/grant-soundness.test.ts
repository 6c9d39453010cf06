import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { asList, type JsonObject } from '../../src/kube/json.ts';
import { metadataOf, nameOf } from '../../src/kube/object.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { authorize } from '../../src/rbac/authorize.ts';
import type { Capability } from '../../src/rbac/capabilities.ts';
import { isDefaultSubject } from '../../src/rbac/default-subjects.ts';
import type { GrantsView } from '../../src/rbac/grants-view.ts';
import type { RequestAttributes } from '../../src/rbac/rule-matching.ts';
import { asUser, canonicalSubject, type Subject, type User } from '../../src/rbac/subjects.ts';
import { someBinding, someCluster, someRole } from '../rbac/clusters.ts';
import { rulesetOf, STRICTEST, TODAY } from '../support/rulesets.ts';

// Whoever can do after a write what he could not do before it, by the authorizer's word, is told of by a rule: none of
// the rules' own notions of a capability, of what is new, or of aggregation is asked.

// Half of a grant counts as one: the last lets somebody else do it whom its holder acts for.
const VERBS = ['get', 'create', 'update', 'patch', 'delete', 'impersonate-on:user-info:get'];
const ruleset = rulesetOf({
  ...STRICTEST,
  rules: { 'kubelet-api-grant': { params: { capabilities: ['nodes/metrics'] } } },
});
const scope = { profiles: ruleset.policy.clusterScoped, uncertain: false };

/** A capability is used by any of the verbs on a thing; whoever has the first thing has the whole of it. */
interface Use {
  readonly capability: Capability;
  readonly verbs: readonly string[];
  readonly things: readonly ((verb: string) => RequestAttributes)[];
}

const on =
  (resource: string, subresource: string, name: string) =>
  (verb: string): RequestAttributes => ({ verb, apiGroup: '', resource, subresource, name, namespace: '' });

const USES: readonly Use[] = [
  {
    capability: 'metrics',
    verbs: [...VERBS, 'post', 'head'],
    things: ['/metrics', '/metrics/a', '/metrics/ab', '/metrics/b', '/metrics/slis'].map((path) => (verb) => ({
      verb,
      path,
    })),
  },
  ...(['nodes/proxy', 'nodes/log', 'nodes/metrics', 'pods/proxy'] as const).map((capability): Use => {
    const [resource = '', subresource = ''] = capability.split('/');
    return {
      capability,
      verbs: VERBS,
      things: ['others', 'n1', 'n2', 'n3'].map((name) => on(resource, subresource, name)),
    };
  }),
  {
    capability: 'impersonate',
    verbs: ['impersonate'],
    things: ['others', 'n1', 'n2'].map((name) => on('users', '', name)),
  },
];

function keyOf(object: JsonObject): string {
  return `${String(object['kind'])} ${nameOf(metadataOf(object))}`;
}

/** Everybody whom a binding names, each with the groups that he has by his name. */
function whoIsNamed(objects: readonly JsonObject[]): readonly (readonly [Subject, User])[] {
  return objects.flatMap((object) =>
    asList(object['subjects']).flatMap((raw) => {
      const subject = canonicalSubject(raw);
      if (subject === undefined) return [];
      const user = asUser(subject) ?? { name: 'somebody', groups: [subject.name] };
      return [[subject, user] as const];
    }),
  );
}

function gains(user: User, { verbs, things }: Use, before: GrantsView, after: GrantsView): boolean {
  const may = (view: GrantsView, thing: Use['things'][number] | undefined): boolean =>
    thing !== undefined && verbs.some((verb) => authorize(user, thing(verb), view).allowed);
  return !may(before, things[0]) && things.some((thing) => may(after, thing) && !may(before, thing));
}

describe('a write that nothing is found in', () => {
  it('lets nobody do what he could not do before, unless he is Kubernetes’ own', () => {
    let gained = 0;
    fc.assert(
      fc.property(someCluster, fc.oneof(someRole, someBinding), (objects, write) => {
        const oldObject = objects.find((object) => keyOf(object) === keyOf(write));
        // The API server lets nobody change a reference.
        fc.pre(JSON.stringify(oldObject?.['roleRef'] ?? write['roleRef']) === JSON.stringify(write['roleRef']));
        const before = viewOf(objects);
        const after = viewOf([...objects.filter((object) => object !== oldObject), write]);
        const { findings } = evaluate(write, ruleset, {
          view: before,
          scope,
          namespace: '',
          today: TODAY,
          operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
          ...(oldObject && { oldObject }),
        });
        const told = new Set(findings.filter(({ mode }) => mode === 'enforce').map(({ data }) => data['capability']));
        for (const [subject, user] of whoIsNamed([...objects, write])) {
          for (const use of USES) {
            const { capability } = use;
            if (isDefaultSubject(subject, capability) || !gains(user, use, before.grants, after.grants)) continue;
            gained += 1;
            assert.ok(told.has(capability), `${subject.key} gains ${capability}`);
          }
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(gained > 100, `only ${gained} gained anything`);
  });
});
