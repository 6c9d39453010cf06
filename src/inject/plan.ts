import { asList, asObject, asString, type JsonObject } from '../kube/json.ts';
import { isHostNetwork } from '../kube/pods.ts';
import type { InjectionPolicy } from '../policy/document.ts';
import { plannedAnnotations } from './annotate.ts';
import { MOST_ANNOTATION_BYTES, SETTINGS, annotationsOf, isAcceptable, readSetting } from './annotations.ts';
import { chooseProxies, freeName, freePortName } from './choices.ts';
import { refusalOfPod, refusalOfScope, type InjectionCircumstances, type Refusal } from './eligibility.ts';
import { istioMerging } from './istio.ts';
import { readMetrics, type Metrics } from './metrics.ts';
import { factsOf, type PodFacts } from './pod-facts.ts';
import type { SkipReason, Warning } from './reasons.ts';
import { guardOf, portsToGuard, recogniseInjected } from './recognise.ts';
import type { ProxiedPort } from './record.ts';
import { proxyResources } from './resources.ts';
import { proxyContainer, tokenVolume, type Sidecar } from './sidecar.ts';

/** Everything that is added to a pod, and the annotations that are written, each with its whole value. */
export interface Plan {
  readonly ports: readonly ProxiedPort[];
  readonly containers: readonly JsonObject[];
  readonly initContainers: readonly JsonObject[];
  readonly volumes: readonly JsonObject[];
  readonly imagePullSecrets: readonly JsonObject[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** A plan, and what whoever wrote the pod is to know. */
interface Planned {
  readonly kind: 'plan';
  readonly plan: Plan;
  readonly warnings: readonly Warning[];
}

/** What is to become of a pod: a plan, or the reason why there is none; warnings are for whoever wrote the pod. */
export type Injection =
  | Planned
  | {
      readonly kind: 'skip';
      readonly reason: SkipReason;
      /** What the reason's sentence shows. */
      readonly value?: string | number;
      readonly warnings: readonly Warning[];
    };

/**
 * Decides whether a pod gets a kube-rbac-proxy in front of each annotated metrics port, and how. The first reason against
 * it wins: a pod gets everything or nothing. Never throws, whatever the pod holds, and changes nothing.
 */
export function planInjection(pod: JsonObject, circumstances: InjectionCircumstances): Injection {
  const annotations = annotationsOf(pod);
  const refused = refusalOfScope(annotations, circumstances);
  if (refused !== undefined) return skip(refused, []);
  const asked = readSetting(annotations, SETTINGS.inject);
  const warnings: Warning[] = asked.kind === 'invalid' ? [{ code: 'invalid-inject', value: asked.text }] : [];
  const injection = decide(factsOf(pod), circumstances);
  return warnings.length === 0 ? injection : { ...injection, warnings: [...warnings, ...injection.warnings] };
}

function skip({ reason, value }: Refusal, warnings: readonly Warning[]): Injection {
  return value === undefined ? { kind: 'skip', reason, warnings } : { kind: 'skip', reason, value, warnings };
}

function decide(facts: PodFacts, circumstances: InjectionCircumstances): Injection {
  const injected = recogniseInjected(facts, circumstances.injection);
  if (injected !== undefined) return skip(injected, []);
  const metrics = readMetrics(facts.annotations, facts.declared);
  if (metrics.kind === 'none') return skip({ reason: metrics.reason }, metrics.warnings);
  const impossible = refusalOfPod(facts.pod, circumstances.injection);
  if (impossible !== undefined) return skip(impossible, []);
  if (metrics.kind === 'unreadable') return skip({ reason: metrics.reason, value: metrics.value }, []);
  return planFor(facts, metrics, circumstances);
}

/** A plan for the annotated ports that nothing protects yet, or the reason why there is none. */
function planFor(facts: PodFacts, metrics: Metrics, circumstances: InjectionCircumstances): Injection {
  const wanted = portsToGuard(metrics, facts.proxies);
  const guards = wanted.map((port) => guardOf(port, metrics.paths, facts.proxies));
  const open = wanted.filter((_, index) => guards[index] === undefined);
  if (open.length === 0) return skip({ reason: 'already-protected', value: guards[0]?.container.name ?? '' }, []);
  if (metrics.tlsPort !== undefined) return skip({ reason: 'app-serves-tls', value: metrics.tlsPort }, []);
  const { ports, warnings } = chooseProxies(facts, open, wanted);
  if (ports === undefined) return skip({ reason: 'no-free-port' }, warnings);
  const injection = assemble({ facts, metrics, circumstances, ports });
  if (isTooMuch(facts.annotations, injection.plan)) {
    return skip({ reason: 'annotations-full', value: MOST_ANNOTATION_BYTES }, []);
  }
  return { ...injection, warnings: [...metrics.warnings, ...warnings, ...injection.warnings] };
}

/** True when Kubernetes takes the pod's annotations, and would refuse them with those of a plan. */
function isTooMuch(annotations: JsonObject, plan: Plan): boolean {
  return isAcceptable(annotations) && !isAcceptable({ ...annotations, ...plan.annotations });
}

/** Everything that a plan follows from. */
interface Scene {
  readonly facts: PodFacts;
  readonly metrics: Metrics;
  readonly circumstances: InjectionCircumstances;
  readonly ports: readonly ProxiedPort[];
}

function assemble(scene: Scene): Planned {
  const { facts, metrics, circumstances, ports } = scene;
  const { injection, namespaceLabels } = circumstances;
  const spec = asObject(facts.pod['spec']);
  const istio = istioMerging(facts, metrics.ports, namespaceLabels);
  const { resources, warnings } = proxyResources(spec, facts.annotations, injection, ports.length);
  const token = ownTokenVolume(spec, injection);
  const isNative = isEnding(spec);
  const containers = sidecars(scene, { resources, isNative, tokenVolume: token });
  const plan: Plan = {
    ports,
    containers: isNative ? NONE : containers,
    initContainers: isNative ? containers : NONE,
    volumes: token === undefined ? NONE : [tokenVolume(token)],
    imagePullSecrets: missingPullSecrets(spec, injection),
    annotations: plannedAnnotations(facts.annotations, {
      scrape: metrics.scrape,
      image: injection.image,
      ports,
      keepsIstioOut: istio.isToBePrevented,
    }),
  };
  return { kind: 'plan', plan, warnings: [...warnings, ...istio.warnings, ...nodeWide(scene)] };
}

const NONE: readonly never[] = [];

function sidecars(
  { facts, metrics, circumstances, ports }: Scene,
  shared: Pick<Sidecar, 'resources' | 'isNative' | 'tokenVolume'>,
): readonly JsonObject[] {
  const { resources, isNative, tokenVolume: volume } = shared;
  const onHostNetwork = isHostNetwork(facts.pod);
  return ports.map((proxied, index) => {
    const sidecar: Sidecar = {
      proxied,
      portName: freePortName(facts, proxied, index),
      paths: metrics.paths,
      resources,
      isNative,
      isHostNetwork: onHostNetwork,
      tokenVolume: volume,
    };
    return proxyContainer(sidecar, circumstances.injection);
  });
}

/** True for a pod that is to end: a container beside its own would keep it running, a native sidecar does not. */
function isEnding({ restartPolicy }: JsonObject): boolean {
  return restartPolicy === 'Never' || restartPolicy === 'OnFailure';
}

/** The name of the volume with the proxy's own token; undefined where Kubernetes mounts the pod's. */
function ownTokenVolume(spec: JsonObject, { tokenVolume: when }: InjectionPolicy): string | undefined {
  if (when === 'auto' && spec['automountServiceAccountToken'] !== false) return undefined;
  const taken = new Set(asList(spec['volumes']).map((volume) => asString(asObject(volume)['name']) ?? ''));
  return freeName(TOKEN_VOLUME, taken);
}

const TOKEN_VOLUME = 'kube-rbac-proxy-token';

function missingPullSecrets(spec: JsonObject, { imagePullSecrets }: InjectionPolicy): readonly JsonObject[] {
  if (imagePullSecrets.length === 0) return [];
  const present = new Set(asList(spec['imagePullSecrets']).map((secret) => asObject(secret)['name']));
  return [...new Set(imagePullSecrets)].filter((name) => !present.has(name)).map((name) => ({ name }));
}

function nodeWide({ facts, metrics }: Scene): readonly Warning[] {
  return isHostNetwork(facts.pod) ? metrics.ports.map((value) => ({ code: 'node-wide-port', value })) : [];
}
