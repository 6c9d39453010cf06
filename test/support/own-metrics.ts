// Our own metrics as a scraper reads them: over HTTPS, with the token of a ServiceAccount that may.
import { requestApi } from './api-request.ts';
import type { Cluster } from './cluster-access.ts';
import type { ServerProcess } from './server-process.ts';
import { apply } from './webhook-registration.ts';

/** The value of a series, by its name and labels as they are written; 0 for one that is not there. */
export type Series = (name: string) => number;

const RBAC = 'rbac.authorization.k8s.io';

/** Makes a ServiceAccount in a namespace that may get `/metrics`; the result reads the metrics of a server. */
export async function makeScraper(
  cluster: Cluster,
  namespace: string,
): Promise<(server: ServerProcess) => Promise<Series>> {
  const metadata = { name: 'scraper' };
  await apply(cluster, `/api/v1/namespaces/${namespace}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata,
  });
  const head = { apiVersion: `${RBAC}/v1`, metadata };
  const rules = [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }];
  await apply(cluster, `/apis/${RBAC}/v1/clusterroles`, { ...head, kind: 'ClusterRole', rules });
  await apply(cluster, `/apis/${RBAC}/v1/clusterrolebindings`, {
    ...head,
    kind: 'ClusterRoleBinding',
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', namespace, name: metadata.name }],
  });
  const token = await cluster.serviceAccountToken(namespace, metadata.name);
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
