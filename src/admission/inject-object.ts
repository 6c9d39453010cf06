import { patchOf, type PatchOperation } from '../inject/patch.ts';
import { planInjection, type Injection } from '../inject/plan.ts';
import { asList, asObject, isObject, type JsonObject } from '../kube/json.ts';
import { valueAt, type JsonPointer } from '../kube/pointer.ts';
import { isTemplateKind, templatesOf, type TemplateKind } from '../kube/templates.ts';
import type { ClusterView } from '../policy/cluster-view.ts';
import type { Policy } from '../policy/document.ts';
import { isExcludedNamespace } from '../policy/scope.ts';
import { homeOf } from './judge.ts';
import { accountWithoutReviews, type PodAccount } from './token-reviews.ts';

/** What becomes of one pod, or pod template, of an object. */
export interface PodInjection {
  /** The template's place in its owner; '' for a pod. */
  readonly path: JsonPointer;
  readonly injection: Injection;
  /** The pod's account where it lacks the permissions that its proxy needs. */
  readonly lacking: PodAccount | undefined;
  /** Operations on the object; none where nothing is injected. */
  readonly patch: readonly PatchOperation[];
}

/** What injection is decided by outside a request. */
export interface Setting {
  readonly policy: Policy;
  readonly templateKinds: readonly TemplateKind[];
  readonly view: ClusterView;
}

/** Decides about the pod, or the pod templates, of an object without a request; none for any other kind of object. */
export function injectObject(object: JsonObject, { policy, templateKinds, view }: Setting): PodInjection[] {
  const namespace = homeOf(object);
  const circumstances = {
    injection: policy.injection,
    namespace,
    namespaceLabels: view.namespaceLabels(namespace),
    isMirrorPod: false,
  };
  return podsOf(object, templateKinds).map(({ pod, path }) => {
    const injection: Injection = isExcludedNamespace(policy, namespace)
      ? { kind: 'skip', reason: 'excluded-namespace', value: namespace, warnings: [] }
      : withPullSecrets(pod, planInjection(pod, circumstances));
    const lacking = injection.kind === 'plan' ? accountWithoutReviews(pod, namespace, view.grants) : undefined;
    return { path, injection, lacking, patch: patchAt(object, path, injection) };
  });
}

/**
 * The API server gives a pod the pull secrets of its ServiceAccount when it has none of its own, and it does so before
 * any webhook: only where secrets are written into a file are those of the account lost.
 */
function withPullSecrets(pod: JsonObject, injection: Injection): Injection {
  if (injection.kind === 'skip' || injection.plan.imagePullSecrets.length === 0) return injection;
  if (asList(asObject(pod['spec'])['imagePullSecrets']).length > 0) return injection;
  return { ...injection, warnings: [...injection.warnings, { code: 'pull-secrets-alone' }] };
}

function podsOf(
  object: JsonObject,
  kinds: readonly TemplateKind[],
): readonly { readonly pod: JsonObject; readonly path: JsonPointer }[] {
  if (object['apiVersion'] === 'v1' && object['kind'] === 'Pod') return [{ pod: object, path: '' }];
  return isTemplateKind(object, kinds) ? templatesOf(object, kinds) : [];
}

/** A template has the two parts of a pod that a plan reaches into, or lacks them in its own way. */
function patchAt(object: JsonObject, path: JsonPointer, injection: Injection): readonly PatchOperation[] {
  const pod = valueAt(object, path);
  if (injection.kind === 'skip' || !isObject(pod)) return [];
  return patchOf(pod, injection.plan).map((operation) => Object.assign(operation, { path: path + operation.path }));
}
