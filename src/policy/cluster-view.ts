import type { JsonObject } from '../kube/json.ts';
import type { Labels } from '../kube/labels.ts';
import { labelsOf, refOf } from '../kube/object.ts';
import { grantsOfObjects } from '../rbac/grants-of-objects.ts';
import type { GrantsView, Lookup } from '../rbac/grants-view.ts';

/** A server's version: `{major: 1, minor: 36}`. */
export interface KubernetesVersion {
  readonly major: number;
  readonly minor: number;
}

/** What rules may know of the cluster besides the object: synchronous, and the same throughout one decision. */
export interface ClusterView {
  readonly version: KubernetesVersion;
  /** Roles and bindings, the object that is judged not among them, or as it was. */
  readonly grants: GrantsView;
  /** The labels of a namespace. */
  namespaceLabels(name: string): Lookup<Labels>;
}

/** The newest Kubernetes that this release knows; what a view made from files assumes. */
export const NEWEST_VERSION: KubernetesVersion = { major: 1, minor: 36 };

/**
 * A view over plain objects, as `check` and the standalone server have it, with Kubernetes' default roles: what is not
 * among them does not exist. A Namespace that comes more than once has the labels of all, a later value before an
 * earlier one. Grants are indexed when they are first asked for.
 */
export function viewOf(objects: readonly JsonObject[], version: KubernetesVersion = NEWEST_VERSION): ClusterView {
  const namespaces = new Map<string, Labels>();
  for (const object of objects) {
    if (object['kind'] !== 'Namespace' || object['apiVersion'] !== 'v1') continue;
    const { name } = refOf(object);
    namespaces.set(name, { ...namespaces.get(name), ...labelsOf(object) });
  }
  let grants: GrantsView | undefined;
  return {
    version,
    get grants() {
      return (grants ??= grantsOfObjects(objects, `${version.major}.${version.minor}`));
    },
    namespaceLabels: (name) => namespaces.get(name) ?? 'not found',
  };
}
