import { asList, asObject, type JsonObject } from '../kube/json.ts';
import { isHostNetwork } from '../kube/pods.ts';
import type { Labels } from '../kube/labels.ts';
import type { InjectionPolicy } from '../policy/document.ts';
import { INJECT_LABEL } from '../policy/posture.ts';
import { matchesAny } from '../policy/wildcard.ts';
import type { Lookup } from '../rbac/grants-view.ts';
import { SETTINGS, readSetting } from './annotations.ts';
import type { SkipReason } from './reasons.ts';

/** What decides about an injection besides the pod itself. */
export interface InjectionCircumstances {
  readonly injection: InjectionPolicy;
  /** The namespace that the pod is made in; a pod that a controller makes does not name it. */
  readonly namespace: string;
  readonly namespaceLabels: Lookup<Labels>;
  /** True for the shadow of a static pod that its node reports. */
  readonly isMirrorPod: boolean;
}

/** A reason to leave a pod alone, with the value that its sentence shows. */
export interface Refusal {
  readonly reason: SkipReason;
  readonly value?: string | number;
}

/** Why nobody wants a proxy in this pod, whatever it serves; undefined when somebody does. */
export function refusalOfScope(annotations: JsonObject, circumstances: InjectionCircumstances): Refusal | undefined {
  const { injection, namespace, isMirrorPod } = circumstances;
  if (isMirrorPod) return { reason: 'mirror-pod' };
  if (matchesAny(injection.excludedNamespaces, namespace)) return { reason: 'excluded-namespace', value: namespace };
  const asked = readSetting(annotations, SETTINGS.inject);
  if (asked.kind === 'value' && !asked.value) return { reason: 'opted-out' };
  return refusalOfNamespace(circumstances);
}

function refusalOfNamespace(circumstances: InjectionCircumstances): Refusal | undefined {
  const { injection, namespace, namespaceLabels } = circumstances;
  if (injection.select === 'off') return { reason: 'injection-off' };
  if (namespaceLabels === 'unknown') return { reason: 'namespace-unknown', value: namespace };
  const label = namespaceLabels === 'not found' ? undefined : namespaceLabels[INJECT_LABEL];
  if (label === 'disabled') return { reason: 'namespace-disabled', value: namespace };
  if (injection.select === 'labelled' && label !== 'enabled') {
    return { reason: 'namespace-not-selected', value: namespace };
  }
  return undefined;
}

/** Why no proxy can run in this pod; undefined when one can. */
export function refusalOfPod(pod: JsonObject, { hostNetwork }: InjectionPolicy): Refusal | undefined {
  const malformed = malformedField(asObject(pod['spec']));
  if (malformed !== undefined) return { reason: 'malformed-pod', value: malformed };
  if (isForWindows(asObject(pod['spec']))) return { reason: 'windows' };
  return hostNetwork === 'skip' && isHostNetwork(pod) ? { reason: 'host-network' } : undefined;
}

/** The lists that a proxy may have to be added to. */
const LISTS = ['initContainers', 'volumes', 'imagePullSecrets'] as const;

function malformedField(spec: JsonObject): string | undefined {
  const { containers } = spec;
  if (!Array.isArray(containers) || containers.length === 0) return 'containers';
  return LISTS.find((field) => spec[field] !== undefined && spec[field] !== null && !Array.isArray(spec[field]));
}

const OS_LABELS: ReadonlySet<unknown> = new Set(['kubernetes.io/os', 'beta.kubernetes.io/os']);

/** True for a pod that says so, or that no other node than one with Windows can take. */
function isForWindows({ os, nodeSelector, affinity }: JsonObject): boolean {
  if (asObject(os)['name'] === 'windows') return true;
  const selected = Object.entries(asObject(nodeSelector));
  if (selected.some(([key, value]) => OS_LABELS.has(key) && value === 'windows')) return true;
  const required = asObject(
    asObject(asObject(affinity)['nodeAffinity'])['requiredDuringSchedulingIgnoredDuringExecution'],
  );
  const terms = asList(required['nodeSelectorTerms']);
  return terms.length > 0 && terms.every((term) => asList(asObject(term)['matchExpressions']).some(isWindowsOnly));
}

function isWindowsOnly(expression: unknown): boolean {
  const { key, operator, values } = asObject(expression);
  return OS_LABELS.has(key) && operator === 'In' && asList(values).length === 1 && asList(values)[0] === 'windows';
}
