import type { JsonObject } from '../kube/json.ts';
import { metadataOf, nameOf } from '../kube/object.ts';
import type { Exception } from './document.ts';
import { matchesAny } from './wildcard.ts';

/** What an exception is matched against: an object's kind and name, and for a template those of the pods it makes. */
export interface ExceptionTarget {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/** The kinds and names under which a finding on an object can be excepted; a template also counts as the Pod it makes. */
export function exceptionTargetsOf(object: JsonObject, namespace: string, isTemplate: boolean): ExceptionTarget[] {
  const kind = typeof object['kind'] === 'string' ? object['kind'] : '';
  const name = nameOf(metadataOf(object));
  const itself = { namespace, kind, name };
  return isTemplate ? [itself, { namespace, kind: 'Pod', name: `${name}-` }] : [itself];
}

/** The first exception for a rule that holds on a day (`2027-03-31`, UTC; the last valid day included) for any target. */
export function exceptionFor(
  exceptions: readonly Exception[],
  ruleId: string,
  targets: readonly ExceptionTarget[],
  today: string,
): Exception | undefined {
  return exceptions.find(
    ({ rules, namespaces, kinds, names, expires }) =>
      rules.includes(ruleId) &&
      expires >= today &&
      targets.some(
        ({ namespace, kind, name }) =>
          matchesAny(namespaces, namespace) && matchesAny(kinds, kind) && matchesAny(names, name),
      ),
  );
}
