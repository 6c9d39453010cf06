import { asList, asObject, isObject, type JsonObject } from '../kube/json.ts';
import type { Plan } from './plan.ts';

/** The lists of a pod's spec that a plan adds to. */
export const LISTS = ['initContainers', 'containers', 'volumes', 'imagePullSecrets'] as const;

/**
 * The pod as it is after a plan: what the plan does not touch is the same value, not a copy, and the pod that was handed
 * over stays as it was. Lists grow at their end alone.
 */
export function applyPlan(pod: JsonObject, plan: Plan): JsonObject {
  const metadata = asObject(pod['metadata']);
  const spec = asObject(pod['spec']);
  const grown = LISTS.filter((list) => plan[list].length > 0).map((list) => [
    list,
    [...asList(spec[list]), ...plan[list]],
  ]);
  return {
    ...pod,
    metadata: { ...metadata, annotations: { ...asObject(metadata['annotations']), ...plan.annotations } },
    spec: { ...spec, ...Object.fromEntries(grown) },
  };
}

/** A copy of a pod as deep as a plan or its patch reaches; what lies deeper is shared. */
export function copySpine(pod: JsonObject): JsonObject {
  return withCopies(pod, {
    metadata: (metadata) => withCopies(metadata, { annotations: (annotations) => ({ ...annotations }) }),
    spec: (spec) => ({ ...spec, ...Object.fromEntries(listsOf(spec).map(([list, items]) => [list, [...items]])) }),
  });
}

function listsOf(spec: JsonObject): readonly (readonly [string, readonly unknown[]])[] {
  return LISTS.filter((list) => Array.isArray(spec[list])).map((list) => [list, asList(spec[list])]);
}

/** A copy of an object in which some fields are copied too, those that are objects. */
function withCopies(
  object: JsonObject,
  copies: Readonly<Record<string, (value: JsonObject) => JsonObject>>,
): JsonObject {
  const copied = Object.entries(copies).flatMap(([field, copy]) => {
    const value = object[field];
    return isObject(value) ? [[field, copy(value)] as const] : [];
  });
  return { ...object, ...Object.fromEntries(copied) };
}
