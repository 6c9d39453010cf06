import { namesBack, type Step, walkMembers } from './aggregation.ts';
import type { Binding } from './bindings.ts';
import type { Capability } from './capabilities.ts';
import type { ClusterRole } from './cluster-role.ts';
import type { GrantsView, Lookup } from './grants-view.ts';
import { type Holding, Holdings } from './holdings.ts';
import type { PolicyRule } from './policy-rule.ts';
import type { Subject } from './subjects.ts';

/** A capability that a ClusterRole gives to whoever is bound to it, and the way it came. */
export interface RoleGrant {
  readonly capability: Capability;
  readonly how: 'explicit' | 'wildcard';
  /** Limited to objects of these names, or for `metrics` to these paths (a star at the end: all that begin so). */
  readonly scopes: readonly string[] | undefined;
  /** The role in whose own rules it stands, and the index there. With several such rules these are the nearest. */
  readonly role: string;
  readonly rule: number;
  /** The names from the bound role to that role, each aggregating the next; one name when the role has it itself. */
  readonly chain: () => readonly string[];
}

/** Everything that some subjects of a binding are given: each subject is given every grant. */
export interface BindingGrants {
  readonly binding: Binding;
  readonly subjects: readonly Subject[];
  readonly grants: readonly RoleGrant[];
}

/** One unit: what one subject is given of one capability by one binding. */
export interface Grant extends RoleGrant {
  readonly binding: Binding;
  readonly subject: Subject;
}

/** A rule that holds for a role: its own, or that of a role it aggregates. */
export interface EffectiveRule {
  readonly role: string;
  readonly index: number;
  readonly rule: PolicyRule;
  readonly chain: () => readonly string[];
}

const NO_GRANTS: readonly RoleGrant[] = Object.freeze([]);

/** What a ClusterRole gives once aggregation has come to rest, one entry a capability and way; empty for most roles. */
export function grantsOfRole(role: ClusterRole, view: GrantsView): readonly RoleGrant[] {
  const holdings = holdingsOf(role, view);
  return holdings.isEmpty ? NO_GRANTS : holdings.list().map((holding) => asRoleGrant(holding));
}

/** What a ClusterRoleBinding gives. Nothing when its role is not there; unknown when the view cannot tell. */
export function grantsOf(binding: Binding, view: GrantsView): BindingGrants | 'unknown' {
  const { subjects } = binding;
  const role = roleOf(binding, view);
  if (role === 'not found') return { binding, subjects, grants: NO_GRANTS };
  if (role === 'unknown' || (role.selectors.length > 0 && !view.isCurrent)) return 'unknown';
  return { binding, subjects, grants: grantsOfRole(role, view) };
}

/** Every rule that holds for a role, its own first; a rule may come from several roles. */
export function* effectiveRules(role: ClusterRole, view: GrantsView): Generator<EffectiveRule, void> {
  for (const step of walkMembers([role], view)) {
    for (const [index, rule] of step.role.rules.entries()) {
      yield { role: step.role.name, index, rule, chain: () => namesBack(step).toReversed() };
    }
  }
}

/** The units that some binding grants stand for. */
export function* unitsOf({ binding, subjects, grants }: BindingGrants): Generator<Grant, void> {
  for (const subject of subjects) for (const grant of grants) yield { ...grant, binding, subject };
}

/** What a ClusterRole gives in all, as a sum of rules. */
export function holdingsOf(role: ClusterRole, view: GrantsView): Holdings {
  const holdings = new Holdings();
  for (const step of walkMembers([role], view)) {
    for (const [rule, grant] of step.role.gives.byRule) holdings.add(grant, { step, rule });
  }
  return holdings;
}

/** A holding as a grant of the role that `aggregatedBy` ends at: by default of the role that it is a holding of. */
export function asRoleGrant({ capability, how, scopes, source }: Holding, aggregatedBy?: Step): RoleGrant {
  const { step, rule } = source;
  const chain = (): readonly string[] => {
    const down = namesBack(step).toReversed();
    return aggregatedBy === undefined ? down : [...namesBack(aggregatedBy), ...down.slice(1)];
  };
  return { capability, how, scopes, role: step.role.name, rule, chain };
}

/** The ClusterRole that a binding refers to; a binding that refers to something else has none. */
export function roleOf(binding: Binding, view: GrantsView): Lookup<ClusterRole> {
  return binding.roleKind === 'ClusterRole' ? view.clusterRole(binding.roleName) : 'not found';
}
