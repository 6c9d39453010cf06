import { asObject, asString, type JsonObject, own } from '../kube/json.ts';
import { type Binding, clusterRoleBindingOf, roleBindingOf } from './bindings.ts';
import { type ClusterRole, clusterRoleOf } from './cluster-role.ts';
import type { GrantsView, Lookup } from './grants-view.ts';
import { ListPool } from './list-pool.ts';
import { Multimap } from './multimap.ts';
import { type PolicyRule, policyRulesOf } from './policy-rule.ts';
import { type Anchor, anchorsOfLabels, EVERYWHERE, type Selector } from './selectors.ts';
import { groupKey, type Subject, type User, userKey } from './subjects.ts';

/**
 * All roles and bindings of a cluster, or of a set of manifests, in little memory. An upsert or delete costs what the
 * object is long, whatever the size of the cluster; objects may be malformed and events may come in any order.
 */
export class GrantsIndex implements GrantsView {
  readonly isCurrent = true;
  readonly #lists = new ListPool();

  readonly #clusterRoles = new Map<string, ClusterRole>();
  readonly #clusterRolesAt = new Multimap<Anchor, ClusterRole>();
  readonly #selectors = new Map<string, Selector>();
  readonly #selectingBy = new Multimap<string, ClusterRole>();
  readonly #selectorsAt = new Multimap<Anchor, Selector>();

  readonly #clusterRoleBindings = new Map<string, Binding>();
  readonly #bindingsTo = new Multimap<string, Binding>();
  readonly #bindingsFor = new Multimap<string, Binding>();
  readonly #subjects = new Map<string, Subject>();

  readonly #roleRules = new Map<string, readonly PolicyRule[]>();
  readonly #roleBindings = new Map<string, Binding>();
  readonly #roleBindingsIn = new Multimap<string, Binding>();
  readonly #roleBindingsFor = new Multimap<string, Binding>();

  /** Adds a ClusterRole, or replaces the one of the same name. */
  upsertClusterRole(object: JsonObject): void {
    this.putClusterRole(clusterRoleOf(object, this.#lists.share));
  }

  /** The same with a ClusterRole that has been read already. */
  putClusterRole(role: ClusterRole): void {
    this.deleteClusterRole(role.name);
    this.#clusterRoles.set(role.name, role);
    for (const anchor of anchorsOfLabels(role.labels)) this.#clusterRolesAt.add(anchor, role);
    for (const selector of role.selectors) this.#addSelector(selector, role);
  }

  /** Removes a ClusterRole; nothing happens when there is none of this name. */
  deleteClusterRole(name: string): void {
    const role = this.#clusterRoles.get(name);
    if (role === undefined) return;
    this.#clusterRoles.delete(name);
    for (const anchor of anchorsOfLabels(role.labels)) this.#clusterRolesAt.delete(anchor, role);
    for (const { key } of role.selectors) this.#deleteSelector(key, role);
  }

  /** Adds a ClusterRoleBinding, or replaces the one of the same name. */
  upsertClusterRoleBinding(object: JsonObject): void {
    const binding = clusterRoleBindingOf(object, this.#shareSubject);
    this.deleteClusterRoleBinding(binding.name);
    this.#clusterRoleBindings.set(binding.name, binding);
    if (binding.roleKind === 'ClusterRole') this.#bindingsTo.add(binding.roleName, binding);
    for (const subject of binding.subjects) {
      this.#subjects.set(subject.key, subject);
      this.#bindingsFor.add(subject.key, binding);
    }
  }

  /** Removes a ClusterRoleBinding; nothing happens when there is none of this name. */
  deleteClusterRoleBinding(name: string): void {
    const binding = this.#clusterRoleBindings.get(name);
    if (binding === undefined) return;
    this.#clusterRoleBindings.delete(name);
    this.#bindingsTo.delete(binding.roleName, binding);
    for (const { key } of binding.subjects) {
      this.#bindingsFor.delete(key, binding);
      if (!this.#bindingsFor.has(key)) this.#subjects.delete(key);
    }
  }

  /** Adds a Role, or replaces the one of the same namespace and name. */
  upsertRole(object: JsonObject): void {
    const metadata = asObject(own(object, 'metadata'));
    const namespace = asString(own(metadata, 'namespace')) || 'default';
    const name = asString(own(metadata, 'name')) ?? '';
    this.#roleRules.set(keyOf(namespace, name), policyRulesOf(object, this.#lists.share));
  }

  /** Removes a Role; nothing happens when there is none of this name. */
  deleteRole(namespace: string, name: string): void {
    this.#roleRules.delete(keyOf(namespace, name));
  }

  /** Adds a RoleBinding, or replaces the one of the same namespace and name. */
  upsertRoleBinding(object: JsonObject): void {
    const binding = roleBindingOf(object);
    this.deleteRoleBinding(binding.namespace, binding.name);
    this.#roleBindings.set(keyOf(binding.namespace, binding.name), binding);
    this.#roleBindingsIn.add(binding.namespace, binding);
    for (const { key } of binding.subjects) this.#roleBindingsFor.add(keyOf(binding.namespace, key), binding);
  }

  /** Removes a RoleBinding; nothing happens when there is none of this name. */
  deleteRoleBinding(namespace: string, name: string): void {
    const binding = this.#roleBindings.get(keyOf(namespace, name));
    if (binding === undefined) return;
    this.#roleBindings.delete(keyOf(namespace, name));
    this.#roleBindingsIn.delete(namespace, binding);
    for (const { key } of binding.subjects) this.#roleBindingsFor.delete(keyOf(namespace, key), binding);
  }

  clusterRole(name: string): Lookup<ClusterRole> {
    return this.#clusterRoles.get(name) ?? 'not found';
  }

  clusterRoles(): Iterable<ClusterRole> {
    return this.#clusterRoles.values();
  }

  clusterRolesAt(anchor: Anchor): Iterable<ClusterRole> {
    return anchor === EVERYWHERE ? this.#clusterRoles.values() : this.#clusterRolesAt.get(anchor);
  }

  selectorsAt(anchor: Anchor): Iterable<Selector> {
    return this.#selectorsAt.get(anchor);
  }

  clusterRolesSelectingBy(selectorKey: string): Iterable<ClusterRole> {
    return this.#selectingBy.get(selectorKey);
  }

  clusterRoleBindings(): Iterable<Binding> {
    return this.#clusterRoleBindings.values();
  }

  clusterRoleBindingsTo(roleName: string): Iterable<Binding> {
    return this.#bindingsTo.get(roleName);
  }

  *clusterRoleBindingsFor(user: User): Iterable<Binding> {
    for (const key of keysOf(user)) yield* this.#bindingsFor.get(key);
  }

  roleRules(namespace: string, name: string): Lookup<readonly PolicyRule[]> {
    return this.#roleRules.get(keyOf(namespace, name)) ?? 'not found';
  }

  roleBindings(namespace: string): Iterable<Binding> {
    return this.#roleBindingsIn.get(namespace);
  }

  *roleBindingsFor(user: User, namespace: string): Iterable<Binding> {
    for (const key of keysOf(user)) yield* this.#roleBindingsFor.get(keyOf(namespace, key));
  }

  readonly #shareSubject = (subject: Subject): Subject => this.#subjects.get(subject.key) ?? subject;

  #addSelector(selector: Selector, role: ClusterRole): void {
    this.#selectingBy.add(selector.key, role);
    if (this.#selectors.has(selector.key)) return;
    this.#selectors.set(selector.key, selector);
    for (const anchor of selector.anchors) this.#selectorsAt.add(anchor, selector);
  }

  #deleteSelector(key: string, role: ClusterRole): void {
    this.#selectingBy.delete(key, role);
    const selector = this.#selectors.get(key);
    if (selector === undefined || this.#selectingBy.has(key)) return;
    this.#selectors.delete(key);
    for (const anchor of selector.anchors) this.#selectorsAt.delete(anchor, selector);
  }
}

function* keysOf(user: User): Iterable<string> {
  yield userKey(user.name);
  for (const group of user.groups) yield groupKey(group);
}

/** No namespace has a line break in it. */
function keyOf(namespace: string, name: string): string {
  return `${namespace}\n${name}`;
}
