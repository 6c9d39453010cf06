import { asObject, asString, own } from '../kube/json.ts';

/**
 * Whom a binding names, in canonical form: two subjects are the same identity exactly when their keys are equal.
 * `apiGroup` is left out, and the namespace of a User or Group: no authorizer looks at them (`appliesToUser`).
 */
export type Subject = UserSubject | GroupSubject | ServiceAccountSubject;

/** A user who is no service account. */
export interface UserSubject {
  readonly kind: 'User';
  readonly name: string;
  readonly key: string;
}

/** A group; everybody in it is a subject. */
export interface GroupSubject {
  readonly kind: 'Group';
  readonly name: string;
  readonly key: string;
}

/** A service account, whether the binding called it so or by its user name. */
export interface ServiceAccountSubject {
  readonly kind: 'ServiceAccount';
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

/** Someone who asks: the name and the groups that authentication gave him. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** The user names that service accounts have: this, the namespace, a colon, the name. */
const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';
const SERVICE_ACCOUNTS = 'system:serviceaccounts';
const AUTHENTICATED = 'system:authenticated';
const UNAUTHENTICATED = 'system:unauthenticated';
const ANONYMOUS = 'system:anonymous';

/**
 * An item of `.subjects` in canonical form, or undefined when it names nobody: a kind that is none of the three, no
 * name, a ServiceAccount without a namespace. In a RoleBinding the last takes the binding's namespace.
 */
export function canonicalSubject(raw: unknown, bindingNamespace = ''): Subject | undefined {
  const subject = asObject(raw);
  const name = asString(own(subject, 'name'));
  if (name === undefined || name === '') return undefined;
  switch (own(subject, 'kind')) {
    case 'User':
      return userSubject(name);
    case 'Group':
      return { kind: 'Group', name, key: groupKey(name) };
    case 'ServiceAccount': {
      const namespace = asString(own(subject, 'namespace')) || bindingNamespace;
      return namespace === '' ? undefined : serviceAccountSubject(namespace, name);
    }
    default:
      return undefined;
  }
}

/** The subject that a user name stands for: a ServiceAccount when it is made like one's, else a User. */
export function userSubject(name: string): Subject {
  const [namespace, account, ...rest] = name.startsWith(SERVICE_ACCOUNT_PREFIX)
    ? name.slice(SERVICE_ACCOUNT_PREFIX.length).split(':', 3)
    : [];
  if (namespace && account && rest.length === 0) return serviceAccountSubject(namespace, account);
  return { kind: 'User', name, key: userKey(name) };
}

/** The subject that a ServiceAccount is. */
export function serviceAccountSubject(namespace: string, name: string): Subject {
  const username = `${SERVICE_ACCOUNT_PREFIX}${namespace}:${name}`;
  // With a colon more it could be taken apart in two ways, and is the same user either way.
  if (namespace.includes(':') || name.includes(':')) return { kind: 'User', name: username, key: userKey(username) };
  return { kind: 'ServiceAccount', namespace, name, key: userKey(username) };
}

/** The key of every subject that is the user of this name, however it is spelled. */
export function userKey(name: string): string {
  return `user:${name}`;
}

/** The key of the subject that is the group of this name. */
export function groupKey(name: string): string {
  return `group:${name}`;
}

/** A subject as people write it: `ServiceAccount monitoring/prometheus`, `User jane`, `Group system:masters`. */
export function displaySubject(subject: Subject): string {
  return subject.kind === 'ServiceAccount'
    ? `ServiceAccount ${subject.namespace}/${subject.name}`
    : `${subject.kind} ${subject.name}`;
}

/** The user that a subject is when he asks, with the groups he has for certain; undefined for a Group. */
export function asUser(subject: Subject): User | undefined {
  switch (subject.kind) {
    case 'Group':
      return undefined;
    case 'User':
      return { name: subject.name, groups: groupsAround(subject) };
    case 'ServiceAccount':
      return {
        name: `${SERVICE_ACCOUNT_PREFIX}${subject.namespace}:${subject.name}`,
        groups: groupsAround(subject),
      };
  }
}

/** True when whoever is meant by the second subject is meant by the first as well. */
export function coversSubject(wider: Subject, narrower: Subject): boolean {
  return wider.key === narrower.key || (wider.kind === 'Group' && groupsAround(narrower).includes(wider.name));
}

/** The groups that everybody whom the subject means is in by its very name. */
export function groupsAround(subject: Subject): readonly string[] {
  switch (subject.kind) {
    case 'ServiceAccount':
      return [SERVICE_ACCOUNTS, `${SERVICE_ACCOUNTS}:${subject.namespace}`, AUTHENTICATED];
    case 'User':
      return [subject.name === ANONYMOUS ? UNAUTHENTICATED : AUTHENTICATED];
    case 'Group':
      if (subject.name === UNAUTHENTICATED || subject.name === AUTHENTICATED) return [];
      return subject.name.startsWith(`${SERVICE_ACCOUNTS}:`) ? [SERVICE_ACCOUNTS, AUTHENTICATED] : [AUTHENTICATED];
  }
}
