// RBAC objects as short as they can be, and the index of some of them.
import type { JsonObject } from '../../src/kube/json.ts';
import { GrantsIndex } from '../../src/rbac/grants-index.ts';

const API_VERSION = 'rbac.authorization.k8s.io/v1';

interface ClusterRoleParts {
  readonly labels?: Readonly<Record<string, unknown>>;
  readonly selectors?: readonly unknown[];
}

/** A ClusterRole. */
export function clusterRole(name: string, rules: unknown, { labels, selectors }: ClusterRoleParts = {}): JsonObject {
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterRole',
    metadata: { name, ...(labels !== undefined && { labels }) },
    rules,
    ...(selectors !== undefined && { aggregationRule: { clusterRoleSelectors: selectors } }),
  };
}

/** A ClusterRoleBinding to a ClusterRole. */
export function clusterRoleBinding(name: string, roleName: string, subjects: unknown): JsonObject {
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { kind: 'ClusterRole', name: roleName },
    subjects,
  };
}

/** A Role. */
export function role(namespace: string, name: string, rules: unknown): JsonObject {
  return { apiVersion: API_VERSION, kind: 'Role', metadata: { namespace, name }, rules };
}

/** A RoleBinding to a ClusterRole, or to a Role when the name begins so: `Role reader`. */
export function roleBinding(namespace: string, name: string, to: string, subjects: unknown): JsonObject {
  const roleRef = to.startsWith('Role ') ? { kind: 'Role', name: to.slice(5) } : { kind: 'ClusterRole', name: to };
  return { apiVersion: API_VERSION, kind: 'RoleBinding', metadata: { namespace, name }, roleRef, subjects };
}

/** Puts an object of any of the four kinds into an index. */
export function upsert(index: GrantsIndex, object: JsonObject): void {
  switch (object['kind']) {
    case 'ClusterRole':
      return index.upsertClusterRole(object);
    case 'ClusterRoleBinding':
      return index.upsertClusterRoleBinding(object);
    case 'Role':
      return index.upsertRole(object);
    default:
      return index.upsertRoleBinding(object);
  }
}

/** An index of the objects. */
export function indexOf(objects: Iterable<JsonObject>): GrantsIndex {
  const index = new GrantsIndex();
  for (const object of objects) upsert(index, object);
  return index;
}
