import { asList, asObject, asString, type JsonObject, own } from '../kube/json.ts';
import { refOf } from '../kube/object.ts';
import { clusterRoleOf } from './cluster-role.ts';
import { defaultRoles } from './default-roles.ts';
import { GrantsIndex } from './grants-index.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io/';

/** The kinds that grants are made of, and how the index takes them in. */
const UPSERTS: Readonly<Record<string, (index: GrantsIndex, object: JsonObject) => void>> = {
  ClusterRole: (index, object) => index.upsertClusterRole(object),
  ClusterRoleBinding: (index, object) => index.upsertClusterRoleBinding(object),
  Role: (index, object) => index.upsertRole(object),
  RoleBinding: (index, object) => index.upsertRoleBinding(object),
};

/**
 * The grants of a set of manifests over Kubernetes' default roles of a version such as `1.36`. An object takes the place
 * of the default of its name; several of one kind and name are united: all their rules, subjects, labels and selectors
 * count, and of two roleRefs, which no API server would let change, the first. Other kinds are passed over.
 */
export function grantsOfObjects(objects: Iterable<JsonObject>, version?: string): GrantsIndex {
  const index = new GrantsIndex();
  for (const object of defaultRoles(version)) {
    // These objects are the same ones every time, and most of the work is to read their rules.
    if (object['kind'] === 'ClusterRole') index.putClusterRole(clusterRoleOf(object));
    else take(index, object);
  }
  const united = new Map<string, JsonObject>();
  for (const object of objects) {
    const { apiVersion, kind, namespace, name } = refOf(object);
    if (!apiVersion.startsWith(RBAC_GROUP) || !Object.hasOwn(UPSERTS, kind)) continue;
    const key = `${kind}\n${kind.startsWith('Cluster') ? '' : namespace || 'default'}\n${name}`;
    const known = united.get(key);
    united.set(key, known === undefined ? object : unite(known, object));
  }
  for (const object of united.values()) take(index, object);
  return index;
}

function take(index: GrantsIndex, object: JsonObject): void {
  UPSERTS[asString(object['kind']) ?? '']?.(index, object);
}

function unite(one: JsonObject, other: JsonObject): JsonObject {
  const joined = (key: string): readonly unknown[] => [...asList(own(one, key)), ...asList(own(other, key))];
  return {
    ...one,
    metadata: {
      ...asObject(one['metadata']),
      labels: { ...labelsIn(one), ...labelsIn(other) },
    },
    rules: joined('rules'),
    subjects: joined('subjects'),
    aggregationRule: { clusterRoleSelectors: [...selectorsIn(one), ...selectorsIn(other)] },
  };
}

function labelsIn(object: JsonObject): JsonObject {
  return asObject(own(asObject(object['metadata']), 'labels'));
}

function selectorsIn(object: JsonObject): readonly unknown[] {
  return asList(own(asObject(own(object, 'aggregationRule')), 'clusterRoleSelectors'));
}
