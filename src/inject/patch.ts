import jsonPatch, { type Operation } from 'fast-json-patch';

import type { JsonObject } from '../kube/json.ts';
import { applyPlan, copySpine } from './apply.ts';
import type { Plan } from './plan.ts';

/** One operation of a JSON Patch (RFC 6902). */
export type PatchOperation = Operation;

/** The patch that makes a pod what it is after a plan: lists grow at their end, nothing is removed or moved. */
export function patchOf(pod: JsonObject, plan: Plan): readonly PatchOperation[] {
  return jsonPatch.compare(pod, applyPlan(pod, plan));
}

/**
 * Why a patch cannot be applied to a pod, as the name of an error; undefined when it can. The API server refuses a pod
 * whose patch does not apply, also where it would have gone on without the webhook.
 */
export function patchError(pod: JsonObject, patch: readonly PatchOperation[]): string | undefined {
  try {
    jsonPatch.applyPatch(copySpine(pod), [...patch], true);
    return undefined;
  } catch (error) {
    // The message of such an error holds the whole pod, which belongs in no log.
    return error instanceof Error ? error.name : typeof error;
  }
}
