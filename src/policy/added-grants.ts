import type { Operation } from '../kube/admission-review.ts';
import type { JsonObject } from '../kube/json.ts';
import type { JsonPointer } from '../kube/pointer.ts';
import { clusterRoleBindingOf, placedSubjectsOf } from '../rbac/bindings.ts';
import { type CapabilitySet, CAPABILITIES, unionOf } from '../rbac/capabilities.ts';
import { type ClusterRole, clusterRoleOf } from '../rbac/cluster-role.ts';
import { isDefaultBinding } from '../rbac/default-roles.ts';
import { addedSubjects, deltaOfBinding, deltaOfRole } from '../rbac/delta.ts';
import { type BindingGrants, type Grant, grantsOf } from '../rbac/grants.ts';
import type { GrantsView } from '../rbac/grants-view.ts';
import { OverlayView } from '../rbac/overlay.ts';
import type { Subject } from '../rbac/subjects.ts';
import type { ClusterView } from './cluster-view.ts';
import type { RuleContext } from './rule.ts';

/** What a ClusterRole or ClusterRoleBinding adds. */
export type AddedGrants =
  | {
      readonly isKnown: true;
      readonly grants: readonly BindingGrants[];
      /** The place in the object that a grant comes from. */
      readonly placeOf: (grant: Grant) => JsonPointer;
    }
  | {
      readonly isKnown: false;
      /** To whom something may be given; undefined: to anybody. */
      readonly subjects: readonly Subject[] | undefined;
      /** All that may be given. */
      readonly mayGive: CapabilitySet;
    };

/** What the answer depends on besides the object. */
interface Surroundings {
  readonly view: ClusterView;
  readonly operation: Operation | undefined;
  readonly oldObject: JsonObject | undefined;
}

const ANSWERS = new WeakMap<JsonObject, { readonly to: Surroundings; readonly added: AddedGrants }>();

/**
 * What a write of a ClusterRole or ClusterRoleBinding adds. Without a request it is what the object gives, each grant
 * told once: on its binding, or on the role where kube-apiserver made the binding. The rules ask one after the other, so
 * the last answer about an object is remembered.
 */
export function addedGrants(object: JsonObject, context: RuleContext): AddedGrants {
  const { view, operation, oldObject } = context;
  const to = { view, operation, oldObject };
  const known = ANSWERS.get(object);
  if (known !== undefined && isSame(known.to, to)) return known.added;
  const added = addedBy(object, to);
  ANSWERS.set(object, { to, added });
  return added;
}

function isSame(one: Surroundings, other: Surroundings): boolean {
  return one.view === other.view && one.operation === other.operation && one.oldObject === other.oldObject;
}

function addedBy(object: JsonObject, { view: { grants: view }, operation, oldObject }: Surroundings): AddedGrants {
  const before = operation === 'UPDATE' ? oldObject : undefined;
  switch (object['kind']) {
    case 'ClusterRoleBinding':
      return byBinding(object, before, { view, isWrite: operation !== undefined });
    case 'ClusterRole':
      return operation === undefined ? throughDefaultBindings(object, view) : byRole(object, before, view);
    default:
      return NOTHING;
  }
}

const NOTHING: AddedGrants = Object.freeze({ isKnown: true, grants: [], placeOf: () => '' });
const EVERYTHING = unionOf(CAPABILITIES);

function byBinding(
  object: JsonObject,
  oldObject: JsonObject | undefined,
  { view, isWrite }: { readonly view: GrantsView; readonly isWrite: boolean },
): AddedGrants {
  const after = clusterRoleBindingOf(object);
  const before = oldObject && clusterRoleBindingOf(oldObject);
  const delta = deltaOfBinding(before, after, view);
  if (delta === 'unknown') return { isKnown: false, subjects: addedSubjects(before, after), mayGive: EVERYTHING };
  let places: ReadonlyMap<string, number> | undefined;
  const placeOf = ({ subject }: Grant): JsonPointer => {
    places ??= new Map(placedSubjectsOf(object).map((placed) => [placed.subject.key, placed.index]));
    return `/subjects/${places.get(subject.key)}`;
  };
  const grants = isWrite ? delta : delta.map((each) => only(each, (subject) => !isDefaultBinding(after, subject)));
  return { isKnown: true, grants, placeOf };
}

function byRole(object: JsonObject, oldObject: JsonObject | undefined, view: GrantsView): AddedGrants {
  const after = clusterRoleOf(object);
  const delta = deltaOfRole(oldObject && clusterRoleOf(oldObject), after, view);
  if (delta !== 'unknown') return { isKnown: true, grants: delta, placeOf: placeInRole(after) };
  const mayGive = after.selectors.length > 0 ? EVERYTHING : after.gives.any;
  return { isKnown: false, subjects: undefined, mayGive };
}

function throughDefaultBindings(object: JsonObject, below: GrantsView): AddedGrants {
  const role = clusterRoleOf(object);
  const view = new OverlayView(below, { clusterRoles: new Map([[role.name, role]]) });
  const grants = [...view.clusterRoleBindingsTo(role.name)]
    .map((binding) => grantsOf(binding, view))
    .filter((given) => given !== 'unknown')
    .map((given) => only(given, (subject) => isDefaultBinding(given.binding, subject)));
  return { isKnown: true, grants, placeOf: placeInRole(role) };
}

function only(given: BindingGrants, isMeant: (subject: Subject) => boolean): BindingGrants {
  return { ...given, subjects: given.subjects.filter(isMeant) };
}

/** A grant comes from one of the role's own rules, or from those that it aggregates. */
function placeInRole({ name }: ClusterRole): (grant: Grant) => JsonPointer {
  return ({ role, rule }) => (role === name ? `/rules/${rule}` : '/aggregationRule');
}
