// Pods with metrics, and what becomes of them when they are injected.

import { applyPlan } from '../../src/inject/apply.ts';
import { planInjection } from '../../src/inject/plan.ts';
import { asList, asObject, type JsonObject } from '../../src/kube/json.ts';
import { policyOf } from './validate-review.ts';

/** Annotations that replace or complete those of a pod; null takes one away. */
export type Annotations = Readonly<Record<string, string | null>>;

/** A pod whose container serves metrics on port 9090 and says so. */
export function scrapedPod(annotations: Annotations = {}, spec: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'front',
      annotations: withChanges({ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' }, annotations),
    },
    spec: {
      containers: [{ name: 'app', image: 'app:1', ports: [{ name: 'metrics', containerPort: 9090 }] }],
      ...spec,
    },
  };
}

/** A Deployment of such pods. */
export function scrapedDeployment(annotations: Annotations = {}, spec: JsonObject = {}): JsonObject {
  const { metadata, spec: podSpec } = scrapedPod(annotations, spec);
  const template = { metadata: { annotations: asObject(metadata)['annotations'] }, spec: podSpec };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'front' }, spec: { template } };
}

/** A pod after the injection that a policy's `injection` gives it. Throws an Error for one that gets none. */
export function injectedPod(pod: JsonObject = scrapedPod(), injection: JsonObject = {}): JsonObject {
  const planned = planInjection(pod, {
    injection: policyOf([], { injection }).injection,
    namespace: 'default',
    namespaceLabels: 'not found',
    isMirrorPod: false,
  });
  if (planned.kind === 'skip') throw new Error(`The pod is not injected: ${planned.reason}.`);
  return applyPlan(pod, planned.plan);
}

/** A pod with other annotations. */
export function reannotate(pod: JsonObject, annotations: Annotations): JsonObject {
  const metadata = asObject(pod['metadata']);
  return {
    ...pod,
    metadata: { ...metadata, annotations: withChanges(asObject(metadata['annotations']), annotations) },
  };
}

/** A pod with other fields in the container of a name; undefined takes one away. */
export function changeContainer(pod: JsonObject, name: string, change: JsonObject): JsonObject {
  const spec = asObject(pod['spec']);
  const containers = asList(spec['containers']).map((item) => {
    const container = asObject(item);
    return container['name'] === name ? Object.assign({}, container, change) : container;
  });
  return { ...pod, spec: { ...spec, containers } };
}

function withChanges(annotations: JsonObject, changes: Annotations): JsonObject {
  return Object.fromEntries(Object.entries({ ...annotations, ...changes }).filter(([, value]) => value !== null));
}
