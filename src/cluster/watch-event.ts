import { asObject, asString, isObject, type JsonObject, own } from '../kube/json.ts';
import { metadataOf } from '../kube/object.ts';
import { ApiError } from './api-client.ts';
import { BrokenAnswer } from './broken-answer.ts';

/** One line of a watch: what happened to an object, or only how far the watch has come. */
export type WatchEvent =
  | { readonly type: 'upsert'; readonly object: JsonObject; readonly resourceVersion: string }
  | { readonly type: 'delete'; readonly name: string; readonly resourceVersion: string }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

/**
 * Reads a line of a watch for objects of a kind. Throws an ApiError for the server's own error, and a BrokenAnswer for
 * whatever else a watch cannot say.
 */
export function watchEventOf(line: string, kind: string): WatchEvent {
  const event = parseLine(line);
  const object = asObject(own(event, 'object'));
  const type = own(event, 'type');
  if (type === 'ERROR') throw new ApiError(codeOf(object), asString(own(object, 'message')) ?? 'an error in the watch');
  if (own(object, 'kind') !== kind) throw new BrokenAnswer(`a line of the watch is about no ${kind}`);
  const { name, resourceVersion } = metadataOf(object);
  if (typeof resourceVersion !== 'string' || !/^[1-9][0-9]{0,19}$/.test(resourceVersion)) {
    throw new BrokenAnswer('a line of the watch has no version');
  }
  if (type === 'BOOKMARK') return { type: 'bookmark', resourceVersion };
  if (typeof name !== 'string' || name === '') throw new BrokenAnswer('a line of the watch names no object');
  if (type === 'ADDED' || type === 'MODIFIED') return { type: 'upsert', object, resourceVersion };
  if (type === 'DELETED') return { type: 'delete', name, resourceVersion };
  throw new BrokenAnswer('a line of the watch is of an unknown type');
}

/** Below zero when the first version is older. The versions of one collection are numbers without leading zeros. */
export function compareVersions(one: string, other: string): number {
  if (one.length !== other.length) return one.length - other.length;
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function parseLine(line: string): JsonObject {
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return value;
  } catch {
    // Told below: what cannot be read is as little an event as a number is.
  }
  throw new BrokenAnswer('a line of the watch cannot be read');
}

function codeOf(status: JsonObject): number {
  const code = own(status, 'code');
  return typeof code === 'number' ? code : 500;
}
