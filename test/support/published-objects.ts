// Objects that other projects publish, as one writes them into a cluster to see what becomes of them.
import { Agent } from 'node:https';
import { asList, asObject, asString, type JsonObject } from '../../src/kube/json.ts';
import { metadataOf } from '../../src/kube/object.ts';
import type { Cluster } from './cluster-access.ts';
import { rulesIn } from './cluster-objects.ts';
import { readCorpus } from './corpus.ts';

/** An object and the collection that it would be written to. */
export type Published = { readonly place: string; readonly collection: string; readonly object: JsonObject };

/** Every object of the corpus that a control plane serves, moved into the given namespace where it is in one. */
export async function publishedFor(cluster: Cluster, namespace: string): Promise<readonly Published[]> {
  const collections = new Map<string, ReadonlyMap<string, string>>();
  const found: Published[] = [];
  for (const [place, { object }] of await readCorpus()) {
    const version = asString(object['apiVersion']) ?? '';
    const known = collections.get(version) ?? (await collectionsOf(cluster, version, namespace));
    collections.set(version, known);
    const collection = known.get(asString(object['kind']) ?? '');
    if (collection === undefined) continue;
    const metadata = collection.includes('/namespaces/') ? { ...metadataOf(object), namespace } : metadataOf(object);
    found.push({ place, collection, object: { ...object, metadata } });
  }
  return found;
}

/** Enough to keep an API server of two cores busy, although a role may wait a quarter of a second for its verdict. */
const SENDERS = 16;

/** The answers of a dry run, by place: the status, and whether there was a warning of ours. */
export async function tryAll(
  cluster: Cluster,
  objects: readonly Published[],
): Promise<{ readonly statuses: ReadonlyMap<string, number>; readonly warned: number }> {
  const statuses = new Map<string, number>();
  let warned = 0;
  const queue = [...objects];
  const agent = new Agent({ keepAlive: true });
  const work = async (): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const { place, collection, object } = next;
      const answer = await cluster.request(`${collection}?dryRun=All`, { method: 'POST', body: object, agent });
      statuses.set(place, answer.status);
      if (rulesIn(answer.warnings).length > 0) warned += 1;
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, work));
  agent.destroy();
  return { statuses, warned };
}

async function collectionsOf(cluster: Cluster, version: string, namespace: string): Promise<Map<string, string>> {
  const root = version.includes('/') ? `/apis/${version}` : `/api/${version}`;
  const { body } = await cluster.request(root);
  const served = asList(asObject(body)['resources']).map(asObject);
  return new Map(
    served.flatMap(({ name, kind, namespaced }) => {
      if (typeof name !== 'string' || typeof kind !== 'string' || name.includes('/')) return [];
      return [[kind, `${root}${namespaced === true ? `/namespaces/${namespace}` : ''}/${name}`]];
    }),
  );
}
