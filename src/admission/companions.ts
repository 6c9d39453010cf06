import type { JsonObject } from '../kube/json.ts';
import { isNamed, type PodAccount } from './token-reviews.ts';

/**
 * A ClusterRoleBinding for each of these accounts, by which the proxies of its pods may ask who a scraper is; accounts
 * whose names Kubernetes would refuse get none. No two accounts share a binding, so that files can be applied apart.
 */
export function companionsOf(accounts: readonly PodAccount[]): readonly JsonObject[] {
  const bindings = new Map<string, JsonObject>();
  for (const account of accounts.filter(isNamed)) {
    const name = `scrapeguard:${account.namespace}:${account.name}`;
    bindings.set(name, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
      subjects: [{ kind: 'ServiceAccount', namespace: account.namespace, name: account.name }],
    });
  }
  return [...bindings.values()];
}
