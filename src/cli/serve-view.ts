import type { ViewFor } from '../admission/validate.ts';
import { connect } from '../cluster/api-client.ts';
import { liveView, serverVersion } from '../cluster/live-view.ts';
import { readFiles } from '../manifests/files.ts';
import { viewOf } from '../policy/cluster-view.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';

/** Where `serve` sees a cluster: by a kubeconfig, from inside, or a folder of manifests that stands for one. */
export interface ViewOptions {
  readonly kubeconfig?: string;
  readonly state?: string;
}

/** A view, and how to let go of what it holds. */
export interface OpenView {
  readonly viewFor: ViewFor;
  readonly close: () => Promise<void>;
}

/** How long the API server has to say its version at start. */
const START_MS = 10_000;

/**
 * Opens the view that the options and the environment ask for. A kubeconfig in the home directory alone connects to
 * nothing: somebody who tries the server out must not ask a cluster by accident. Rejects with a Failure.
 */
export async function openView({ kubeconfig, state }: ViewOptions, io: Io): Promise<OpenView> {
  if (kubeconfig !== undefined && state !== undefined) {
    throw new Failure('Give --kubeconfig or --state: the cluster is seen live or stands in a folder.');
  }
  if (kubeconfig !== undefined) return openLive(kubeconfig, io);
  if (state === undefined && io.env['KUBERNETES_SERVICE_HOST'] !== undefined) return openLive(undefined, io);
  return openFolder(state, io);
}

async function openLive(kubeconfig: string | undefined, { now }: Io): Promise<OpenView> {
  try {
    const client = await connect(kubeconfig === undefined ? {} : { kubeconfig });
    const version = await serverVersion(client, AbortSignal.timeout(START_MS));
    return { viewFor: liveView(client, version, () => now().getTime()), close: client.close };
  } catch (error) {
    const where = kubeconfig === undefined ? 'the cluster that this process runs in' : `the cluster of ${kubeconfig}`;
    throw new Failure(`Cannot reach ${where}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

async function openFolder(folder: string | undefined, { stdin }: Io): Promise<OpenView> {
  const { manifests, errors } = await readFiles(folder === undefined ? [] : [folder], stdin);
  const [problem] = errors;
  if (problem !== undefined) throw new Failure(`${problem.file}: ${problem.message}`);
  const view = viewOf(manifests.map(({ object }) => object));
  return { viewFor: () => view, close: () => Promise.resolve() };
}
