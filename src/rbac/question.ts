// What who-can is asked: a capability, or a request in the words of a rule: `get nodes/proxy`, `get /metrics`.
import type { Binding } from './bindings.ts';
import type { Capability } from './capabilities.ts';
import type { GrantsView } from './grants-view.ts';
import type { PolicyRule } from './policy-rule.ts';
import { allowsRequest, type RequestAttributes } from './rule-matching.ts';
import type { Subject } from './subjects.ts';
import { grantsOfCapability, type Permission, permissionsBy } from './who-can.ts';

/** A question; a request for a resource is for any object of it, in any namespace if it lives in one. */
export type Question =
  | { readonly capability: Capability }
  | { readonly request: RequestAttributes; readonly isNamespaced: boolean };

/** One way in which one subject has what was asked for. */
export interface Holding {
  readonly subject: Subject;
  readonly binding: Binding;
  /** From the bound role to the one in whose own rules it stands, each aggregating the next. */
  readonly chain: readonly string[];
  /** The index of the rule in the last of them. */
  readonly rule: number;
  readonly how: 'explicit' | 'wildcard';
  /** Limited to objects of these names, or for `metrics` to these paths. */
  readonly scopes: readonly string[] | undefined;
}

/** Everybody who has what is asked for, a holding for each binding; RoleBindings are looked at in the given namespaces. */
export function* holdingsFor(
  question: Question,
  view: GrantsView,
  namespaces: readonly string[],
): Generator<Holding, void> {
  if ('capability' in question) {
    for (const { subject, binding, chain, rule, how, scopes } of grantsOfCapability(question.capability, view)) {
      yield { subject, binding, chain: chain(), rule, how, scopes };
    }
    return;
  }
  const { request, isNamespaced } = question;
  const places = isNamespaced ? namespaces : [];
  const seen = new Set<Binding>();
  for (const permission of permissionsBy((rule) => allowsRequest(rule, request), places, view)) {
    seen.add(permission.binding);
    yield* holdingsOf(permission, view);
  }
  for (const permission of permissionsBy((rule) => allowsSome(rule, request), places, view)) {
    if (!seen.has(permission.binding)) yield* holdingsOf(permission, view);
  }
}

/** RoleBindings to a ClusterRole that has what is asked for where it lives in no namespace, so that they give nothing. */
export function* ineffectiveFor(
  question: Question,
  view: GrantsView,
  namespaces: readonly string[],
): Generator<Binding, void> {
  const request = 'capability' in question ? requestOfCapability(question.capability) : question.request;
  if (request === undefined || ('isNamespaced' in question && question.isNamespaced)) return;
  for (const { binding } of permissionsBy((rule) => allowsRequest(rule, request), namespaces, view)) {
    if (binding.namespace !== '') yield binding;
  }
}

/** The request that stands for a capability outside every namespace; undefined for one that is asked for in namespaces. */
function requestOfCapability(capability: Capability): RequestAttributes | undefined {
  if (capability === 'metrics') return { verb: 'get', path: '/metrics' };
  const [resource, subresource] = capability.split('/', 2);
  if (resource !== 'nodes' || subresource === undefined) return undefined;
  return { verb: 'get', apiGroup: '', resource, subresource, name: '', namespace: '' };
}

/** True for a rule that allows the request for objects of some names only. */
function allowsSome(rule: PolicyRule, request: RequestAttributes): boolean {
  return rule.resourceNames.length > 0 && allowsRequest({ ...rule, resourceNames: [] }, request);
}

function* holdingsOf({ binding, role, index, chain }: Permission, view: GrantsView): Iterable<Holding> {
  const rule = ruleAt(binding, role, index, view);
  const how = isWildcard(rule) ? 'wildcard' : 'explicit';
  const names = rule?.resourceNames ?? [];
  const scopes = names.length === 0 || names.includes('') ? undefined : names;
  for (const subject of binding.subjects) yield { subject, binding, chain: chain(), rule: index, how, scopes };
}

function ruleAt(binding: Binding, role: string, index: number, view: GrantsView): PolicyRule | undefined {
  if (binding.roleKind === 'Role') {
    const rules = view.roleRules(binding.namespace, role);
    return typeof rules === 'string' ? undefined : rules[index];
  }
  const source = view.clusterRole(role);
  return typeof source === 'string' ? undefined : source.rules[index];
}

/** True for a rule about everything: it was not written with the request in mind. */
function isWildcard(rule: PolicyRule | undefined): boolean {
  return (
    rule !== undefined && (rule.resources.includes('*') || rule.nonResourceURLs.some((url) => /^\/?\*+$/.test(url)))
  );
}
