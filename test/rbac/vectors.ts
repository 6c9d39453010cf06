// The cases that were executed on Kubernetes' own authorizer, in ../shared next to the repository.
import { existsSync, readFileSync } from 'node:fs';
import type { JsonObject } from '../../src/kube/json.ts';
import type { GrantsIndex } from '../../src/rbac/grants-index.ts';
import type { RequestAttributes } from '../../src/rbac/rule-matching.ts';
import { clusterRole, clusterRoleBinding, indexOf, role, roleBinding } from './objects.ts';

/** A case: rules, bound as `via` says to the subjects, and one request with its answer. */
export interface Vector {
  readonly id: string;
  readonly rules: readonly object[];
  readonly subjects: readonly object[];
  readonly via: 'crb' | 'rb-cr' | 'rb-r';
  readonly ns: string;
  readonly user: string;
  readonly groups: readonly string[] | null;
  readonly req: Readonly<Record<'verb' | 'group' | 'resource' | 'sub' | 'name' | 'ns' | 'path', string>> & {
    readonly res: boolean;
  };
  /** True when the role is not there. */
  readonly missing: boolean;
  readonly want: boolean;
  /** What the default policy says of the binding as a whole. */
  readonly verdict: string;
}

const VECTORS = new URL('../../../shared/vectors/rbac-grants.json', import.meta.url);

/** The `skip` option of a test that reads the vectors. */
export const VECTORS_SKIP = existsSync(VECTORS) ? false : 'the vectors are not there';

/** All vectors. */
export function readVectors(): readonly Vector[] {
  return JSON.parse(readFileSync(VECTORS, 'utf8'));
}

/** The request of a vector. */
export function requestOf({ req }: Vector): RequestAttributes {
  const { verb, path, group, resource, sub, name, ns } = req;
  return req.res ? { verb, apiGroup: group, resource, subresource: sub, name, namespace: ns } : { verb, path };
}

/** The role, if there is one, and the binding of a vector, called `r` and `b`. */
export function objectsOf({ rules, subjects, via, ns, missing }: Vector): readonly JsonObject[] {
  const isRole = via === 'rb-r';
  const binding =
    via === 'crb' ? clusterRoleBinding('b', 'r', subjects) : roleBinding(ns, 'b', isRole ? 'Role r' : 'r', subjects);
  const given = isRole ? role(ns, 'r', rules) : clusterRole('r', rules);
  return missing ? [binding] : [given, binding];
}

/** An index of them. */
export function stateOf(vector: Vector): GrantsIndex {
  return indexOf(objectsOf(vector));
}
