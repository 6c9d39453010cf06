import { connect, type Connection } from '../cluster/api-client.ts';
import { listGrants, type ListedGrants } from '../cluster/list-grants.ts';
import { refOf } from '../kube/object.ts';
import type { Manifest, Problem } from '../manifests/manifests.ts';
import { defaultRoles } from '../rbac/default-roles.ts';
import { grantsOfObjects } from '../rbac/grants-of-objects.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { loadManifests } from './load-manifests.ts';
import { startProgress } from './progress.ts';

/** Grants of a cluster or of manifests, and what could not be read of the latter. */
export interface LoadedGrants extends ListedGrants {
  readonly errors: readonly Problem[];
}

/**
 * Reads roles and bindings from manifests, with Kubernetes' default ones, or from a cluster, which is the one that this
 * process runs in where neither is named. Rejects with a Failure.
 */
export async function loadGrants(paths: readonly string[], connection: Connection, io: Io): Promise<LoadedGrants> {
  const isLive = connection.kubeconfig !== undefined || connection.context !== undefined;
  if (paths.length > 0 && isLive) throw new Failure('Name PATHs or a cluster: manifests are read by themselves.');
  if (connection.kubeconfig === undefined && connection.context !== undefined) {
    throw new Failure('--context is the name of one in a file: name that with --kubeconfig.');
  }
  if (paths.length > 0) return ofManifests(await loadManifests([...new Set(paths)], io));
  if (isLive || io.env['KUBERNETES_SERVICE_HOST'] !== undefined) return ofCluster(connection, io);
  throw new Failure('Name a PATH with manifests, or a cluster with --kubeconfig.');
}

function ofManifests({
  manifests,
  errors,
}: {
  readonly manifests: readonly Manifest[];
  readonly errors: readonly Problem[];
}): LoadedGrants {
  const objects = manifests.map(({ object }) => object);
  const bindings = [...defaultRoles(), ...objects].filter(({ kind }) => kind === 'RoleBinding');
  const namespaces = new Set(bindings.map((object) => refOf(object).namespace || 'default'));
  return { grants: grantsOfObjects(objects), namespaces: [...namespaces].sort(), errors };
}

async function ofCluster(connection: Connection, io: Io): Promise<LoadedGrants> {
  const progress = startProgress(io, 'Listing');
  const where = connection.kubeconfig === undefined ? 'this cluster' : `the cluster of ${connection.kubeconfig}`;
  try {
    const client = await connect(connection);
    try {
      return { ...(await listGrants(client, (count) => progress.tell(`${count} roles and bindings`))), errors: [] };
    } finally {
      progress.end();
      await client.close();
    }
  } catch (error) {
    throw new Failure(`Cannot read ${where}: ${error instanceof Error ? reasonOf(error) : String(error)}`, error);
  }
}

/** What fetch throws says why in its cause only. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error && cause.message !== '' ? `${message}: ${cause.message}` : message;
}
