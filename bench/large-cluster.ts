// A cluster as large as DESIGN.md's bars speak of: 10,000 ClusterRoles of 1.2 KB and 50,000 ClusterRoleBindings of 0.7 KB.

import type { JsonObject } from '../src/kube/json.ts';

export const ROLES = 10_000;
export const BINDINGS = 50_000;

/** The depth of the chain of aggregation, and the bindings to each of its roles. */
export const CHAIN = 100;
export const BINDINGS_A_LINK = 10;

const API_VERSION = 'rbac.authorization.k8s.io/v1';
const NAMESPACES = 500;
const VERBS = [['get'], ['get', 'list', 'watch'], ['create', 'update', 'patch', 'delete'], ['*']];
const RESOURCES = ['pods', 'services', 'configmaps', 'secrets', 'deployments', 'jobs', 'nodes', 'endpoints', 'leases'];

/**
 * One of the ClusterRoles. The first hundred are a chain: each aggregates the one before, so that what is written into
 * the first reaches whoever is bound to any of them. None gives a capability.
 */
export function clusterRoleNumber(index: number): JsonObject {
  const rules = [0, 1, 2].map((rule) => ({
    apiGroups: [index % 2 === 0 ? '' : 'apps'],
    resources: [RESOURCES[(index + rule) % RESOURCES.length], RESOURCES[(index * 7 + rule) % RESOURCES.length]],
    verbs: VERBS[(index + rule) % VERBS.length],
  }));
  const isLink = index < CHAIN;
  const links = {
    ...(isLink && { labels: { [`chain/link-${index}`]: 'true' } }),
  };
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterRole',
    metadata: { ...metadataOf(`role-${index}`, index), ...links, managedFields: managedFields(16) },
    rules,
    ...(isLink &&
      index > 0 && {
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`chain/link-${index - 1}`]: 'true' } }] },
      }),
  };
}

/** One of the ClusterRoleBindings; the first thousand are to the chain, ten to each of its roles. */
export function clusterRoleBindingNumber(index: number): JsonObject {
  const isToChain = index < CHAIN * BINDINGS_A_LINK;
  const role = isToChain ? Math.floor(index / BINDINGS_A_LINK) : CHAIN + (index % (ROLES - CHAIN));
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterRoleBinding',
    metadata: { ...metadataOf(`binding-${index}`, index), managedFields: managedFields(2) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `role-${role}` },
    subjects: [
      { kind: 'ServiceAccount', name: `account-${index % 20}`, namespace: `namespace-${index % NAMESPACES}` },
      ...(index % 10 === 0 ? [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: `user-${index}` }] : []),
    ],
  };
}

/** One of the Namespaces. */
export function namespaceNumber(index: number): JsonObject {
  const name = `namespace-${index}`;
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { ...metadataOf(name, index), labels: { 'kubernetes.io/metadata.name': name } },
  };
}

/** How many of each collection there are, and how each is made. */
export const COLLECTIONS: Readonly<Record<string, { count: number; make: (index: number) => JsonObject }>> = {
  clusterroles: { count: ROLES, make: clusterRoleNumber },
  clusterrolebindings: { count: BINDINGS, make: clusterRoleBindingNumber },
  namespaces: { count: NAMESPACES, make: namespaceNumber },
};

/** A page as the API server lists it, as text. */
export function pageText(collection: string, from: number, limit: number): string {
  const { count, make } = COLLECTIONS[collection] ?? { count: 0, make: () => ({}) };
  const end = Math.min(count, from + limit);
  const items = Array.from({ length: Math.max(0, end - from) }, (_, index) => make(from + index));
  const metadata = { resourceVersion: '1000000', ...(end < count && { continue: String(end) }) };
  return JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata, items });
}

function metadataOf(name: string, index: number): JsonObject {
  return {
    name,
    uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    resourceVersion: String(index + 1),
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
}

function managedFields(fields: number): readonly JsonObject[] {
  const names = Array.from({ length: fields }, (_, index) => [`f:field-number-${index}`, { 'f:value': {} }]);
  return [
    {
      manager: 'kubectl-client-side-apply',
      operation: 'Update',
      apiVersion: API_VERSION,
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:metadata': Object.fromEntries(names) },
    },
  ];
}
