import type { Binding } from './bindings.ts';
import { clusterRoleBindingOf, roleBindingOf } from './bindings.ts';
import { DEFAULT_ROLE_VERSIONS, defaultRoles } from './default-roles.ts';
import type { Subject } from './subjects.ts';

/** True for a binding that kube-apiserver makes by itself, in any version, and a subject that it puts into it. */
export function isDefaultBindingOf(binding: Binding, subject: Subject): boolean {
  known ??= new Set(DEFAULT_ROLE_VERSIONS.flatMap((version) => defaultBindings(version)));
  return known.has(keyOf(binding, subject));
}

/** Made when it is first asked for: most runs never do. */
let known: ReadonlySet<string> | undefined;

function defaultBindings(version: string): string[] {
  return defaultRoles(version).flatMap((object) => {
    const binding = object['kind'] === 'ClusterRoleBinding' ? clusterRoleBindingOf(object) : roleBindingOf(object);
    return binding.subjects.map((subject) => keyOf(binding, subject));
  });
}

function keyOf({ namespace, name, roleKind, roleName }: Binding, { key }: Subject): string {
  return JSON.stringify([namespace, name, roleKind, roleName, key]);
}
