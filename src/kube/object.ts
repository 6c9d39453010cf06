import { asObject, asString, own, type JsonObject } from './json.ts';
import type { Labels } from './labels.ts';

/** Names one Kubernetes object; an empty string stands for what it does not have. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The object's own names; with `generateName` and no name, the prefix that the API server will complete. */
export function refOf(object: JsonObject): ObjectRef {
  const metadata = metadataOf(object);
  return {
    apiVersion: asString(object['apiVersion']) ?? '',
    kind: asString(object['kind']) ?? '',
    namespace: asString(metadata['namespace']) ?? '',
    name: nameOf(metadata),
  };
}

/** `metadata.name`, else `metadata.generateName`, else ''. */
export function nameOf(metadata: JsonObject): string {
  return asString(metadata['name']) || asString(metadata['generateName']) || '';
}

/** The object's metadata, empty when it has none. */
export function metadataOf(object: JsonObject): JsonObject {
  return asObject(object['metadata']);
}

/** One annotation of an object, or undefined. */
export function annotationOf(object: JsonObject, key: string): string | undefined {
  return asString(own(asObject(metadataOf(object)['annotations']), key));
}

/** One label of an object, or undefined. */
export function labelOf(object: JsonObject, key: string): string | undefined {
  return asString(own(asObject(metadataOf(object)['labels']), key));
}

/** The object's labels: every entry whose value is a string. */
export function labelsOf(object: JsonObject): Labels {
  const entries = Object.entries(asObject(metadataOf(object)['labels']));
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** The API group of an `apiVersion`: '' for `v1`, 'apps' for `apps/v1`. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}
