// The roles and bindings that kube-apiserver makes by itself. scripts/default-roles.ts writes the files of the folder.
import { asList, asObject, asString, asStrings, type JsonObject, own } from '../kube/json.ts';
import newest from './default-roles/kubernetes-1.36.json' with { type: 'json' };
import oldest from './default-roles/kubernetes-1.30.json' with { type: 'json' };

/** The minor versions that the data was taken from, oldest first; a version between two has the older one's. */
export const DEFAULT_ROLE_VERSIONS = ['1.30', '1.36'] as const;

/**
 * Kubernetes' default ClusterRoles, ClusterRoleBindings, Roles and RoleBindings for a version such as `1.31` or
 * `v1.36.3`, each with its kind; the newest when there is no version or it cannot be read. Aggregated roles are empty.
 */
export function defaultRoles(version?: string): readonly JsonObject[] {
  return isBeforeNewest(version) ? changed(asObject(newest), asObject(oldest)) : objectsOf(newest);
}

/** True for the name of a ClusterRoleBinding that kube-apiserver makes by itself, in any version. */
export function isDefaultClusterRoleBinding(name: string): boolean {
  return BINDING_KEYS.has(`ClusterRoleBinding ${name}`);
}

const BINDING_KEYS: ReadonlySet<string> = new Set([...objectsOf(newest), ...objectsOf(oldest)].map(keyOf));

function isBeforeNewest(version: string | undefined): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  return Number(major) === 1 && Number(minor) < 36;
}

/** A whole list with the objects of a difference in the place of theirs, and without those that it says are absent. */
function changed(whole: JsonObject, difference: JsonObject): readonly JsonObject[] {
  const objects = new Map(objectsOf(whole).map((object) => [keyOf(object), object]));
  for (const key of asStrings(own(difference, 'absent'))) objects.delete(key);
  for (const object of objectsOf(difference)) objects.set(keyOf(object), object);
  return [...objects.values()];
}

function objectsOf(file: unknown): readonly JsonObject[] {
  return asList(own(asObject(file), 'objects')).map(asObject);
}

/** Kind, namespace if there is one, and name. */
function keyOf(object: JsonObject): string {
  const metadata = asObject(own(object, 'metadata'));
  const parts = [own(object, 'kind'), own(metadata, 'namespace'), own(metadata, 'name')].map(asString);
  return parts.filter((part) => part !== undefined).join(' ');
}
