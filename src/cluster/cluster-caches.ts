import type { JsonObject } from '../kube/json.ts';
import type { Labels } from '../kube/labels.ts';
import { labelsOf, metadataOf, nameOf } from '../kube/object.ts';
import { GrantsIndex } from '../rbac/grants-index.ts';
import type { GrantsView, Lookup } from '../rbac/grants-view.ts';
import { OverlayView } from '../rbac/overlay.ts';
import type { ApiClient } from './api-client.ts';
import type { Clock } from './clock.ts';
import { type Reflector, startReflector, type Store } from './reflector.ts';

/** A collection that is followed. */
export type Followed = 'clusterroles' | 'clusterrolebindings' | 'namespaces';

/** Where the API server has the collections. */
export const COLLECTIONS: Readonly<Record<Followed, { readonly path: string; readonly kind: string }>> = {
  clusterroles: { path: '/apis/rbac.authorization.k8s.io/v1/clusterroles', kind: 'ClusterRole' },
  clusterrolebindings: { path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', kind: 'ClusterRoleBinding' },
  namespaces: { path: '/api/v1/namespaces', kind: 'Namespace' },
};

/** Older than this, a cache is not believed where it matters. */
const FRESH_MS = 90_000;

/** What the caches are filled from, and who hears of what happens to them. */
export interface CacheParts {
  readonly client: ApiClient;
  readonly clock: Clock;
  /** Numbers from 0 up to 1. */
  readonly random: () => number;
  /** Hears of each complete list of a collection. */
  readonly onList: (followed: Followed) => void;
  /** Hears of each list and each watch of a collection that failed. */
  readonly onFailure: (followed: Followed) => void;
  /** Hears, once an outage, that a collection cannot be followed. */
  readonly onProblem: (followed: Followed, error: unknown) => void;
  /** Hears that it is followed again. */
  readonly onRecovery: (followed: Followed) => void;
}

/** Whether a collection has been listed, and the milliseconds since it was last heard of: Infinity before that. */
export interface CacheState {
  readonly isSynced: boolean;
  readonly age: number;
}

/** Hears the name of each object that a cache has taken in, anew or again. */
export type Listener = (followed: Followed, name: string) => void;

/** Everything that is known of a live cluster without asking it. */
export interface ClusterCaches {
  /** True once every collection has been listed. */
  readonly isSynced: () => boolean;
  /** All ClusterRoles and ClusterRoleBindings; not current when one of the two has not been heard of for 90 s. */
  readonly grants: () => GrantsView;
  /** The labels of a namespace: not found in a cache that is current, unknown otherwise. */
  readonly namespaceLabels: (name: string) => Lookup<Labels>;
  /** How each collection is followed at this moment. */
  readonly state: () => Readonly<Record<Followed, CacheState>>;
  /** Adds a listener. */
  readonly listen: (listener: Listener) => void;
  /** Nothing changes and nothing is asked any more; settles when everything is closed. */
  readonly stop: () => Promise<void>;
}

/** Begins to follow a cluster's ClusterRoles, ClusterRoleBindings and Namespaces. */
export function startCaches(parts: CacheParts): ClusterCaches {
  const index = new GrantsIndex();
  const outOfDate = new OverlayView(index, { isCurrent: false });
  const labels = new Map<string, Labels>();
  const listeners: Listener[] = [];
  const tell: Listener = (followed, name) => {
    for (const listener of listeners) listener(followed, name);
  };
  const reflectors: Readonly<Record<Followed, Reflector>> = {
    clusterroles: follow('clusterroles', roleStore(index), parts, tell),
    clusterrolebindings: follow('clusterrolebindings', bindingStore(index), parts, tell),
    namespaces: follow('namespaces', labelStore(labels), parts, tell),
  };
  const all = Object.values(reflectors);
  const isCurrent = (followed: Followed): boolean => reflectors[followed].age() <= FRESH_MS;
  return {
    isSynced: () => all.every((reflector) => reflector.isSynced()),
    grants: () => (isCurrent('clusterroles') && isCurrent('clusterrolebindings') ? index : outOfDate),
    namespaceLabels: (name) => (isCurrent('namespaces') ? (labels.get(name) ?? 'not found') : 'unknown'),
    state: () => ({
      clusterroles: stateOf(reflectors.clusterroles),
      clusterrolebindings: stateOf(reflectors.clusterrolebindings),
      namespaces: stateOf(reflectors.namespaces),
    }),
    listen: (listener) => void listeners.push(listener),
    async stop() {
      await Promise.all(all.map((reflector) => reflector.stop()));
    },
  };
}

function stateOf(reflector: Reflector): CacheState {
  return { isSynced: reflector.isSynced(), age: reflector.age() };
}

function follow(followed: Followed, store: Store, parts: CacheParts, tell: Listener): Reflector {
  const { client, clock, random, onList, onFailure, onProblem, onRecovery } = parts;
  return startReflector({
    client,
    clock,
    random,
    ...COLLECTIONS[followed],
    store: {
      ...store,
      upsert(object) {
        store.upsert(object);
        tell(followed, nameOf(metadataOf(object)));
      },
    },
    onList: () => onList(followed),
    onFailure: () => onFailure(followed),
    onProblem: (error) => onProblem(followed, error),
    onRecovery: () => onRecovery(followed),
  });
}

function roleStore(index: GrantsIndex): Store {
  return {
    upsert: (object) => index.upsertClusterRole(object),
    delete: (name) => index.deleteClusterRole(name),
    names: () => namesOf(index.clusterRoles()),
  };
}

function bindingStore(index: GrantsIndex): Store {
  return {
    upsert: (object) => index.upsertClusterRoleBinding(object),
    delete: (name) => index.deleteClusterRoleBinding(name),
    names: () => namesOf(index.clusterRoleBindings()),
  };
}

function labelStore(labels: Map<string, Labels>): Store {
  return {
    upsert: (object: JsonObject) => void labels.set(nameOf(metadataOf(object)), labelsOf(object)),
    delete: (name) => void labels.delete(name),
    names: () => labels.keys(),
  };
}

function* namesOf(items: Iterable<{ readonly name: string }>): Iterable<string> {
  for (const { name } of items) yield name;
}
