/** One resource that rules judge, as the API server names it. */
export interface Resource {
  readonly group: string;
  readonly resource: string;
  readonly kind: string;
  readonly scope: 'Namespaced' | 'Cluster';
}

const RBAC = 'rbac.authorization.k8s.io';
const MONITORING = 'monitoring.coreos.com';

/** The resources that rules name as their targets; the kinds that carry pod templates are in templates.ts. */
export const RESOURCES = {
  pods: { group: '', resource: 'pods', kind: 'Pod', scope: 'Namespaced' },
  services: { group: '', resource: 'services', kind: 'Service', scope: 'Namespaced' },
  endpoints: { group: '', resource: 'endpoints', kind: 'Endpoints', scope: 'Namespaced' },
  endpointslices: { group: 'discovery.k8s.io', resource: 'endpointslices', kind: 'EndpointSlice', scope: 'Namespaced' },
  configmaps: { group: '', resource: 'configmaps', kind: 'ConfigMap', scope: 'Namespaced' },
  servicemonitors: { group: MONITORING, resource: 'servicemonitors', kind: 'ServiceMonitor', scope: 'Namespaced' },
  podmonitors: { group: MONITORING, resource: 'podmonitors', kind: 'PodMonitor', scope: 'Namespaced' },
  scrapeconfigs: { group: MONITORING, resource: 'scrapeconfigs', kind: 'ScrapeConfig', scope: 'Namespaced' },
  clusterroles: { group: RBAC, resource: 'clusterroles', kind: 'ClusterRole', scope: 'Cluster' },
  clusterrolebindings: { group: RBAC, resource: 'clusterrolebindings', kind: 'ClusterRoleBinding', scope: 'Cluster' },
  roles: { group: RBAC, resource: 'roles', kind: 'Role', scope: 'Namespaced' },
  rolebindings: { group: RBAC, resource: 'rolebindings', kind: 'RoleBinding', scope: 'Namespaced' },
  namespaces: { group: '', resource: 'namespaces', kind: 'Namespace', scope: 'Cluster' },
} as const satisfies Readonly<Record<string, Resource>>;

/** The name of a row of RESOURCES. */
export type ResourceName = keyof typeof RESOURCES;

/** Kinds outside every namespace that a manifest may hold; each other kind is taken for a namespaced one. */
const CLUSTER_SCOPED_KINDS: ReadonlySet<string> = new Set([
  'APIService',
  'CertificateSigningRequest',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'IngressClass',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'RuntimeClass',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
]);

/** True for a kind of Kubernetes' own that lives outside every namespace. */
export function isClusterScoped(kind: string): boolean {
  return CLUSTER_SCOPED_KINDS.has(kind);
}

/** True for the `apiVersion` of a file that configures a component and that no API server serves: a kubelet's, kubeadm's. */
export function isComponentConfiguration(apiVersion: string): boolean {
  return /(?:^|\.)config\.k8s\.io\/|^kubeadm\.k8s\.io\//.test(apiVersion);
}
