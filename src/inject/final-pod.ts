import { own, type JsonObject } from '../kube/json.ts';
import { keepLast } from '../kube/keep-last.ts';
import { metadataOf } from '../kube/object.ts';
import { escapeToken, type JsonPointer } from '../kube/pointer.ts';
import { scrapeAnnotationsIn, scrapeSettingOf } from '../kube/prometheus-annotations.ts';
import type { RuleContext } from '../policy/rule.ts';
import { LABEL_PREFIX } from '../policy/scope.ts';
import { annotationsOf, SETTINGS } from './annotations.ts';
import { applyPlan } from './apply.ts';
import type { InjectionCircumstances } from './eligibility.ts';
import { planInjection } from './plan.ts';

// What rules about injection look at: the pod as it will run.

/** True when an annotation of a pod is one that injection reads; one without is left as it is at a glance. */
export function concernsInjection(pod: JsonObject): boolean {
  return Object.keys(annotationsOf(pod)).some((key) => {
    return key.startsWith(LABEL_PREFIX) || scrapeSettingOf(key) !== undefined;
  });
}

type Facts = Pick<RuleContext, 'policy' | 'view' | 'namespace' | 'isTemplate' | 'operation'>;

/**
 * The pod as it will run. One that is still to be made, by a template or from a file, has the proxies that it will get;
 * one that is being made or exists has those that it got.
 */
export function finalPodOf(pod: JsonObject, facts: Facts): JsonObject {
  const { policy, isTemplate, operation } = facts;
  if (!concernsInjection(pod)) return pod;
  const isToBeMade = isTemplate || (operation === undefined && metadataOf(pod)['uid'] === undefined);
  if (!isToBeMade || policy.injection.mode !== 'apply') return pod;
  const circumstances = circumstancesOf(facts);
  const { injection, namespace, namespaceLabels } = circumstances;
  return injectedPods([pod, injection, namespace, namespaceLabels], () => {
    const planned = planInjection(pod, circumstances);
    return planned.kind === 'plan' ? applyPlan(pod, planned.plan) : pod;
  });
}

/** The pod that the last rule was told of; the next one is most likely to ask about the same. */
const injectedPods = keepLast<JsonObject>();

/** What decides about the injection of a pod that a rule is asked about; a mirror pod is known in admission alone. */
export function circumstancesOf({ policy, view, namespace }: Facts): InjectionCircumstances {
  return {
    injection: policy.injection,
    namespace,
    namespaceLabels: view.namespaceLabels(namespace),
    isMirrorPod: false,
  };
}

/** The annotation by which a pod says where its metrics are; all of them where none does. */
export function metricsAnnotationOf(pod: JsonObject): JsonPointer {
  const annotations = annotationsOf(pod);
  const { port, scrape } = scrapeAnnotationsIn(annotations);
  const stated = own(annotations, SETTINGS.metricsPort.key) === undefined ? [] : [SETTINGS.metricsPort];
  const [first] = [...stated, ...port, ...scrape];
  return `/metadata/annotations${first === undefined ? '' : `/${escapeToken(first.key)}`}`;
}
