import type { Operation } from '../kube/admission-review.ts';
import type { JsonObject } from '../kube/json.ts';
import type { JsonPointer } from '../kube/pointer.ts';
import { clusterRoleBindingOf, subjectPlaces } from '../rbac/bindings.ts';
import { type CapabilitySet, CAPABILITIES, unionOf } from '../rbac/capabilities.ts';
import { type ClusterRole, clusterRoleOf } from '../rbac/cluster-role.ts';
import { isDefaultBinding } from '../rbac/default-roles.ts';
import { addedSubjects, deltaOfBinding, deltaOfRole } from '../rbac/delta.ts';
import { type BindingGrants, type Grant, grantsOf } from '../rbac/grants.ts';
import type { GrantsView } from '../rbac/grants-view.ts';
import { OverlayView } from '../rbac/overlay.ts';
import type { Subject } from '../rbac/subjects.ts';
import type { ClusterView } from './cluster-view.ts';
import type { ExpectedSubjects } from './expected-subjects.ts';
import type { RuleContext } from './rule.ts';

/** What a binding gives to whom, of which not everything is expected. */
export interface UnexpectedGrants extends Pick<BindingGrants, 'binding' | 'grants'> {
  readonly subjects: readonly UnexpectedSubject[];
}

/** A subject, and what nobody expects it to have. */
export interface UnexpectedSubject {
  readonly subject: Subject;
  readonly unexpected: CapabilitySet;
}

/** What a ClusterRole or ClusterRoleBinding adds for subjects that are not expected to have it. */
export type AddedGrants =
  | {
      readonly isKnown: true;
      readonly grants: readonly UnexpectedGrants[];
      /** The place in the object that a grant comes from. */
      readonly placeOf: (grant: Grant) => JsonPointer;
    }
  | {
      readonly isKnown: false;
      /** To whom something may be given; undefined: to anybody. */
      readonly subjects: readonly UnexpectedSubject[] | undefined;
      /** All that may be given. */
      readonly mayGive: CapabilitySet;
    };

/** What the answer depends on besides the object. */
interface Surroundings {
  readonly view: ClusterView;
  readonly operation: Operation | undefined;
  readonly oldObject: JsonObject | undefined;
  readonly expected: ExpectedSubjects;
}

const ANSWERS = new WeakMap<JsonObject, { readonly to: Surroundings; readonly added: AddedGrants }>();

/**
 * What a write of a ClusterRole or ClusterRoleBinding adds for whom nobody expects to have it. Without a request it is
 * what the object gives, each grant told once: on its binding, or on the role where kube-apiserver made the binding. The
 * rules ask one after the other, so the last answer about an object is remembered.
 */
export function addedGrants(object: JsonObject, context: RuleContext): AddedGrants {
  const { view, operation, oldObject, expected } = context;
  const to = { view, operation, oldObject, expected };
  const known = ANSWERS.get(object);
  if (known !== undefined && isSame(known.to, to)) return known.added;
  const added = addedBy(object, to);
  ANSWERS.set(object, { to, added });
  return added;
}

function isSame(one: Surroundings, other: Surroundings): boolean {
  return (
    one.view === other.view &&
    one.operation === other.operation &&
    one.oldObject === other.oldObject &&
    one.expected === other.expected
  );
}

function addedBy(object: JsonObject, { view, operation, oldObject, expected }: Surroundings): AddedGrants {
  const given = givenBy(object, view.grants, { operation, before: operation === 'UPDATE' ? oldObject : undefined });
  if (!given.isKnown) return { ...given, subjects: given.subjects && unexpectedAmong(given.subjects, expected) };
  const grants = given.grants.map(({ binding, subjects, grants: all }) => {
    return { binding, grants: all, subjects: all.length === 0 ? [] : unexpectedAmong(subjects, expected) };
  });
  return { ...given, grants };
}

function unexpectedAmong(
  subjects: readonly Subject[],
  { capabilitiesOf }: ExpectedSubjects,
): readonly UnexpectedSubject[] {
  return subjects.map((subject) => ({ subject, unexpected: EVERYTHING & ~capabilitiesOf(subject) }));
}

/** The same before anybody asks who is expected. */
type Given =
  | (Omit<Extract<AddedGrants, { isKnown: true }>, 'grants'> & { readonly grants: readonly BindingGrants[] })
  | (Omit<Extract<AddedGrants, { isKnown: false }>, 'subjects'> & {
      readonly subjects: readonly Subject[] | undefined;
    });

/** `before` is what an UPDATE replaces. */
interface Write {
  readonly operation: Operation | undefined;
  readonly before: JsonObject | undefined;
}

function givenBy(object: JsonObject, view: GrantsView, write: Write): Given {
  switch (object['kind']) {
    case 'ClusterRoleBinding':
      return byBinding(object, write, view);
    case 'ClusterRole':
      return write.operation === undefined ? throughDefaultBindings(object, view) : byRole(object, write, view);
    default:
      return NOTHING;
  }
}

const NOTHING: Given = Object.freeze({ isKnown: true, grants: [], placeOf: () => '' });
const EVERYTHING = unionOf(CAPABILITIES);

function byBinding(object: JsonObject, { operation, before: oldObject }: Write, view: GrantsView): Given {
  const after = clusterRoleBindingOf(object);
  const before = oldObject && clusterRoleBindingOf(oldObject);
  const delta = deltaOfBinding(before, after, view);
  if (delta === 'unknown') return { isKnown: false, subjects: addedSubjects(before, after), mayGive: EVERYTHING };
  const placeOf = subjectPlaces(object);
  const isOurs = (subject: Subject): boolean => !isDefaultBinding(after, subject);
  const grants = operation === undefined ? delta.map((each) => only(each, isOurs)) : delta;
  return { isKnown: true, grants, placeOf: ({ subject }) => `/subjects/${placeOf(subject)}` };
}

function byRole(object: JsonObject, { before: oldObject }: Write, view: GrantsView): Given {
  const after = clusterRoleOf(object);
  const delta = deltaOfRole(oldObject && clusterRoleOf(oldObject), after, view);
  if (delta !== 'unknown') return { isKnown: true, grants: delta, placeOf: placeInRole(after) };
  const mayGive = after.selectors.length > 0 ? EVERYTHING : after.gives.any;
  return { isKnown: false, subjects: undefined, mayGive };
}

function throughDefaultBindings(object: JsonObject, below: GrantsView): Given {
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
