import type { JsonObject } from '../../src/kube/json.ts';

/** A ClusterRole of this name and version, `name@version`. */
export function roleAt(text: string, more: JsonObject = {}): JsonObject {
  const [name, resourceVersion] = text.split('@');
  return { metadata: { name, resourceVersion }, rules: [], ...more };
}

/** A page of ClusterRoles as the API server lists them, without kinds. */
export function pageOf(resourceVersion: string, items: readonly string[], next = ''): JsonObject {
  return { metadata: { resourceVersion, continue: next }, items: items.map((item) => roleAt(item)) };
}

/** A line of a watch. */
export function lineOf(type: string, text: string, more: JsonObject = {}): JsonObject {
  return { type, object: roleAt(text, { kind: 'ClusterRole', apiVersion: 'rbac.authorization.k8s.io/v1', ...more }) };
}

/** A bookmark at a version. */
export function bookmarkAt(resourceVersion: string): JsonObject {
  return { type: 'BOOKMARK', object: { kind: 'ClusterRole', metadata: { resourceVersion } } };
}

/** What the server says in a watch before it ends it. */
export function errorOf(code: number): JsonObject {
  return { type: 'ERROR', object: { kind: 'Status', code, message: `the code is ${code}` } };
}
