import type { JsonObject } from '../kube/json.ts';
import type { JsonPointer } from '../kube/pointer.ts';
import { type CapabilitySet, setOf } from '../rbac/capabilities.ts';
import type { BindingGrants, Grant } from '../rbac/grants.ts';
import { addedGrants, type AddedGrants } from './added-grants.ts';
import type { ExpectedSubjects } from './expected-subjects.ts';
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
    if (mayBeUnexpected(added, guarded, context.expected)) yield UNKNOWN;
    return;
  }
  const observed = (grant: Grant, more: number): UnexpectedGrant => {
    const { how } = grant;
    return { how, path: added.placeOf(grant), data: grantData(grant, more, object, context.view.version) };
  };
  let told = 0;
  let worst: Grant | undefined;
  for (const grant of unexpectedIn(added.grants, guarded, context.expected)) {
    told += 1;
    if (told <= MOST_TOLD) yield observed(grant, 0);
    else if (worst?.how !== 'explicit') worst = grant.how === 'explicit' ? grant : (worst ?? grant);
  }
  if (worst !== undefined) yield observed(worst, told - MOST_TOLD - 1);
}

const UNKNOWN: UnexpectedGrant = Object.freeze({ how: 'unknown', path: '', data: {} });

function mayBeUnexpected(
  { subjects, mayGive }: Extract<AddedGrants, { isKnown: false }>,
  guarded: CapabilitySet,
  expected: ExpectedSubjects,
): boolean {
  const wanted = guarded & mayGive;
  if (wanted === 0) return false;
  return subjects?.some((subject) => (wanted & ~expected.capabilitiesOf(subject)) !== 0) ?? true;
}

function* unexpectedIn(
  given: readonly BindingGrants[],
  guarded: CapabilitySet,
  expected: ExpectedSubjects,
): Generator<Grant, void> {
  for (const { binding, subjects, grants } of given) {
    const sensitive = grants.filter(({ capability }) => (guarded & setOf(capability)) !== 0);
    if (sensitive.length === 0) continue;
    for (const subject of subjects) {
      const unexpected = ~expected.capabilitiesOf(subject);
      for (const grant of sensitive) {
        if ((unexpected & setOf(grant.capability)) !== 0) yield { ...grant, binding, subject };
      }
    }
  }
}
