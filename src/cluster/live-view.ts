import { namespaceOf } from '../admission/exempt.ts';
import type { ViewFor } from '../admission/validate.ts';
import type { AdmissionRequest, GroupVersionResource } from '../kube/admission-review.ts';
import type { Labels } from '../kube/labels.ts';
import { labelsOf } from '../kube/object.ts';
import { type Resource, RESOURCES } from '../kube/resources.ts';
import type { ClusterView, KubernetesVersion } from '../policy/cluster-view.ts';
import { clusterRoleBindingOf } from '../rbac/bindings.ts';
import { clusterRoleOf, isEquivalent, mayGrant } from '../rbac/cluster-role.ts';
import type { GrantsView, Lookup } from '../rbac/grants-view.ts';
import { OverlayView } from '../rbac/overlay.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import { viewWithRole } from './bound-role.ts';
import { type Clock, pause } from './clock.ts';
import { type ClusterCaches, COLLECTIONS } from './cluster-caches.ts';

/** What a live view is made of. */
export interface LiveViewParts {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly caches: Pick<ClusterCaches, 'grants' | 'namespaceLabels'>;
  readonly version: () => KubernetesVersion;
}

/**
 * How long a ClusterRole that may add a grant waits for the caches: a binding that was written before it, one moment ago,
 * is still on its way to them.
 */
const CATCH_UP_MS = 250;

/** How long one read of a namespace may take, for all that wait for it. */
const READ_MS = 10_000;

/**
 * Sees the cluster as it is: by the caches, and by asking for what they may have missed. A namespace that they do not
 * have is read. The role of a ClusterRoleBinding is always read, with what it aggregates; a ClusterRole is judged by the
 * bindings that the caches have a moment later. What cannot be read in time is unknown.
 */
export function liveView({ client, clock, caches, version }: LiveViewParts): ViewFor {
  const labelsOnServer = labelReader(client);

  const labelsFor = (name: string, signal: AbortSignal): Lookup<Labels> | Promise<Lookup<Labels>> => {
    if (name === '') return 'not found';
    const known = caches.namespaceLabels(name);
    return typeof known === 'string' ? withinTime(labelsOnServer(name), signal, 'unknown') : known;
  };

  const grantsFor = (request: AdmissionRequest, signal: AbortSignal): GrantsView | Promise<GrantsView> => {
    if (mayAddGrants(request)) return pause(clock, CATCH_UP_MS, signal).then(() => caches.grants());
    const roleName = boundRoleOf(request);
    if (roleName === undefined) return caches.grants();
    const unknown = new OverlayView(caches.grants(), { isCurrent: false });
    const read = viewWithRole(client, roleName, caches.grants(), signal);
    return withinTime(
      read.catch(() => unknown),
      signal,
      unknown,
    );
  };

  return (request, signal) => {
    const name = namespaceOf(request);
    const view = (labels: Lookup<Labels>, grants: GrantsView): ClusterView => ({
      version: version(),
      grants,
      namespaceLabels: (asked) => (asked === name ? labels : caches.namespaceLabels(asked)),
    });
    const labels = labelsFor(name, signal);
    const grants = grantsFor(request, signal);
    if (!(labels instanceof Promise) && !(grants instanceof Promise)) return view(labels, grants);
    return Promise.all([labels, grants]).then((answers) => view(...answers));
  };
}

/** True for a ClusterRole by which somebody who is bound to it may get what he had not. */
function mayAddGrants({ resource, operation, object = {}, oldObject }: AdmissionRequest): boolean {
  if (!isOf(resource, RESOURCES.clusterroles)) return false;
  const role = clusterRoleOf(object);
  const isChanged = operation !== 'UPDATE' || oldObject === undefined || !isEquivalent(clusterRoleOf(oldObject), role);
  return isChanged && mayGrant(role);
}

function isOf({ group, resource }: GroupVersionResource, wanted: Resource): boolean {
  return group === wanted.group && resource === wanted.resource;
}

/** The ClusterRole that a request binds in the whole cluster, if it does that. */
function boundRoleOf({ resource, object = {} }: AdmissionRequest): string | undefined {
  if (!isOf(resource, RESOURCES.clusterrolebindings)) return undefined;
  const { roleKind, roleName } = clusterRoleBindingOf(object);
  return roleKind === 'ClusterRole' ? roleName : undefined;
}

/** Reads namespaces; whoever asks for one that is being read waits for the same answer. */
function labelReader(client: ApiClient): (name: string) => Promise<Lookup<Labels>> {
  const reading = new Map<string, Promise<Lookup<Labels>>>();
  return (name) => {
    const known = reading.get(name);
    if (known !== undefined) return known;
    const read = readLabels(client, name, AbortSignal.timeout(READ_MS)).finally(() => reading.delete(name));
    reading.set(name, read);
    return read;
  };
}

async function readLabels(client: ApiClient, name: string, signal: AbortSignal): Promise<Lookup<Labels>> {
  try {
    const path = `${COLLECTIONS.namespaces.path}/${encodeURIComponent(name)}`;
    return labelsOf(await client.request({ path, signal }));
  } catch (error) {
    return error instanceof ApiError && error.status === 404 ? 'not found' : 'unknown';
  }
}

/** The answer, or the other one when the signal aborts before. Nothing is left to wait for it afterwards. */
async function withinTime<Answer>(answer: Promise<Answer>, signal: AbortSignal, otherwise: Answer): Promise<Answer> {
  if (signal.aborted) return otherwise;
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const end = (): void => resolve(otherwise);
  signal.addEventListener('abort', end);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
