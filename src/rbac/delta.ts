// What a write adds, in units of (binding × subject × capability): a unit is new unless the same one existed before, or
// one that covers its scope. What existed before is not the write's doing.
import { type Step, walkAggregators } from './aggregation.ts';
import type { Binding } from './bindings.ts';
import { type ClusterRole, isEquivalent, mayGrant } from './cluster-role.ts';
import { asRoleGrant, type BindingGrants, grantsOf, holdingsOf } from './grants.ts';
import type { GrantsView } from './grants-view.ts';
import type { Holdings } from './holdings.ts';
import { OverlayView } from './overlay.ts';
import { PriorHolders } from './prior-holders.ts';
import type { Subject } from './subjects.ts';

/** What a write adds; unknown when that depends on something that the view does not know. */
export type Delta = readonly BindingGrants[] | 'unknown';

/** What a ClusterRoleBinding adds to the one it replaces. A subject that was there before with the same role adds nothing. */
export function deltaOfBinding(before: Binding | undefined, after: Binding, view: GrantsView): Delta {
  const subjects = addedSubjects(before, after);
  if (subjects.length === 0) return [];
  const added = grantsOf(after, view);
  if (added === 'unknown') return 'unknown';
  return added.grants.length === 0 ? [] : [{ ...added, subjects }];
}

/** The subjects to whom a binding gives what the one that it replaces did not give them. */
export function addedSubjects(before: Binding | undefined, after: Binding): readonly Subject[] {
  const isSameRole = before?.roleKind === after.roleKind && before?.roleName === after.roleName;
  if (before === undefined || !isSameRole) return after.subjects;
  const present = new Set(before.subjects.map(({ key }) => key));
  return after.subjects.filter(({ key }) => !present.has(key));
}

/**
 * What a ClusterRole adds to the one it replaces, by all bindings to it and to the roles that aggregate it. The view
 * may have either of the two, or none: both are put over it.
 */
export function deltaOfRole(before: ClusterRole | undefined, after: ClusterRole, view: GrantsView): Delta {
  if (!mayGrant(after) || (before !== undefined && isEquivalent(before, after))) return [];
  if (!view.isCurrent) return 'unknown';
  const viewAfter = new OverlayView(view, { clusterRoles: new Map([[after.name, after]]) });
  const offered = holdingsOf(after, viewAfter);
  if (offered.isEmpty) return [];
  const viewBefore = new OverlayView(view, { clusterRoles: new Map([[after.name, before]]) });
  return additions(offered, affectedBy(after, viewAfter), viewBefore);
}

/** A role that has the rules of the one that is written, and its bindings. */
interface Affected {
  readonly step: Step;
  readonly bindings: readonly Binding[];
}

function affectedBy(role: ClusterRole, view: GrantsView): readonly Affected[] {
  const affected: Affected[] = [];
  for (const step of walkAggregators([role], view)) {
    const bindings = [...view.clusterRoleBindingsTo(step.role.name)].filter(({ subjects }) => subjects.length > 0);
    if (bindings.length > 0) affected.push({ step, bindings });
  }
  return affected;
}

function additions(offered: Holdings, affected: readonly Affected[], viewBefore: GrantsView): readonly BindingGrants[] {
  const rolesBefore = affected.map(({ step }) => viewBefore.clusterRole(step.role.name));
  const prior = new PriorHolders(
    rolesBefore.filter((role) => typeof role !== 'string'),
    viewBefore,
  );
  return affected.flatMap(({ step, bindings }) => {
    const { name } = step.role;
    const added = prior.mayCover(name, offered.set) ? offered.without(prior.coverOf(name)) : offered;
    const grants = added.list().map((holding) => asRoleGrant(holding, step));
    return grants.length === 0 ? [] : bindings.map((binding) => ({ binding, subjects: binding.subjects, grants }));
  });
}
