import { Type } from 'typebox';

import type { JsonObject } from '../kube/json.ts';
import type { JsonPointer } from '../kube/pointer.ts';
import { defineRule, type Message, type Observation } from '../policy/rule.ts';
import { roleBindingOf } from '../rbac/bindings.ts';
import type { Capability } from '../rbac/capabilities.ts';
import { grantsOf, type RoleGrant } from '../rbac/grants.ts';
import type { GrantsView } from '../rbac/grants-view.ts';
import { attemptsOnNodes, nearMissesOf, type Problem, reachesForMetrics } from '../rbac/near-misses.ts';
import { type PolicyRule, policyRulesOf, refusalOf } from '../rbac/policy-rule.ts';

const WITHIN_A_NAMESPACE =
  'Write it into a ClusterRole and bind that with a ClusterRoleBinding, to nobody but the account that scrapes.';

const MESSAGES = {
  verb: {
    level: 'advice',
    text: 'a rule gives nothing of {{capability}}: no request for it has the verb {{written}}; "get" is one',
  },
  group: {
    level: 'advice',
    text: 'a rule gives nothing of {{capability}}: it is not in the API group {{written}} but in the core group, ""',
  },
  resource: {
    level: 'advice',
    text: 'a rule gives nothing of {{capability}}: no request is for {{written}}; "{{capability}}" is what is asked for',
  },
  name: {
    level: 'advice',
    text: 'a rule gives nothing of {{capability}}: nothing is called {{written}}; without resourceNames all are meant',
  },
  url: {
    level: 'advice',
    text: 'a rule gives nothing of the metrics: no request is for the URL {{written}}; "/metrics" is what is asked for',
    remediation:
      'Write /metrics; only a star at the end of a URL stands for anything, and it is compared letter by letter.',
  },
  urlsBesideResources: {
    level: 'advice',
    text: 'a rule has nonResourceURLs beside apiGroups or resources, which the API server refuses with 422',
    remediation: 'Write a rule for the URLs alone: {verbs: [get], nonResourceURLs: [/metrics]}.',
  },
  urlsInRole: {
    level: 'advice',
    text: 'a rule of a Role has nonResourceURLs, which the API server refuses with 422: no URL is in a namespace',
    remediation: WITHIN_A_NAMESPACE,
  },
  nodesInRole: {
    level: 'advice',
    text: 'a rule gives nothing of {{capability}}: nodes are in no namespace, and a Role holds within one only',
    remediation: WITHIN_A_NAMESPACE,
  },
  boundInNamespace: {
    level: 'advice',
    text: 'the RoleBinding gives nothing of {{capability}} from ClusterRole "{{role}}": it is asked for in no namespace',
    remediation:
      'If its subjects are to have it, bind the ClusterRole with a ClusterRoleBinding and name them in the policy (spec.expectedSubjects).',
  },
} as const satisfies Readonly<Record<string, Message>>;

/** What is said of the list that keeps a rule from having an effect. */
const MESSAGE_OF = {
  verbs: 'verb',
  apiGroups: 'group',
  resources: 'resource',
  resourceNames: 'name',
  nonResourceURLs: 'url',
} as const satisfies Readonly<Record<Problem['field'], keyof typeof MESSAGES>>;

export default defineRule({
  meta: {
    id: 'ineffective-metrics-rule',
    title: 'A rule that is to open metrics has an effect',
    severity: 'low',
    profile: 'strict',
    targets: ['clusterroles', 'roles', 'rolebindings'],
    judges: 'object',
    reads: ['clusterrole', 'rbac-index'],
    rationale:
      'Kubernetes stores many rules that allow nothing: nodes/*, the verb list on nodes/proxy, /metrics through a RoleBinding. Whoever wrote one finds that nothing is scraped and widens the grant until something is, which is how nodes/proxy and cluster-admin come to a scraper.',
    remediation:
      'For a kubelet grant "get" on nodes/metrics, for other components "get" on the URL /metrics, in a ClusterRole that is bound by a ClusterRoleBinding.',
    references: [
      'https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources',
      'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/',
    ],
    controls: [],
    messages: MESSAGES,
  },
  params: Type.Object({}),
  *check(object, { view }) {
    switch (object['kind']) {
      case 'ClusterRole':
        yield* eachRule(object, checkClusterRule);
        break;
      case 'Role':
        yield* eachRule(object, checkNamespacedRule);
        break;
      default:
        yield* checkRoleBinding(object, view.grants);
    }
  },
});

type Observations = Generator<Observation<keyof typeof MESSAGES>>;

function* eachRule(role: JsonObject, check: (rule: PolicyRule, path: JsonPointer) => Observations): Observations {
  for (const [index, rule] of policyRulesOf(role).entries()) yield* check(rule, `/rules/${index}`);
}

function* checkClusterRule(rule: PolicyRule, path: JsonPointer): Observations {
  if (reachesForMetrics(rule) && refusalOf(rule, 'ClusterRole') === 'mixed with nonResourceURLs') {
    yield { messageId: 'urlsBesideResources', path: `${path}/nonResourceURLs` };
  }
  for (const { capability, problems } of nearMissesOf(rule)) {
    for (const { field, written } of problems) {
      yield { messageId: MESSAGE_OF[field], path: `${path}/${field}`, data: { capability, written: quoted(written) } };
    }
  }
}

function* checkNamespacedRule(rule: PolicyRule, path: JsonPointer): Observations {
  if (reachesForMetrics(rule) && refusalOf(rule, 'Role') === 'namespaced nonResourceURLs') {
    yield { messageId: 'urlsInRole', path: `${path}/nonResourceURLs` };
  }
  for (const capability of attemptsOnNodes(rule)) {
    yield { messageId: 'nodesInRole', path: `${path}/resources`, data: { capability } };
  }
}

/** What the ClusterRole of a RoleBinding gives in name only. Silent where the role is not known. */
function* checkRoleBinding(object: JsonObject, view: GrantsView): Observations {
  const binding = roleBindingOf(object);
  const given = grantsOf(binding, view);
  if (given === 'unknown') return;
  const inVain = new Set(given.grants.filter((grant) => isMeant(grant, view)).map(({ capability }) => capability));
  for (const capability of inVain) {
    yield { messageId: 'boundInNamespace', path: '/roleRef/name', data: { capability, role: binding.roleName } };
  }
}

/** True for what is asked for outside every namespace and was named in so many words: not `*`, nor the proxy of anything. */
function isMeant({ capability, how, role, rule }: RoleGrant, view: GrantsView): boolean {
  if (how === 'wildcard') return false;
  if (capability === 'metrics') return true;
  if (!isOfNodes(capability)) return false;
  const source = view.clusterRole(role);
  return typeof source !== 'string' && source.rules[rule]?.resources.includes(capability) === true;
}

function isOfNodes(capability: Capability): boolean {
  return capability.startsWith('nodes/');
}

const MOST_ENTRIES = 5;

/** One entry, or some of which each is meant: `"list" or "watch"`. */
function quoted(written: Problem['written']): string {
  const shown = written.slice(0, MOST_ENTRIES).map((entry) => `"${entry}"`);
  if (written.length > MOST_ENTRIES) return [...shown, '...'].join(', ');
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}
