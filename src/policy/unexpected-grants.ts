import type { JsonObject } from '../kube/json.ts';
import type { JsonPointer } from '../kube/pointer.ts';
import type { Binding } from '../rbac/bindings.ts';
import { type CapabilitySet, setOf } from '../rbac/capabilities.ts';
import type { Grant, RoleGrant } from '../rbac/grants.ts';
import type { Subject } from '../rbac/subjects.ts';
import { addedGrants, type AddedGrants, type UnexpectedGrants } from './added-grants.ts';
import { grantData } from './grant-wording.ts';
import type { RuleContext } from './rule.ts';

/** What a rule about grants has to say of an object: of one grant, or that nobody could tell what is granted. */
export interface UnexpectedGrant {
  readonly how: Grant['how'] | 'unknown';
  readonly path: JsonPointer;
  readonly data: Readonly<Record<string, string | number>>;
}

/** More grants than this are told as one. */
const MOST_TOLD = 100;

/**
 * The grants of some capabilities that a ClusterRole or ClusterRoleBinding adds for subjects that are not expected to
 * have them. Of very many the rest is told as one, an explicit one if there is any. Linear.
 */
export function* unexpectedGrants(
  object: JsonObject,
  context: RuleContext,
  guarded: CapabilitySet,
): Generator<UnexpectedGrant, void> {
  const added = addedGrants(object, context);
  if (!added.isKnown) {
    if (mayBeUnexpected(added, guarded)) yield UNKNOWN;
    return;
  }
  const selection = new Selection();
  for (const each of added.grants) selection.add(each, guarded);
  const { told, rest, others } = selection;
  const { version } = context.view;
  for (const grant of told) {
    yield { how: grant.how, path: added.placeOf(grant), data: grantData(grant, 0, object, version) };
  }
  if (rest === undefined) return;
  yield { how: rest.how, path: added.placeOf(rest), data: grantData(rest, others, object, version) };
}

const UNKNOWN: UnexpectedGrant = Object.freeze({ how: 'unknown', path: '', data: {} });

function mayBeUnexpected(
  { subjects, mayGive }: Extract<AddedGrants, { isKnown: false }>,
  guarded: CapabilitySet,
): boolean {
  const wanted = guarded & mayGive;
  if (wanted === 0) return false;
  return subjects?.some(({ unexpected }) => (wanted & unexpected) !== 0) ?? true;
}

/** The grants that are told: the first ones, and one that stands for the rest. Beyond them nothing is made of a grant. */
class Selection {
  readonly told: Grant[] = [];
  /** The first explicit one of the rest, or else its first one. */
  rest: Grant | undefined;
  /** How many there are in the rest besides that one. */
  others = 0;

  add({ binding, subjects, grants }: UnexpectedGrants, guarded: CapabilitySet): void {
    const sensitive = grants.filter(({ capability }) => (guarded & setOf(capability)) !== 0);
    if (sensitive.length === 0) return;
    const rows = sensitive.map((grant) => [setOf(grant.capability), grant] as const);
    for (const { subject, unexpected } of subjects) {
      for (const [bit, grant] of rows) if ((unexpected & bit) !== 0) this.#take(grant, binding, subject);
    }
  }

  #take(grant: RoleGrant, binding: Binding, subject: Subject): void {
    if (this.told.length < MOST_TOLD) {
      this.told.push({ ...grant, binding, subject });
      return;
    }
    if (this.rest !== undefined) this.others += 1;
    const isWorse = this.rest === undefined || (this.rest.how === 'wildcard' && grant.how === 'explicit');
    if (isWorse) this.rest = { ...grant, binding, subject };
  }
}
