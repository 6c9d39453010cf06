import { asObject, asString, isObject, type JsonObject } from '../kube/json.ts';
import type { ApiClient } from './api-client.ts';

/** Who the API server says that a token is for, as it wants to be told again in a SubjectAccessReview. */
export type Viewer = JsonObject;

/**
 * Asks the API server whose a bearer token is (TokenReview); undefined when it is nobody's. Rejects when it does not
 * answer.
 */
export async function reviewToken(client: ApiClient, token: string, signal: AbortSignal): Promise<Viewer | undefined> {
  const status = await review(client, '/apis/authentication.k8s.io/v1/tokenreviews', { token }, signal);
  const { authenticated, user } = status;
  return authenticated === true && isObject(user) && asString(user['username']) !== undefined ? user : undefined;
}

/**
 * Asks the API server whether somebody may do what a verb stands for with a URL path (SubjectAccessReview). Rejects when
 * it does not answer.
 */
export async function mayReach(
  client: ApiClient,
  viewer: Viewer,
  attributes: { readonly path: string; readonly verb: string },
  signal: AbortSignal,
): Promise<boolean> {
  const { username, groups, uid, extra } = viewer;
  const spec = { user: username, groups, uid, extra, nonResourceAttributes: attributes };
  const { allowed } = await review(client, '/apis/authorization.k8s.io/v1/subjectaccessreviews', spec, signal);
  return allowed === true;
}

async function review(client: ApiClient, path: string, spec: JsonObject, signal: AbortSignal): Promise<JsonObject> {
  // The kind and the version follow from the path.
  const answer = await client.request({ path, method: 'POST', body: { spec }, signal });
  return asObject(answer['status']);
}
