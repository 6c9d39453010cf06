import type { Logger } from 'pino';

import type { Outcome } from '../admission/reply.ts';
import type { ViewFor } from '../admission/validate.ts';
import { type ApiClient, ApiError, connect } from '../cluster/api-client.ts';
import { SYSTEM_CLOCK } from '../cluster/clock.ts';
import { type CacheState, COLLECTIONS, type Followed, startCaches } from '../cluster/cluster-caches.ts';
import { liveView } from '../cluster/live-view.ts';
import { makeSecondLook } from '../cluster/second-look.ts';
import { followVersion } from '../cluster/server-version.ts';
import type { AdmissionRequest } from '../kube/admission-review.ts';
import { readFiles } from '../manifests/files.ts';
import { viewOf } from '../policy/cluster-view.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import { logLineFor } from '../server/log-line.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import type { Meters } from './meters.ts';

/** Where `serve` sees a cluster: by a kubeconfig, from inside, or a folder of manifests that stands for one. */
export interface ViewOptions {
  readonly kubeconfig?: string;
  readonly state?: string;
}

/** A view, whether it has what a verdict needs, and how to let go of what it holds. */
export interface OpenView {
  readonly viewFor: ViewFor;
  readonly isReady: () => boolean;
  /** How far each cache has come; nothing where there are none. */
  readonly caches: () => Readonly<Partial<Record<Followed, CacheState>>>;
  /** The API server of a live cluster. */
  readonly client?: ApiClient;
  /** To be told of each verdict, so that an allowed write can be looked at once more. */
  readonly record: (request: AdmissionRequest, outcome: Outcome) => void;
  readonly close: () => Promise<void>;
}

/** What the second look judges with, and where its findings go. */
export interface ViewParts {
  readonly io: Io;
  readonly log: Logger;
  readonly meters: Pick<Meters, 'count'>;
  readonly ruleset: () => Ruleset;
  readonly today: () => string;
}

/** True when the options and the environment name a cluster to be seen live. */
export function isLive({ kubeconfig, state }: ViewOptions, { env }: Io): boolean {
  return kubeconfig !== undefined || (state === undefined && env['KUBERNETES_SERVICE_HOST'] !== undefined);
}

/**
 * Opens the view that the options and the environment ask for. A kubeconfig in the home directory alone connects to
 * nothing: somebody who tries the server out must not ask a cluster by accident. Rejects with a Failure.
 */
export async function openView(options: ViewOptions, parts: ViewParts): Promise<OpenView> {
  const { kubeconfig, state } = options;
  if (kubeconfig !== undefined && state !== undefined) {
    throw new Failure('Give --kubeconfig or --state: the cluster is seen live or stands in a folder.');
  }
  return isLive(options, parts.io) ? openLive(kubeconfig, parts) : openFolder(state, parts.io);
}

async function openLive(kubeconfig: string | undefined, parts: ViewParts): Promise<OpenView> {
  let client: ApiClient | undefined;
  try {
    client = await connect(kubeconfig === undefined ? {} : { kubeconfig });
    const version = await followVersion(client, SYSTEM_CLOCK);
    return viewOfCluster(client, version, parts);
  } catch (error) {
    await client?.close();
    const where = kubeconfig === undefined ? 'the cluster that this process runs in' : `the cluster of ${kubeconfig}`;
    throw new Failure(`Cannot reach ${where}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function viewOfCluster(
  client: ApiClient,
  version: Awaited<ReturnType<typeof followVersion>>,
  { log, meters, ruleset, today }: ViewParts,
): OpenView {
  const caches = startCaches({ client, clock: SYSTEM_CLOCK, random: Math.random, ...cacheHooks(log, meters) });
  const secondLook = makeSecondLook({
    ruleset,
    today,
    clock: SYSTEM_CLOCK,
    view: () => ({ version: version(), grants: caches.grants(), namespaceLabels: caches.namespaceLabels }),
    onMissed(request, outcome) {
      meters.count('scrapeguard_second_look_missed_total', { resource: request.resource.resource });
      log.warn(logLineFor(request, outcome, 0).fields, 'a write was allowed that would be refused by now');
    },
    onGivenUp({ resource, kind, name }) {
      meters.count('scrapeguard_second_look_given_up_total', { resource: resource.resource });
      log.warn({ kind, name }, 'an allowed write gets no second look');
    },
  });
  caches.listen(secondLook.seen);
  return {
    viewFor: liveView({ client, clock: SYSTEM_CLOCK, caches, version }),
    isReady: caches.isSynced,
    caches: caches.state,
    client,
    record: secondLook.expect,
    async close() {
      secondLook.stop();
      await caches.stop();
      await client.close();
    },
  };
}

/** One line when a collection cannot be followed, and one when it can again; every list and every failure is counted. */
function cacheHooks(
  log: Logger,
  meters: Pick<Meters, 'count'>,
): Pick<Parameters<typeof startCaches>[0], 'onList' | 'onFailure' | 'onProblem' | 'onRecovery'> {
  return {
    onList: (resource) => meters.count('scrapeguard_cache_lists_total', { resource }),
    onFailure: (resource) => meters.count('scrapeguard_cache_failures_total', { resource }),
    onProblem: (followed, error) => log.error({ resource: followed, err: error }, problemOf(followed, error)),
    onRecovery: (followed) => log.info({ resource: followed }, `${followed} are followed again`),
  };
}

function problemOf(followed: Followed, error: unknown): string {
  if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
    return `the service account may not read ${followed}: it needs get, list and watch on them`;
  }
  return `${COLLECTIONS[followed].path} cannot be followed`;
}

async function openFolder(folder: string | undefined, { stdin }: Io): Promise<OpenView> {
  const { manifests, errors } = await readFiles(folder === undefined ? [] : [folder], stdin);
  const [problem] = errors;
  if (problem !== undefined) throw new Failure(`${problem.file}: ${problem.message}`);
  const view = viewOf(manifests.map(({ object }) => object));
  return {
    viewFor: () => view,
    isReady: () => true,
    caches: () => ({}),
    record: () => undefined,
    close: () => Promise.resolve(),
  };
}
