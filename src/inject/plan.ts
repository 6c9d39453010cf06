import { asList, asObject, asString, type JsonObject } from '../kube/json.ts';
import { containersOf, isHostNetwork, type Container } from '../kube/pods.ts';
import { rbacProxiesOf } from '../kube/rbac-proxy.ts';
import type { InjectionPolicy } from '../policy/document.ts';
import { plannedAnnotations } from './annotate.ts';
import { SETTINGS, annotationsOf, readSetting } from './annotations.ts';
import { chooseProxies, freeNames, freePortName } from './choices.ts';
import { refusalOfPod, refusalOfScope, type InjectionCircumstances, type Refusal } from './eligibility.ts';
import { istioMerging } from './istio.ts';
import { readMetrics, type Metrics } from './metrics.ts';
import { declaredPorts, runningContainers, usedPorts } from './pod-ports.ts';
import type { SkipReason, Warning } from './reasons.ts';
import { isProtecting, recogniseInjected } from './recognise.ts';
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

/** What is to become of a pod: a plan, or the reason why there is none; warnings are for whoever wrote the pod. */
export type Injection =
  | { readonly kind: 'plan'; readonly plan: Plan; readonly warnings: readonly Warning[] }
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
  const policy = circumstances.injection;
  const warnings = inviteWarnings(annotations);
  const injected = recogniseInjected(pod, annotations, policy);
  if (injected !== undefined) return skip(injected, warnings);
  const running = runningContainers(pod);
  const metrics = readMetrics(annotations, running);
  if (metrics.kind === 'none') return skip({ reason: metrics.reason }, [...warnings, ...metrics.warnings]);
  const impossible = refusalOfPod(pod, policy);
  if (impossible !== undefined) return skip(impossible, warnings);
  if (metrics.kind === 'unreadable') return skip({ reason: metrics.reason, value: metrics.value }, warnings);
  const injection = planFor({ pod, annotations, running, metrics, circumstances });
  return { ...injection, warnings: [...warnings, ...injection.warnings] };
}

function skip({ reason, value }: Refusal, warnings: readonly Warning[]): Injection {
  return value === undefined ? { kind: 'skip', reason, warnings } : { kind: 'skip', reason, value, warnings };
}

function inviteWarnings(annotations: JsonObject): readonly Warning[] {
  const asked = readSetting(annotations, SETTINGS.inject);
  return asked.kind === 'invalid' ? [{ code: 'invalid-inject', value: asked.text }] : [];
}

/** What a plan is made of. */
interface Scene {
  readonly pod: JsonObject;
  readonly annotations: JsonObject;
  readonly running: readonly Container[];
  readonly metrics: Metrics;
  readonly circumstances: InjectionCircumstances;
}

/** A plan for the annotated ports that nothing protects yet, or the reason why there is none. */
function planFor(scene: Scene): Injection {
  const { annotations, running, metrics, pod } = scene;
  const proxies = running.flatMap(rbacProxiesOf);
  const guards = metrics.ports.map((port) => proxies.find((proxy) => isProtecting(proxy, port, metrics.paths)));
  const open = metrics.ports.filter((_, index) => guards[index] === undefined);
  if (open.length === 0) return skip({ reason: 'already-protected', value: guards[0]?.container.name ?? '' }, []);
  if (metrics.tlsPort !== undefined) return skip({ reason: 'app-serves-tls', value: metrics.tlsPort }, []);
  const used = new Set([...usedPorts(running), ...metrics.ports]);
  const { ports, warnings } = chooseProxies(open, used, containersOf(pod), annotations);
  if (ports === undefined) return skip({ reason: 'no-free-port' }, warnings);
  return assemble(scene, ports, [...metrics.warnings, ...warnings]);
}

function assemble(scene: Scene, ports: readonly ProxiedPort[], warnings: readonly Warning[]): Injection {
  const { pod, annotations, running, circumstances } = scene;
  const { injection, namespaceLabels } = circumstances;
  const spec = asObject(pod['spec']);
  const istio = istioMerging(pod, annotations, running, { ports: scene.metrics.ports, namespaceLabels });
  const { resources, warnings: resourceWarnings } = proxyResources(spec, annotations, injection, ports.length);
  const token = ownTokenVolume(spec, injection);
  const isNative = isEnding(spec);
  const containers = sidecars(scene, ports, { resources, isNative, tokenVolume: token });
  const plan: Plan = {
    ports,
    containers: isNative ? [] : containers,
    initContainers: isNative ? containers : [],
    volumes: token === undefined ? [] : [tokenVolume(token)],
    imagePullSecrets: missingPullSecrets(spec, injection),
    annotations: plannedAnnotations(annotations, {
      image: injection.image,
      ports,
      keepsIstioOut: istio.isToBePrevented,
    }),
  };
  return { kind: 'plan', plan, warnings: [...warnings, ...resourceWarnings, ...istio.warnings, ...nodeWide(scene)] };
}

function sidecars(
  { pod, running, metrics, circumstances }: Scene,
  ports: readonly ProxiedPort[],
  shared: Pick<Sidecar, 'resources' | 'isNative' | 'tokenVolume'>,
): readonly JsonObject[] {
  const declared = declaredPorts(running);
  return ports.map((proxied, index) => {
    const portName = freePortName(declared, proxied, index);
    const sidecar = { ...shared, proxied, portName, paths: metrics.paths, isHostNetwork: isHostNetwork(pod) };
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
  return freeNames(TOKEN_VOLUME, taken).next().value;
}

const TOKEN_VOLUME = 'kube-rbac-proxy-token';

function missingPullSecrets(spec: JsonObject, { imagePullSecrets }: InjectionPolicy): readonly JsonObject[] {
  if (imagePullSecrets.length === 0) return [];
  const present = new Set(asList(spec['imagePullSecrets']).map((secret) => asObject(secret)['name']));
  return [...new Set(imagePullSecrets)].filter((name) => !present.has(name)).map((name) => ({ name }));
}

function nodeWide({ pod, metrics }: Scene): readonly Warning[] {
  return isHostNetwork(pod) ? metrics.ports.map((value) => ({ code: 'node-wide-port', value })) : [];
}
