// Kubernetes' RBAC authorizer (plugin/pkg/auth/authorizer/rbac): ClusterRoleBindings count for every request,
// RoleBindings only for a request with a namespace, each of them through the role that it names at this moment.
import type { Binding } from './bindings.ts';
import { type EffectiveRule, effectiveRules, roleOf } from './grants.ts';
import type { GrantsView } from './grants-view.ts';
import { allowsRequest, type RequestAttributes } from './rule-matching.ts';
import type { User } from './subjects.ts';

/** The answer to a request, with the first rule found that allows it. */
export type Authorization =
  | { readonly allowed: true; readonly binding: Binding; readonly role: string; readonly rule: number }
  | { readonly allowed: false };

/**
 * Whether RBAC allows a user a request, aggregation having come to rest. A role that is not there, or not known, allows
 * nothing; other authorizers are not asked.
 */
export function authorize(user: User, request: RequestAttributes, view: GrantsView): Authorization {
  for (const binding of bindingsFor(user, request, view)) {
    for (const { role, index, rule } of rulesOf(binding, view)) {
      if (allowsRequest(rule, request)) return { allowed: true, binding, role, rule: index };
    }
  }
  return { allowed: false };
}

function* bindingsFor(user: User, request: RequestAttributes, view: GrantsView): Iterable<Binding> {
  yield* view.clusterRoleBindingsFor(user);
  if ('namespace' in request && request.namespace !== '') yield* view.roleBindingsFor(user, request.namespace);
}

function* rulesOf(binding: Binding, view: GrantsView): Iterable<RuleInRole> {
  if (binding.roleKind === 'Role') {
    const rules = view.roleRules(binding.namespace, binding.roleName);
    if (typeof rules === 'string') return;
    for (const [index, rule] of rules.entries()) yield { role: binding.roleName, index, rule };
    return;
  }
  const role = roleOf(binding, view);
  if (typeof role !== 'string') yield* effectiveRules(role, view);
}

type RuleInRole = Pick<EffectiveRule, 'role' | 'index' | 'rule'>;
