// The role of a binding that is about to be written, as it is at this moment: a cache may not have seen a role that was
// written the moment before.
import type { Requirement } from '../kube/labels.ts';
import { walkMembers } from '../rbac/aggregation.ts';
import { type ClusterRole, clusterRoleOf } from '../rbac/cluster-role.ts';
import type { GrantsView } from '../rbac/grants-view.ts';
import { OverlayView } from '../rbac/overlay.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import { COLLECTIONS } from './cluster-caches.ts';
import { pagesOf } from './paged-list.ts';

const { path: PATH } = COLLECTIONS.clusterroles;

/** More lists than this are not made for one binding: its role is unknown then. */
const MOST_LISTS = 200;

/**
 * The view with a role, and all that it aggregates directly or through others, as the API server has them now: by a
 * consistent GET, and a LIST a selector. What is thus known is current whatever the view was. Throws as `request` does,
 * and an Error where the role aggregates by too many selectors.
 */
export async function viewWithRole(
  client: ApiClient,
  name: string,
  below: GrantsView,
  signal: AbortSignal,
): Promise<GrantsView> {
  const role = await readRole(client, name, signal);
  const changes = new Map<string, ClusterRole | undefined>([[name, role]]);
  if (role === undefined || role.selectors.length === 0) return new OverlayView(below, { clusterRoles: changes });
  await readMembers(client, role, changes, signal);
  for (const { role: member } of walkMembers([role], new OverlayView(below, { clusterRoles: changes }))) {
    // The view below has it selected, the API server has not: it was deleted, or is labelled otherwise by now.
    if (!changes.has(member.name)) changes.set(member.name, undefined);
  }
  return new OverlayView(below, { clusterRoles: changes, isCurrent: true });
}

/** The role, or undefined where there is none. */
async function readRole(client: ApiClient, name: string, signal: AbortSignal): Promise<ClusterRole | undefined> {
  try {
    return clusterRoleOf(await client.request({ path: `${PATH}/${encodeURIComponent(name)}`, signal }));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

async function readMembers(
  client: ApiClient,
  role: ClusterRole,
  found: Map<string, ClusterRole | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const selectors = new Map(role.selectors.map((selector) => [selector.key, selector]));
  let lists = 0;
  // A selector that is found on the way is visited too.
  for (const { requirements } of selectors.values()) {
    lists += 1;
    if (lists > MOST_LISTS) throw new Error(`ClusterRole ${role.name} aggregates by too many selectors.`);
    const query = { path: PATH, labelSelector: requirements.map(termOf).join(',') };
    for await (const { items } of pagesOf(client, query, signal)) {
      for (const item of items) {
        const member = clusterRoleOf(item);
        found.set(member.name, member);
        for (const selector of member.selectors) selectors.set(selector.key, selector);
      }
    }
  }
}

const TERMS: Readonly<Record<Requirement['operator'], (key: string, values: string) => string>> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

/** A requirement as the API server reads it in a query. */
function termOf({ key, operator, values }: Requirement): string {
  return TERMS[operator](key, values.join(','));
}
