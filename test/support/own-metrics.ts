// Our own metrics as a scraper reads them: over HTTPS, with the token of a ServiceAccount that may.
import type { JsonObject } from '../../src/kube/json.ts';
import { requestApi } from './api-request.ts';
import type { Cluster } from './cluster-access.ts';
import type { ServerProcess } from './server-process.ts';
import { apply } from './webhook-registration.ts';

/** The value of a series, by its name and labels as they are written; 0 for one that is not there. */
export type Series = (name: string) => number;

const RBAC = 'rbac.authorization.k8s.io';

/** Makes the ServiceAccount `scraper` in a namespace, which may get `/metrics`, and gives its token. */
export async function makeScraperToken(cluster: Cluster, namespace: string): Promise<string> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'scraper' } };
  await apply(cluster, `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
  await grantMetrics(cluster, namespace, `scraper-${namespace}`);
  return cluster.serviceAccountToken(namespace, 'scraper');
}

/** Lets the scraper of a namespace get `/metrics`, by a role and a binding of this name. */
export async function grantMetrics(cluster: Cluster, namespace: string, name: string): Promise<void> {
  const rules = [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }];
  const role = { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name }, rules };
  await apply(cluster, `/apis/${RBAC}/v1/clusterroles`, role);
  await apply(cluster, `/apis/${RBAC}/v1/clusterrolebindings`, scraperBinding(namespace, name));
}

/** The binding by which the scraper of a namespace holds the role of the same name. */
export function scraperBinding(namespace: string, name: string): JsonObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', namespace, name: 'scraper' }],
  };
}

/** Makes a scraper in a namespace; the result reads the metrics of a server. */
export async function makeScraper(
  cluster: Cluster,
  namespace: string,
): Promise<(server: ServerProcess) => Promise<Series>> {
  const token = await makeScraperToken(cluster, namespace);
  return async ({ metricsPort }) => {
    const url = `https://127.0.0.1:${metricsPort}`;
    const { status, body } = await requestApi({ url }, { token }, '/metrics');
    if (status !== 200) throw new Error(`/metrics: ${status} ${String(body)}`);
    const values = new Map(
      String(body)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
    return (name) => values.get(name) ?? 0;
  };
}
