import type { AdmissionRequest, GroupVersionResource } from '../kube/admission-review.ts';
import type { JsonObject } from '../kube/json.ts';
import { annotationOf } from '../kube/object.ts';
import type { Policy } from '../policy/document.ts';
import { isExcludedNamespace } from '../policy/scope.ts';

/** Why a request is not judged at all; recorded in the audit annotation `exempt`. */
export type Exemption = 'excluded-namespace' | 'apiserver' | 'aggregation-controller' | 'operation' | 'subresource';

/** The API server itself, as it writes its default roles. */
export const API_SERVER = { username: 'system:apiserver', group: 'system:masters' };

/** The controller that copies the rules of aggregated ClusterRoles. */
export const AGGREGATION_CONTROLLER = 'system:serviceaccount:kube-system:clusterrole-aggregation-controller';

/**
 * Subresources that change nothing a rule looks at, and whose body may be of another kind. One that is not listed is
 * judged, so that a newer API server meets no hole.
 */
const UNJUDGED_SUBRESOURCES: ReadonlySet<string> = new Set([
  'approval',
  'attach',
  'binding',
  'eviction',
  'exec',
  'finalize',
  'log',
  'portforward',
  'proxy',
  'resize',
  'scale',
  'status',
  'token',
]);

/** Subresources of a Namespace by which its labels can be written (pkg/registry/core/namespace/strategy.go). */
export const NAMESPACE_SUBRESOURCES = ['status', 'finalize'] as const;

/**
 * Why a request is let through unseen, or undefined when it is judged. The API server's own writes repair its default
 * roles at start, and end it when they are refused (pkg/registry/rbac/rest/storage_rbac.go); the aggregation controller
 * only copies rules that were judged when they were written. Labels, annotations and names exempt nobody.
 */
export function exemptionOf(request: AdmissionRequest, policy: Policy): Exemption | undefined {
  const { operation, user } = request;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return 'operation';
  if (isUnjudgedSubresource(request)) return 'subresource';
  if (user.username === API_SERVER.username && user.groups.includes(API_SERVER.group)) return 'apiserver';
  if (user.username === AGGREGATION_CONTROLLER) return 'aggregation-controller';
  return isExcludedNamespace(policy, namespaceOf(request)) ? 'excluded-namespace' : undefined;
}

function isUnjudgedSubresource({ resource, subResource }: AdmissionRequest): boolean {
  return UNJUDGED_SUBRESOURCES.has(subResource) && !(isNamespaces(resource) && writesNamespace(subResource));
}

function writesNamespace(subResource: string): boolean {
  return NAMESPACE_SUBRESOURCES.some((each) => each === subResource);
}

function isNamespaces({ group, resource }: GroupVersionResource): boolean {
  return group === '' && resource === 'namespaces';
}

/** The namespace that a request's object lives in; '' for a Namespace itself, although its request names one. */
export function namespaceOf({ resource, namespace }: AdmissionRequest): string {
  return isNamespaces(resource) ? '' : namespace;
}

/** What a kubelet writes on the shadow of a static pod. */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** By what a kubelet is known: how its user name begins, and its group. */
export const NODES = { usernamePrefix: 'system:node:', group: 'system:nodes' };

/**
 * True for the shadow of a static pod, which the node runs whatever the API server answers: the annotation counts only
 * from a node (kubernetes/plugin/pkg/admission/noderestriction lets a node create nothing else).
 */
export function isMirrorPod(object: JsonObject, { resource, user }: AdmissionRequest): boolean {
  return (
    resource.group === '' &&
    resource.resource === 'pods' &&
    claimsToBeMirrorPod(object) &&
    user.username.startsWith(NODES.usernamePrefix) &&
    user.groups.includes(NODES.group)
  );
}

/** True for an object that is a mirror pod if a node wrote it. */
export function claimsToBeMirrorPod(object: JsonObject): boolean {
  return annotationOf(object, MIRROR_ANNOTATION) !== undefined;
}
