// The roles and bindings that kube-apiserver makes by itself. scripts/default-roles.ts writes the files of the folder.
import { asList, asObject, asString, asStrings, type JsonObject, own } from '../kube/json.ts';
import { type Binding, clusterRoleBindingOf } from './bindings.ts';
import newest from './default-roles/kubernetes-1.36.json' with { type: 'json' };
import oldest from './default-roles/kubernetes-1.30.json' with { type: 'json' };
import type { Subject } from './subjects.ts';

/** The minor versions that the data was taken from, oldest first; a version between two has the older one's. */
export const DEFAULT_ROLE_VERSIONS = ['1.30', '1.36'] as const;

/**
 * Kubernetes' default ClusterRoles, ClusterRoleBindings, Roles and RoleBindings for a version such as `1.31` or
 * `v1.36.3`, each with its kind; the newest when there is no version or it cannot be read. Aggregated roles are empty.
 */
export function defaultRoles(version?: string): readonly JsonObject[] {
  return isBeforeNewest(version) ? changed(asObject(newest), asObject(oldest)) : objectsOf(newest);
}

/** True for a subject that kube-apiserver itself, in any version, binds to the role by a binding of this name. */
export function isDefaultBinding({ name, roleName }: Pick<Binding, 'name' | 'roleName'>, { key }: Subject): boolean {
  return DEFAULT_BINDINGS.get(name)?.some((each) => each.roleName === roleName && hasSubject(each, key)) ?? false;
}

/** kube-apiserver's own ClusterRoleBindings of all versions. */
const DEFAULT_BINDINGS: ReadonlyMap<string, readonly Binding[]> = Map.groupBy(
  [...objectsOf(newest), ...objectsOf(oldest)]
    .filter(({ kind }) => kind === 'ClusterRoleBinding')
    .map((object) => clusterRoleBindingOf(object)),
  ({ name }) => name,
);

function hasSubject({ subjects }: Binding, wanted: string): boolean {
  return subjects.some(({ key }) => key === wanted);
}

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
