import type { JsonObject } from '../kube/json.ts';
import { COLLECTIONS } from './cluster-caches.ts';

/** What the service account needs to follow a cluster: one rule for the collections of each API group. */
export const FOLLOWING: readonly JsonObject[] = [...followedByGroup()].map(([group, resources]) => ({
  apiGroups: [group],
  resources,
  verbs: ['get', 'list', 'watch'],
}));

/** What it needs to ask whose a token is and whether they may read metrics. */
export const REVIEWING: readonly JsonObject[] = [
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
];

function followedByGroup(): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const [resource, { path }] of Object.entries(COLLECTIONS)) {
    const [, group = ''] = /^\/apis\/([^/]+)\//.exec(path) ?? [];
    groups.set(group, [...(groups.get(group) ?? []), resource]);
  }
  return groups;
}
