import type { JsonObject } from '../kube/json.ts';
import { ApiError, type ApiClient } from './api-client.ts';

// One object by its name, read and written with optimistic concurrency. Nothing here needs rights to a whole collection.

/** How the API server tells our fields from others'. */
const FIELD_MANAGER = 'scrapeguard';

/** The object as it is now, not from a cache; undefined when there is none. */
export async function readObject(
  client: ApiClient,
  path: string,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  return unless([404], () => client.request({ path, signal }));
}

/**
 * Makes an object unless there is one; false when somebody was faster. It is applied to its own path, since a right to
 * `create` can name an object only there; and by a manager of its own, so that it conflicts with whatever is there.
 */
export async function createObject(
  client: ApiClient,
  path: string,
  { object, creator, signal }: { readonly object: JsonObject; readonly creator: string; readonly signal: AbortSignal },
): Promise<boolean> {
  const query = `fieldManager=${encodeURIComponent(`${FIELD_MANAGER}-${creator}`)}`;
  const contentType = 'application/apply-patch+yaml';
  const request = { path: `${path}?${query}`, method: 'PATCH', contentType, body: object, signal } as const;
  return (await unless([409], () => client.request(request))) !== undefined;
}

/** Puts an object in the place of the version that its metadata names; false when that is not the current one. */
export async function replaceObject(
  client: ApiClient,
  path: string,
  { object, signal }: { readonly object: JsonObject; readonly signal: AbortSignal },
): Promise<boolean> {
  const request = { path: `${path}?fieldManager=${FIELD_MANAGER}`, method: 'PUT', body: object, signal } as const;
  return (await unless([404, 409], () => client.request(request))) !== undefined;
}

async function unless(statuses: readonly number[], ask: () => Promise<JsonObject>): Promise<JsonObject | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiError && statuses.includes(error.status)) return undefined;
    throw error;
  }
}
