import jsonPatch, { type Operation } from 'fast-json-patch';

import { isObject, own, type JsonObject } from '../kube/json.ts';
import { escapeToken, type JsonPointer } from '../kube/pointer.ts';
import { applyPlan, copySpine, LISTS } from './apply.ts';
import type { Plan } from './plan.ts';

/** One operation of a JSON Patch (RFC 6902). */
export type PatchOperation = Operation;

/** The patch that makes a pod what `applyPlan` makes of it: lists grow at their end, nothing is removed or moved. */
export function patchOf(pod: JsonObject, plan: Plan): readonly PatchOperation[] {
  const whole: Edit = { before: pod, after: applyPlan(pod, plan), path: '' };
  return [
    ...within(whole, 'spec', ({ before }) => LISTS.flatMap((list) => grownList(before, plan[list], list))),
    ...within(whole, 'metadata', (metadata) =>
      within(metadata, 'annotations', ({ before }) => changedAnnotations(before, plan.annotations)),
    ),
  ];
}

/** An object of the pod as it was and as it is to be, and its place. */
interface Edit {
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly path: JsonPointer;
}

/** What changes inside a field that is an object, or the whole field where it is none yet. */
function within(
  edit: Edit,
  field: string,
  changesIn: (inner: Edit) => readonly PatchOperation[],
): readonly PatchOperation[] {
  const path = `${edit.path}/${field}`;
  const [before, after] = [own(edit.before, field), own(edit.after, field)];
  return isObject(before) && isObject(after)
    ? changesIn({ before, after, path })
    : [put(edit.before, field, path, after)];
}

/** Sets a field of an object, whether or not it is there. */
function put(object: JsonObject, field: string, path: JsonPointer, value: unknown): PatchOperation {
  return { op: Object.hasOwn(object, field) ? 'replace' : 'add', path, value };
}

function grownList(spec: JsonObject, added: readonly JsonObject[], field: string): readonly PatchOperation[] {
  if (added.length === 0) return [];
  const path = `/spec/${field}`;
  const list = own(spec, field);
  if (!Array.isArray(list)) return [put(spec, field, path, added)];
  return added.map((value, index) => ({ op: 'add', path: `${path}/${list.length + index}`, value }));
}

function changedAnnotations(
  annotations: JsonObject,
  written: Readonly<Record<string, string>>,
): readonly PatchOperation[] {
  return Object.entries(written)
    .filter(([key, value]) => own(annotations, key) !== value)
    .map(([key, value]) => put(annotations, key, `/metadata/annotations/${escapeToken(key)}`, value));
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
