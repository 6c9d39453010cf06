import type { Binding } from './bindings.ts';
import type { ClusterRole } from './cluster-role.ts';
import type { PolicyRule } from './policy-rule.ts';
import type { Anchor, Selector } from './selectors.ts';
import type { User } from './subjects.ts';

/** An answer to a question by name. *Unknown* is only possible in a live view that is not current. */
export type Lookup<T> = T | 'not found' | 'unknown';

/**
 * What is known of a cluster's roles and bindings, to be read without waiting. It has every rule, not only those that
 * give a capability. Iterables may be read once, before the view changes.
 */
export interface GrantsView {
  /** False when what the view says may be out of date: then only the objects that a change put over it are known. */
  readonly isCurrent: boolean;

  clusterRole(name: string): Lookup<ClusterRole>;
  clusterRoles(): Iterable<ClusterRole>;
  /** The roles at an anchor: at least those whose labels put them there. */
  clusterRolesAt(anchor: Anchor): Iterable<ClusterRole>;
  /** The selectors that some role aggregates by and that look at the anchor. */
  selectorsAt(anchor: Anchor): Iterable<Selector>;
  /** The roles that aggregate by a selector of this key. */
  clusterRolesSelectingBy(selectorKey: string): Iterable<ClusterRole>;

  clusterRoleBindings(): Iterable<Binding>;
  /** The ClusterRoleBindings to the ClusterRole of this name, whether it exists or not. */
  clusterRoleBindingsTo(roleName: string): Iterable<Binding>;
  /** The ClusterRoleBindings that name the user or one of his groups; one may come more than once. */
  clusterRoleBindingsFor(user: User): Iterable<Binding>;

  /** The rules of a Role. Roles and RoleBindings are known to views from manifests only. */
  roleRules(namespace: string, name: string): Lookup<readonly PolicyRule[]>;
  roleBindings(namespace: string): Iterable<Binding>;
  /** The RoleBindings of a namespace that name the user or one of his groups; one may come more than once. */
  roleBindingsFor(user: User, namespace: string): Iterable<Binding>;
}
