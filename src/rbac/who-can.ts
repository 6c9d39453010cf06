// The questions asked from the other end: who holds a capability, and who may make a request.
import { namesBack, type Step, walkAggregators } from './aggregation.ts';
import type { Binding } from './bindings.ts';
import { type Capability, type CapabilitySet, setOf } from './capabilities.ts';
import type { ClusterRole } from './cluster-role.ts';
import { type EffectiveRule, type Grant, grantsOfRole, type RoleGrant, unitsOf } from './grants.ts';
import type { GrantsView } from './grants-view.ts';
import type { PolicyRule } from './policy-rule.ts';
import { allowsRequest, type RequestAttributes } from './rule-matching.ts';

/**
 * Whoever holds a capability by a ClusterRoleBinding, one unit a binding and subject (and a second one where somebody
 * holds it whole by a wildcard and within scopes explicitly). Linear in the roles and units.
 */
export function* grantsOfCapability(capability: Capability, view: GrantsView): Generator<Grant, void> {
  const held = new Set<string>();
  for (const how of ['explicit', 'wildcard'] as const) {
    for (const step of walkAggregators(ownersOf(setOf(capability), how, view), view)) {
      const { name } = step.role;
      if (held.has(name)) continue;
      if (how === 'explicit') held.add(name);
      yield* grantsThrough(name, () => [wholeGrant(capability, how, step)], view);
    }
  }
  for (const { role } of walkAggregators(narrowOwnersOf(setOf(capability), view), view)) {
    if (held.has(role.name)) continue;
    const narrow = (): readonly RoleGrant[] =>
      grantsOfRole(role, view).filter((grant) => grant.capability === capability && grant.scopes !== undefined);
    yield* grantsThrough(role.name, narrow, view);
  }
}

/** A binding whose subjects may make a request, and the first rule found that lets them. */
export interface Permission extends Omit<EffectiveRule, 'rule'> {
  readonly binding: Binding;
}

/** The bindings that allow a request: ClusterRoleBindings, and RoleBindings of the request's namespace if it has one. */
export function permissionsFor(request: RequestAttributes, view: GrantsView): Generator<Permission, void> {
  const namespaces = 'path' in request || request.namespace === '' ? [] : [request.namespace];
  return permissionsBy((rule) => allowsRequest(rule, request), namespaces, view);
}

/** The bindings with a rule that is looked for: all ClusterRoleBindings, and the RoleBindings of some namespaces. */
export function* permissionsBy(
  allows: (rule: PolicyRule) => boolean,
  namespaces: Iterable<string>,
  view: GrantsView,
): Generator<Permission, void> {
  const allowed = new Map<string, Omit<Permission, 'binding'>>();
  const first = new Map<ClusterRole, number>();
  for (const role of view.clusterRoles()) {
    const index = role.rules.findIndex(allows);
    if (index >= 0) first.set(role, index);
  }
  for (const step of walkAggregators(first.keys(), view)) {
    const index = first.get(step.start) ?? 0;
    allowed.set(step.role.name, { role: step.start.name, index, chain: () => namesBack(step) });
  }
  for (const [roleName, permission] of allowed) {
    for (const binding of view.clusterRoleBindingsTo(roleName)) yield { ...permission, binding };
  }
  for (const namespace of namespaces) {
    for (const binding of view.roleBindings(namespace)) {
      const permission = binding.roleKind === 'Role' ? byRole(binding, allows, view) : allowed.get(binding.roleName);
      if (permission !== undefined) yield { ...permission, binding };
    }
  }
}

function byRole(
  binding: Binding,
  allows: (rule: PolicyRule) => boolean,
  view: GrantsView,
): Omit<Permission, 'binding'> | undefined {
  const rules = view.roleRules(binding.namespace, binding.roleName);
  const index = typeof rules === 'string' ? -1 : rules.findIndex(allows);
  return index < 0 ? undefined : { role: binding.roleName, index, chain: () => [binding.roleName] };
}

function* grantsThrough(roleName: string, grants: () => readonly RoleGrant[], view: GrantsView): Iterable<Grant> {
  const bindings = [...view.clusterRoleBindingsTo(roleName)];
  if (bindings.length === 0) return;
  const given = grants();
  for (const binding of bindings) yield* unitsOf({ binding, subjects: binding.subjects, grants: given });
}

function wholeGrant(capability: Capability, how: RoleGrant['how'], step: Step): RoleGrant {
  const bit = setOf(capability);
  const [rule] = step.start.gives.byRule.find(
    ([, given]) => given.scopes === undefined && (given[how] & bit) !== 0,
  ) ?? [0];
  return { capability, how, scopes: undefined, role: step.start.name, rule, chain: () => namesBack(step) };
}

function ownersOf(bit: CapabilitySet, how: RoleGrant['how'], view: GrantsView): readonly ClusterRole[] {
  return [...view.clusterRoles()].filter(({ gives }) => (gives[how] & bit) !== 0);
}

function narrowOwnersOf(bit: CapabilitySet, view: GrantsView): readonly ClusterRole[] {
  return [...view.clusterRoles()].filter(({ gives }) =>
    gives.byRule.some(
      ([, { scopes, explicit, wildcard }]) => scopes !== undefined && ((explicit | wildcard) & bit) !== 0,
    ),
  );
}
