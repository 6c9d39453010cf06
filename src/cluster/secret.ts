import { asObject, asString, type JsonObject } from '../kube/json.ts';
import type { ApiClient } from './api-client.ts';
import { createObject, readObject, replaceObject } from './named-object.ts';

/** Texts by key, as they are behind the base64. */
export type SecretData = Readonly<Record<string, string>>;

/** A Secret as it was read; `object` carries the version. */
export interface Secret {
  readonly data: SecretData;
  readonly object: JsonObject;
}

/** Reads and writes one Secret. */
export interface SecretAccess {
  readonly read: (signal: AbortSignal) => Promise<Secret | undefined>;
  /**
   * Puts these data, and no others, in the place of those that were read; with `before` undefined it makes the Secret,
   * of type kubernetes.io/tls. False when somebody else was faster.
   */
  readonly write: (
    data: SecretData,
    before: Pick<Secret, 'object'> | undefined,
    signal: AbortSignal,
  ) => Promise<boolean>;
}

/** Access to one Secret by name; `creator` is unlike that of every other process. */
export function secretAccess(
  client: ApiClient,
  { namespace, name, creator }: { readonly namespace: string; readonly name: string; readonly creator: string },
): SecretAccess {
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  return {
    async read(signal) {
      const object = await readObject(client, path, signal);
      return object && { data: decode(asObject(object['data'])), object };
    },
    write(texts, before, signal) {
      const data = encode(texts);
      if (before !== undefined) return replaceObject(client, path, { object: { ...before.object, data }, signal });
      const head = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'kubernetes.io/tls' };
      return createObject(client, path, { object: { ...head, data }, creator, signal });
    },
  };
}

function decode(data: JsonObject): SecretData {
  const texts = Object.entries(data).map(([key, value]) => [key, fromBase64(asString(value) ?? '')]);
  return Object.fromEntries(texts);
}

function encode(data: SecretData): SecretData {
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
