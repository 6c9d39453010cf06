import type { Binding } from './bindings.ts';
import type { ClusterRole } from './cluster-role.ts';
import type { GrantsView, Lookup } from './grants-view.ts';
import { Multimap } from './multimap.ts';
import type { PolicyRule } from './policy-rule.ts';
import type { Anchor, Selector } from './selectors.ts';
import { groupKey, type User, userKey } from './subjects.ts';

/** Objects that are otherwise than in the view below, by name; undefined: there is none. */
export interface Changes {
  readonly clusterRoles?: ReadonlyMap<string, ClusterRole | undefined>;
  readonly clusterRoleBindings?: ReadonlyMap<string, Binding | undefined>;
  /** Whether the view below is current; absent: as it says itself. The changes always are. */
  readonly isCurrent?: boolean;
}

const UNCHANGED: ReadonlyMap<string, undefined> = new Map();

/** A view with a few objects changed. It copies nothing: an answer is the one below, and a look at every change. */
export class OverlayView implements GrantsView {
  readonly isCurrent: boolean;
  readonly #below: GrantsView;
  readonly #roleChanges: ReadonlyMap<string, ClusterRole | undefined>;
  readonly #bindingChanges: ReadonlyMap<string, Binding | undefined>;
  readonly #roles: readonly ClusterRole[];
  readonly #bindings: readonly Binding[];
  readonly #selectorsAt = new Multimap<Anchor, Selector>();
  readonly #selectingBy = new Multimap<string, ClusterRole>();

  constructor(below: GrantsView, changes: Changes) {
    this.#below = below;
    this.#roleChanges = changes.clusterRoles ?? UNCHANGED;
    this.#bindingChanges = changes.clusterRoleBindings ?? UNCHANGED;
    this.#roles = [...this.#roleChanges.values()].filter((role) => role !== undefined);
    this.#bindings = [...this.#bindingChanges.values()].filter((binding) => binding !== undefined);
    this.isCurrent = changes.isCurrent ?? below.isCurrent;
    for (const role of this.#roles) {
      for (const selector of role.selectors) {
        this.#selectingBy.add(selector.key, role);
        for (const anchor of selector.anchors) this.#selectorsAt.add(anchor, selector);
      }
    }
  }

  clusterRole(name: string): Lookup<ClusterRole> {
    if (this.#roleChanges.has(name)) return this.#roleChanges.get(name) ?? 'not found';
    return this.isCurrent ? this.#below.clusterRole(name) : 'unknown';
  }

  clusterRoles(): Iterable<ClusterRole> {
    return this.#withRoles(this.#below.clusterRoles(), this.#roles);
  }

  clusterRolesAt(anchor: Anchor): Iterable<ClusterRole> {
    return this.#withRoles(this.#below.clusterRolesAt(anchor), this.#roles);
  }

  selectorsAt(anchor: Anchor): Iterable<Selector> {
    // A selector that only a changed role had is found below still, and then no role selects by it.
    return joined(this.#below.selectorsAt(anchor), this.#selectorsAt.get(anchor));
  }

  clusterRolesSelectingBy(selectorKey: string): Iterable<ClusterRole> {
    return this.#withRoles(this.#below.clusterRolesSelectingBy(selectorKey), this.#selectingBy.get(selectorKey));
  }

  clusterRoleBindings(): Iterable<Binding> {
    return this.#withBindings(this.#below.clusterRoleBindings(), this.#bindings);
  }

  clusterRoleBindingsTo(roleName: string): Iterable<Binding> {
    const added = this.#bindings.filter((each) => each.roleKind === 'ClusterRole' && each.roleName === roleName);
    return this.#withBindings(this.#below.clusterRoleBindingsTo(roleName), added);
  }

  clusterRoleBindingsFor(user: User): Iterable<Binding> {
    const keys = new Set([userKey(user.name), ...user.groups.map(groupKey)]);
    const added = this.#bindings.filter(({ subjects }) => subjects.some(({ key }) => keys.has(key)));
    return this.#withBindings(this.#below.clusterRoleBindingsFor(user), added);
  }

  roleRules(namespace: string, name: string): Lookup<readonly PolicyRule[]> {
    return this.#below.roleRules(namespace, name);
  }

  roleBindings(namespace: string): Iterable<Binding> {
    return this.#below.roleBindings(namespace);
  }

  roleBindingsFor(user: User, namespace: string): Iterable<Binding> {
    return this.#below.roleBindingsFor(user, namespace);
  }

  #withRoles(below: Iterable<ClusterRole>, added: Iterable<ClusterRole>): Iterable<ClusterRole> {
    return joined(unchanged(below, this.#roleChanges), added);
  }

  #withBindings(below: Iterable<Binding>, added: Iterable<Binding>): Iterable<Binding> {
    return joined(unchanged(below, this.#bindingChanges), added);
  }
}

function unchanged<Item extends { readonly name: string }>(
  items: Iterable<Item>,
  changes: ReadonlyMap<string, unknown>,
): Iterable<Item> {
  return changes.size === 0 || isNone(items) ? items : Iterator.from(items).filter(({ name }) => !changes.has(name));
}

/** One after the other. Nothing is an empty list, so that the many questions without an answer cost little. */
function joined<Item>(first: Iterable<Item>, second: Iterable<Item>): Iterable<Item> {
  if (isNone(second)) return first;
  return isNone(first) ? second : concatenate(first, second);
}

function* concatenate<Item>(first: Iterable<Item>, second: Iterable<Item>): Iterable<Item> {
  yield* first;
  yield* second;
}

function isNone(items: Iterable<unknown>): boolean {
  return Array.isArray(items) && items.length === 0;
}
