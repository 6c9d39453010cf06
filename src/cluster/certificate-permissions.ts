import type { JsonObject } from '../kube/json.ts';

/** The name of the webhook configurations whose trust is kept up. */
export const WEBHOOK_CONFIGURATION = 'scrapeguard';

/** Rules of a Role in the server's namespace and of a ClusterRole. */
export interface Permissions {
  readonly namespaced: readonly JsonObject[];
  readonly clusterWide: readonly JsonObject[];
}

/**
 * What the service account needs to keep up the certificate of a Secret, and nothing more: each object by its name.
 * `patch` and `create` make an object by applying it to its own path, where a right to create can name it.
 */
export function certificatePermissions(secret: string): Permissions {
  const verbs = ['get', 'create', 'patch', 'update'];
  return {
    namespaced: [
      { apiGroups: [''], resources: ['secrets'], resourceNames: [secret], verbs },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [secret], verbs },
    ],
    clusterWide: [
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
        resourceNames: [WEBHOOK_CONFIGURATION],
        verbs: ['get', 'update'],
      },
    ],
  };
}
