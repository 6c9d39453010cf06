import { asList, asObject, type JsonObject, own } from '../kube/json.ts';

/** A `rbac/v1` PolicyRule: five lists, each of them possibly empty. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** Gives back an equal list: the same one, or one that is shared with others to save memory. */
export type ShareList = (list: readonly string[]) => readonly string[];

const NONE: readonly string[] = Object.freeze([]);

/**
 * The rules of a ClusterRole or Role, one for each item of `.rules`, so that an index names the same rule in both.
 * A malformed item reads as a rule without entries, a malformed list or entry as absent.
 */
export function policyRulesOf(role: JsonObject, share: ShareList = KEEP): readonly PolicyRule[] {
  const rules = asList(own(role, 'rules'));
  const shareIfFew = rules.length > MOST_SHARED ? KEEP : share;
  return rules.map((rule) => policyRuleOf(asObject(rule), shareIfFew));
}

/** A role of more rules than this was made by a program for itself alone: nobody else has such lists. */
const MOST_SHARED = 1_000;

const KEEP: ShareList = (list) => list;

function policyRuleOf(rule: JsonObject, share: ShareList): PolicyRule {
  return {
    verbs: share(stringsOf(own(rule, 'verbs'))),
    apiGroups: share(stringsOf(own(rule, 'apiGroups'))),
    resources: share(stringsOf(own(rule, 'resources'))),
    resourceNames: stringsOf(own(rule, 'resourceNames')),
    nonResourceURLs: share(stringsOf(own(rule, 'nonResourceURLs'))),
  };
}

/** Like asStrings, but without a copy of what needs none: a cluster has very many of these lists. */
function stringsOf(value: unknown): readonly string[] {
  const list = asList(value);
  if (list.length === 0) return NONE;
  return list.every((item) => typeof item === 'string') ? list : list.filter((item) => typeof item === 'string');
}

/** Why the API server does not store a rule, in its own terms (`ValidatePolicyRule` in pkg/apis/rbac/validation). */
export type Refusal =
  | 'no verbs'
  | 'no apiGroups'
  | 'no resources'
  | 'mixed with nonResourceURLs'
  | 'namespaced nonResourceURLs';

/** The first reason for which the API server answers 422 to a rule of a ClusterRole or of a Role; undefined: none. */
export function refusalOf(rule: PolicyRule, kind: 'ClusterRole' | 'Role'): Refusal | undefined {
  if (rule.verbs.length === 0) return 'no verbs';
  if (rule.nonResourceURLs.length > 0) return refusalOfUrls(rule, kind);
  if (rule.apiGroups.length === 0) return 'no apiGroups';
  return rule.resources.length === 0 ? 'no resources' : undefined;
}

function refusalOfUrls(rule: PolicyRule, kind: 'ClusterRole' | 'Role'): Refusal | undefined {
  if (kind === 'Role') return 'namespaced nonResourceURLs';
  const mixed = [rule.apiGroups, rule.resources, rule.resourceNames].some((list) => list.length > 0);
  return mixed ? 'mixed with nonResourceURLs' : undefined;
}
