import type { JsonObject } from '../kube/json.ts';
import type { Labels } from '../kube/labels.ts';
import { labelsOf, refOf } from '../kube/object.ts';

/** An answer about the cluster: what was asked for, that it does not exist, or that nobody could say (live only). */
export type Lookup<T> =
  | { readonly state: 'found'; readonly value: T }
  | { readonly state: 'not-found' }
  | { readonly state: 'unknown' };

export const NOT_FOUND: { readonly state: 'not-found' } = Object.freeze({ state: 'not-found' });
export const UNKNOWN: { readonly state: 'unknown' } = Object.freeze({ state: 'unknown' });

/** A server's version: `{major: 1, minor: 36}`. */
export interface KubernetesVersion {
  readonly major: number;
  readonly minor: number;
}

/** What rules may know of the cluster besides the object: synchronous, and the same throughout one decision. */
export interface ClusterView {
  readonly version: KubernetesVersion;
  /** The labels of a namespace. */
  namespaceLabels(name: string): Lookup<Labels>;
}

/** The newest Kubernetes that this release knows; what a view made from files assumes. */
export const NEWEST_VERSION: KubernetesVersion = { major: 1, minor: 36 };

/**
 * A view over plain objects, as `check` and the standalone server have it: what is not among them does not exist. A
 * Namespace that comes more than once has the labels of all, a later value before an earlier one.
 */
export function viewOf(objects: Iterable<JsonObject>, version: KubernetesVersion = NEWEST_VERSION): ClusterView {
  const namespaces = new Map<string, Labels>();
  for (const object of objects) {
    if (object['kind'] !== 'Namespace' || object['apiVersion'] !== 'v1') continue;
    const { name } = refOf(object);
    namespaces.set(name, { ...namespaces.get(name), ...labelsOf(object) });
  }
  return {
    version,
    namespaceLabels(name) {
      const value = namespaces.get(name);
      return value === undefined ? NOT_FOUND : { state: 'found', value };
    },
  };
}
