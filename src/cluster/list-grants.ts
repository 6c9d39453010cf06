import { asString, type JsonObject } from '../kube/json.ts';
import { metadataOf } from '../kube/object.ts';
import { GrantsIndex } from '../rbac/grants-index.ts';
import type { ApiClient } from './api-client.ts';
import { listPages } from './list-pages.ts';

/** All grants of a cluster at one time, and the namespaces that have a RoleBinding. */
export interface ListedGrants {
  readonly grants: GrantsIndex;
  readonly namespaces: readonly string[];
}

/** How each kind of a grant is taken into the index, and out of it again. */
const KINDS: readonly {
  readonly resource: string;
  readonly add: (index: GrantsIndex, object: JsonObject) => void;
  readonly remove: (index: GrantsIndex, namespace: string, name: string) => void;
}[] = [
  {
    resource: 'clusterroles',
    add: (index, object) => index.upsertClusterRole(object),
    remove: (index, _, name) => index.deleteClusterRole(name),
  },
  {
    resource: 'clusterrolebindings',
    add: (index, object) => index.upsertClusterRoleBinding(object),
    remove: (index, _, name) => index.deleteClusterRoleBinding(name),
  },
  {
    resource: 'roles',
    add: (index, object) => index.upsertRole(object),
    remove: (index, namespace, name) => index.deleteRole(namespace, name),
  },
  {
    resource: 'rolebindings',
    add: (index, object) => index.upsertRoleBinding(object),
    remove: (index, namespace, name) => index.deleteRoleBinding(namespace, name),
  },
];

/** Reads every page of every kind that grants are made of; `onCount` hears how many objects there were so far. */
export async function listGrants(client: ApiClient, onCount: (objects: number) => void): Promise<ListedGrants> {
  const grants = new GrantsIndex();
  const namespaces = new Set<string>();
  let count = 0;
  for (const { resource, add, remove } of KINDS) {
    let taken: (readonly [namespace: string, name: string])[] = [];
    for await (const { items, isFirst } of listPages(client, `/apis/rbac.authorization.k8s.io/v1/${resource}`)) {
      if (isFirst) {
        for (const [namespace, name] of taken) remove(grants, namespace, name);
        taken = [];
      }
      for (const item of items) {
        const { namespace, name } = metadataOf(item);
        add(grants, item);
        taken.push([asString(namespace) ?? '', asString(name) ?? '']);
      }
      count += items.length;
      onCount(count);
    }
    if (resource === 'rolebindings') for (const [namespace] of taken) namespaces.add(namespace);
  }
  return { grants, namespaces: [...namespaces].sort() };
}
