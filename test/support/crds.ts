// Kinds of others that rules judge, as a cluster with prometheus-operator or Argo Rollouts serves them.
import { existsSync, readFileSync } from 'node:fs';
import type { JsonObject } from '../../src/kube/json.ts';
import type { ApiResponse } from './api-request.ts';
import type { Cluster } from './cluster-access.ts';
import { waitUntil } from './wait-for.ts';

/** A kind that an API server is to serve. */
export type CustomKind = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly resource: string;
};

const MONITORING = 'monitoring.coreos.com';

const JUDGED_KINDS: readonly CustomKind[] = [
  { group: MONITORING, version: 'v1', kind: 'ServiceMonitor', resource: 'servicemonitors' },
  { group: MONITORING, version: 'v1', kind: 'PodMonitor', resource: 'podmonitors' },
  { group: MONITORING, version: 'v1alpha1', kind: 'ScrapeConfig', resource: 'scrapeconfigs' },
  { group: 'argoproj.io', version: 'v1alpha1', kind: 'Rollout', resource: 'rollouts' },
];

/** Those of cert-manager that an installation may consist of. */
export const CERT_MANAGER_KINDS: readonly CustomKind[] = [
  { group: 'cert-manager.io', version: 'v1', kind: 'Certificate', resource: 'certificates' },
  { group: 'cert-manager.io', version: 'v1', kind: 'Issuer', resource: 'issuers' },
];

/** What prometheus-operator takes alerts from; no rule judges it. */
export const PROMETHEUS_RULE: CustomKind = {
  group: MONITORING,
  version: 'v1',
  kind: 'PrometheusRule',
  resource: 'prometheusrules',
};

const SHARED = new URL('../../../shared/crds/', import.meta.url);
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/**
 * Makes a control plane serve kinds, once: those that rules judge unless told, with upstream's schemas where they lie
 * beside the repository, otherwise with one that takes anything. Settles when all of them are served.
 */
export async function installCustomKinds(cluster: Cluster, kinds: readonly CustomKind[] = JUDGED_KINDS): Promise<void> {
  for (const kind of kinds) {
    const { status, body } = await createDefinition(cluster, kind);
    if (status !== 201) throw new Error(`${kind.kind} is not taken: ${status} ${JSON.stringify(body)}`);
  }
  for (const { group, version, kind, resource } of kinds) {
    await waitUntil(`${kind} to be served`, async () => {
      return (await cluster.request(`/apis/${group}/${version}/${resource}`)).status === 200;
    });
  }
}

function createDefinition(cluster: Cluster, kind: CustomKind): Promise<ApiResponse> {
  const file = new URL(`${kind.group}_${kind.resource}.yaml`, SHARED);
  if (!existsSync(file)) return cluster.request(DEFINITIONS, { method: 'POST', body: openDefinition(kind) });
  const body = readFileSync(file, 'utf8');
  return cluster.request(DEFINITIONS, { method: 'POST', contentType: 'application/yaml', body });
}

function openDefinition({ group, version, kind, resource }: CustomKind): JsonObject {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${resource}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural: resource, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}
