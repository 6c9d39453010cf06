import { type CapabilitySet, unionOf } from '../rbac/capabilities.ts';
import { DEFAULT_SUBJECTS } from '../rbac/default-subjects.ts';
import { asUser, canonicalSubject, groupKey, groupsAround, type Subject } from '../rbac/subjects.ts';
import type { Policy, SubjectPattern } from './document.ts';
import { wildcardMatcher } from './wildcard.ts';

/** Says who is expected to have what. */
export interface ExpectedSubjects {
  /** The capabilities that a subject is expected to have, by its canonical form. */
  readonly capabilitiesOf: (subject: Subject) => CapabilitySet;
}

/**
 * Makes a policy's expectations ready: Kubernetes' own subjects by exact name, and the policy's patterns. A pattern
 * matches subjects of its own kind only, except that a User pattern that begins like a service account's user name
 * matches the ServiceAccount; everybody in an expected group is expected too, if he is in it by his very name. A
 * wildcard never takes in by accident what stands for very many: the anonymous user, and the groups of everybody.
 */
export function expectedSubjectsOf({ expectedSubjects }: Pick<Policy, 'expectedSubjects'>): ExpectedSubjects {
  const exact = new Map<string, CapabilitySet>();
  const expect = ({ key }: Subject, set: CapabilitySet): unknown => exact.set(key, (exact.get(key) ?? 0) | set);
  for (const { subject, capabilities } of DEFAULT_SUBJECTS) expect(subject, unionOf(capabilities));
  const wildcards: Wildcard[] = [];
  for (const { capabilities, subjects } of expectedSubjects) {
    const set = unionOf(capabilities);
    for (const pattern of subjects) {
      const subject = hasWildcard(pattern) ? undefined : canonicalSubject(pattern);
      if (subject === undefined) wildcards.push({ set, matches: matcherOf(pattern) });
      else expect(subject, set);
    }
  }
  const itself = (subject: Subject): CapabilitySet =>
    wildcards.reduce((set, each) => (each.matches(subject) ? set | each.set : set), exact.get(subject.key) ?? 0);
  const expectsEverybody = expectedSubjects.some(({ subjects }) => subjects.some(isForEverybody));
  if (!expectsEverybody) return { capabilitiesOf: itself };
  return {
    capabilitiesOf: (subject) =>
      groupsAround(subject).reduce((set, name) => set | itself(groupSubject(name)), itself(subject)),
  };
}

interface Wildcard {
  readonly set: CapabilitySet;
  readonly matches: (subject: Subject) => boolean;
}

const SERVICE_ACCOUNT_USER = 'system:serviceaccount:';
const NAMESPACE_GROUP = 'system:serviceaccounts:';

/** Groups that take in whole crowds; a pattern names one of them or has nothing to do with it. */
const CROWDS: ReadonlySet<string> = new Set([
  'system:authenticated',
  'system:unauthenticated',
  'system:serviceaccounts',
]);

function matcherOf({ kind, name, namespace = '' }: SubjectPattern): Wildcard['matches'] {
  const isName = wildcardMatcher(name);
  switch (kind) {
    case 'ServiceAccount': {
      const isNamespace = wildcardMatcher(namespace);
      return (subject) => subject.kind === 'ServiceAccount' && isNamespace(subject.namespace) && isName(subject.name);
    }
    case 'Group': {
      const isForNamespaces = name.startsWith(NAMESPACE_GROUP);
      return (subject) =>
        subject.kind === 'Group' &&
        !CROWDS.has(subject.name) &&
        (isForNamespaces || !subject.name.startsWith(NAMESPACE_GROUP)) &&
        isName(subject.name);
    }
    case 'User':
      if (name.startsWith(SERVICE_ACCOUNT_USER)) {
        return (subject) => subject.kind === 'ServiceAccount' && isName(asUser(subject)?.name ?? '');
      }
      return (subject) => subject.kind === 'User' && !isReservedUser(subject.name) && isName(subject.name);
  }
}

/** The user that everyone without a login is, and names that are made to look like a service account's. */
function isReservedUser(name: string): boolean {
  return name === 'system:anonymous' || name.startsWith(SERVICE_ACCOUNT_USER);
}

function hasWildcard({ name, namespace = '' }: SubjectPattern): boolean {
  return name.includes('*') || namespace.includes('*');
}

function isForEverybody({ kind, name }: SubjectPattern): boolean {
  return kind === 'Group' && (CROWDS.has(name) || name.startsWith(NAMESPACE_GROUP));
}

function groupSubject(name: string): Subject {
  return { kind: 'Group', name, key: groupKey(name) };
}
