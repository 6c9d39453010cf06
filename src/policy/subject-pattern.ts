import type { UserInfo } from '../kube/admission-review.ts';
import type { SubjectPattern } from './document.ts';
import { matchesWildcard } from './wildcard.ts';

const SERVICE_ACCOUNT = 'system:serviceaccount:';

/** True when any pattern names this writer: by user name, by one of the groups, or as a ServiceAccount. */
export function matchesWriter(patterns: readonly SubjectPattern[], writer: UserInfo): boolean {
  return patterns.some((pattern) => matchesOne(pattern, writer));
}

function matchesOne({ kind, name, namespace }: SubjectPattern, { username, groups }: UserInfo): boolean {
  switch (kind) {
    case 'User':
      return matchesWildcard(name, username);
    case 'Group':
      return groups.some((group) => matchesWildcard(name, group));
    case 'ServiceAccount':
      return namespace !== undefined && isAccount(username, namespace, name);
  }
}

/** Splits a user name as apiserver/pkg/authentication/serviceaccount `SplitUsername` does: two parts, no more. */
function isAccount(username: string, namespace: string, name: string): boolean {
  if (!username.startsWith(SERVICE_ACCOUNT)) return false;
  const [ownNamespace, ownName, ...rest] = username.slice(SERVICE_ACCOUNT.length).split(':');
  if (!ownNamespace || !ownName || rest.length > 0) return false;
  return matchesWildcard(namespace, ownNamespace) && matchesWildcard(name, ownName);
}
