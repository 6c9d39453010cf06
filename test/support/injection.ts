// Pods through the injector as the webhook and the command line put them, and what came of it in a few words.

import assert from 'node:assert/strict';

import { applyPlan } from '../../src/inject/apply.ts';
import type { InjectionCircumstances } from '../../src/inject/eligibility.ts';
import { patchError, patchOf, type PatchOperation } from '../../src/inject/patch.ts';
import { planInjection, type Injection, type Plan } from '../../src/inject/plan.ts';
import { asList, asObject, type JsonObject } from '../../src/kube/json.ts';
import type { Labels } from '../../src/kube/labels.ts';
import type { InjectionPolicy } from '../../src/policy/document.ts';
import type { Rule } from '../../src/policy/rule.ts';
import type { Lookup } from '../../src/rbac/grants-view.ts';
import { policyOf } from './validate-review.ts';

/** Everything about an injection that is not in the pod, as a test states it. */
export interface Setting {
  /** Keys of the policy's `injection`; the others are as in the default policy. */
  readonly injection?: JsonObject;
  readonly namespace?: string;
  readonly labels?: Lookup<Labels>;
  readonly isMirrorPod?: boolean;
}

/** The one list, for the parser of policies is made once a list. */
const NO_RULES: readonly Rule[] = [];

/** The default policy's `injection` with some keys replaced. */
export function injectionPolicy(injection: JsonObject = {}): InjectionPolicy {
  return policyOf(NO_RULES, { injection }).injection;
}

export function circumstancesOf({ injection, namespace, labels, isMirrorPod }: Setting = {}): InjectionCircumstances {
  return {
    injection: injectionPolicy(injection),
    namespace: namespace ?? 'default',
    namespaceLabels: labels ?? {},
    isMirrorPod: isMirrorPod ?? false,
  };
}

/** How a test's pod differs from one with a container `app` that serves metrics on the annotated port 9090. */
export interface PodChange {
  /** Laid over the annotations; undefined takes one away. */
  readonly annotations?: Readonly<Record<string, string | undefined>> | undefined;
  readonly labels?: Labels;
  readonly spec?: JsonObject;
  /** Laid over the container `app`. */
  readonly app?: JsonObject;
  /** Put after the container `app`. */
  readonly beside?: readonly JsonObject[];
}

/** One of the test's pods. */
export function annotatedPod({
  annotations = {},
  labels,
  spec = {},
  app = {},
  beside = [],
}: PodChange = {}): JsonObject {
  const written = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090', ...annotations };
  const present = Object.entries(written).filter(([, value]) => value !== undefined);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', ...(labels === undefined ? {} : { labels }), annotations: Object.fromEntries(present) },
    spec: {
      containers: [{ name: 'app', image: 'x', ports: [{ name: 'metrics', containerPort: 9090 }], ...app }, ...beside],
      ...spec,
    },
  };
}

/** What is decided about a pod, in words: `8443 in front of 9090 by kube-rbac-proxy`, or the reason to skip; then warnings. */
export function outcomeOf(pod: JsonObject, setting: Setting = {}): string[] {
  return wordsOf(planInjection(pod, circumstancesOf(setting)));
}

export function wordsOf(injection: Injection): string[] {
  const warnings = injection.warnings.map(
    ({ code, value, key }) => `warning ${[code, key, value].filter((part) => part !== undefined).join(' ')}`,
  );
  if (injection.kind === 'skip') return [`${injection.reason} ${injection.value ?? ''}`.trim(), ...warnings];
  const { ports } = injection.plan;
  return [
    ...ports.map(({ port, proxyPort, container }) => `${proxyPort} in front of ${port} by ${container}`),
    ...warnings,
  ];
}

/** A pod that was injected: its plan, its patch, and what it became. */
export interface Injected {
  readonly plan: Plan;
  readonly patch: readonly PatchOperation[];
  readonly pod: JsonObject;
  /** The containers that were added, wherever they stand. */
  readonly sidecars: readonly JsonObject[];
}

/** Injects a pod, which must be possible. */
export function inject(pod: JsonObject, setting: Setting = {}): Injected {
  const injection = planInjection(pod, circumstancesOf(setting));
  assert.ok(injection.kind === 'plan', `skipped: ${wordsOf(injection).join(', ')}`);
  const { plan } = injection;
  const patch = patchOf(pod, plan);
  assert.equal(patchError(pod, patch), undefined);
  return { plan, patch, pod: applyPlan(pod, plan), sidecars: [...plan.containers, ...plan.initContainers] };
}

/** A field of a pod's metadata or spec that is a list of objects. */
export function listOf(pod: JsonObject, list: string): readonly JsonObject[] {
  return asList(asObject(pod['spec'])[list]).map(asObject);
}

/** The annotations of a pod. */
export function annotationsIn(pod: JsonObject): JsonObject {
  return asObject(asObject(pod['metadata'])['annotations']);
}

/** The container of kube-prometheus, kubebuilder and everybody: a proxy on 8443 in front of a port. */
export function foreignProxy(upstream: number, ...flags: readonly string[]): JsonObject {
  return {
    name: 'kube-rbac-proxy',
    image: 'gcr.io/kubebuilder/kube-rbac-proxy:v0.16.0',
    args: ['--secure-listen-address=0.0.0.0:8443', `--upstream=http://127.0.0.1:${upstream}/`, '--v=0', ...flags],
    ports: [{ containerPort: 8443, name: 'https', protocol: 'TCP' }],
  };
}
