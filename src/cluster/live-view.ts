import { namespaceOf } from '../admission/exempt.ts';
import type { ViewFor } from '../admission/validate.ts';
import { asString } from '../kube/json.ts';
import type { Labels } from '../kube/labels.ts';
import { labelsOf } from '../kube/object.ts';
import { NEWEST_VERSION, type ClusterView, type KubernetesVersion } from '../policy/cluster-view.ts';
import { GrantsIndex } from '../rbac/grants-index.ts';
import type { Lookup } from '../rbac/grants-view.ts';
import { OverlayView } from '../rbac/overlay.ts';
import { ApiError, type ApiClient } from './api-client.ts';

/** How long a namespace's labels are believed; a changed label counts after this at the latest. */
const BELIEVED_MS = 1_000;

/** More namespaces than this are forgotten oldest first. */
const MOST_NAMESPACES = 10_000;

/** The minor version of the server, `36` or `36+` on the wire. Rejects when the server does not answer. */
export async function serverVersion(client: ApiClient, signal: AbortSignal): Promise<KubernetesVersion> {
  const { major, minor } = await client.request({ path: '/version', signal });
  return {
    major: leadingInteger(major) ?? NEWEST_VERSION.major,
    minor: leadingInteger(minor) ?? NEWEST_VERSION.minor,
  };
}

function leadingInteger(text: unknown): number | undefined {
  const digits = /^[0-9]{1,4}/.exec(asString(text) ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Sees the cluster as it is: before a namespaced object is judged, the labels of its namespace are read, at most once a
 * second for each. What cannot be read in time is unknown.
 */
export function liveView(client: ApiClient, version: KubernetesVersion, now: () => number): ViewFor {
  const known = new Map<string, { readonly until: number; readonly labels: Promise<Lookup<Labels>> }>();

  const lookUp = (name: string): Promise<Lookup<Labels>> => {
    const entry = known.get(name);
    if (entry !== undefined && entry.until > now()) return entry.labels;
    known.delete(name);
    const [oldest] = known.keys();
    if (known.size >= MOST_NAMESPACES && oldest !== undefined) known.delete(oldest);
    // Shared by every request that asks meanwhile, so it has a deadline of its own.
    const labels = readLabels(client, name, AbortSignal.timeout(10_000));
    known.set(name, { until: now() + BELIEVED_MS, labels });
    void labels.then((answer) => answer === 'unknown' && known.delete(name));
    return labels;
  };

  return async (request, signal) => {
    const name = namespaceOf(request);
    const labels = name === '' ? 'not found' : await Promise.race([lookUp(name), aborted(signal)]);
    return viewWith(version, name, labels);
  };
}

/** Roles and bindings are not read yet. */
const NOTHING_KNOWN = new OverlayView(new GrantsIndex(), { isCurrent: false });

function viewWith(version: KubernetesVersion, name: string, labels: Lookup<Labels>): ClusterView {
  return { version, grants: NOTHING_KNOWN, namespaceLabels: (asked) => (asked === name ? labels : 'unknown') };
}

async function readLabels(client: ApiClient, name: string, signal: AbortSignal): Promise<Lookup<Labels>> {
  try {
    const namespace = await client.request({ path: `/api/v1/namespaces/${encodeURIComponent(name)}`, signal });
    return labelsOf(namespace);
  } catch (error) {
    return error instanceof ApiError && error.status === 404 ? 'not found' : 'unknown';
  }
}

function aborted(signal: AbortSignal): Promise<'unknown'> {
  if (signal.aborted) return Promise.resolve('unknown');
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve('unknown'), { once: true }));
}
