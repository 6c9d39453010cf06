// What an installation makes of a cluster, and what it leaves there.
import { asList, asObject } from '../../src/kube/json.ts';
import type { Cluster } from './cluster-access.ts';
import { waitUntil } from './wait-for.ts';

/** Waits until a namespace has so many pods; nobody runs them here, but Pod Security has let them in. */
export async function waitForPods(cluster: Cluster, namespace: string, count: number): Promise<void> {
  await waitUntil(`${count} pods in ${namespace}`, async () => {
    const { items } = asObject((await cluster.request(`/api/v1/namespaces/${namespace}/pods`)).body);
    return asList(items).length === count;
  });
}

/** What every namespace has, and what tells of what was there. */
const NO_TRACE: ReadonlySet<string> = new Set(['configmap/kube-root-ca.crt', 'serviceaccount/default']);

/**
 * Everything that is in a namespace, and whatever is called scrapeguard outside of all: `kind/name` each. Events are
 * left out, which end by themselves.
 */
export async function leftBehind(cluster: Cluster, namespace: string): Promise<readonly string[]> {
  const inside = await namesIn(cluster, ['--namespaced=true'], ['--namespace', namespace]);
  const outside = await namesIn(cluster, ['--namespaced=false'], []);
  return [
    ...inside.filter((name) => !NO_TRACE.has(name)),
    ...outside.filter((name) => name.includes('scrapeguard') && name !== `namespace/${namespace}`),
  ];
}

async function namesIn(
  cluster: Cluster,
  scope: readonly string[],
  where: readonly string[],
): Promise<readonly string[]> {
  const kinds = await cluster.kubectl(['api-resources', '--verbs=list', '-o', 'name', ...scope]);
  const wanted = kinds.stdout.split('\n').filter((kind) => kind !== '' && !kind.startsWith('events'));
  const found = await cluster.kubectl(['get', wanted.join(','), '-o', 'name', ...where]);
  if (found.code !== 0) throw new Error(found.stderr);
  return found.stdout.split('\n').filter((line) => line !== '');
}
