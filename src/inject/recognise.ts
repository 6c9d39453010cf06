import { asObject, own, type JsonObject } from '../kube/json.ts';
import { keepLast } from '../kube/keep-last.ts';
import type { Container } from '../kube/pods.ts';
import { escapeToken, type JsonPointer } from '../kube/pointer.ts';
import { listItemsOf } from '../kube/flags.ts';
import { scrapeAnnotationsIn } from '../kube/prometheus-annotations.ts';
import { isGuarding, type RbacProxy } from '../kube/rbac-proxy.ts';
import type { InjectionPolicy } from '../policy/document.ts';
import { alterationsOf, type Alteration } from './alterations.ts';
import { scrapedAt } from './annotate.ts';
import { RECORDS } from './annotations.ts';
import type { Refusal } from './eligibility.ts';
import { readMetrics, type Metrics, type MetricsReading } from './metrics.ts';
import { factsOf, type PodFacts } from './pod-facts.ts';
import { readStatus, restoreOriginal, type ProxiedPort, type Status } from './record.ts';
import { proxyArguments } from './sidecar.ts';

/** A proxy that the pod's own record names. */
export interface InjectedProxy {
  readonly proxied: ProxiedPort;
  /** Undefined when no running container has the name. */
  readonly container: Container | undefined;
  /** What of it is not as it was injected. */
  readonly alterations: readonly Alteration[];
}

/** One annotated metrics port and what stands in front of it. */
export interface PortProtection {
  readonly port: number;
  /** `injected`: our proxy, unaltered; `other`: another kube-rbac-proxy that guards the metrics, an altered one of ours included. */
  readonly by: 'injected' | 'other' | 'nobody';
  readonly container: Container | undefined;
}

/** How the metrics of a pod are protected, as it stands. */
export interface Recognition {
  /** What its annotations say about metrics; where the pod was injected, what they said before. */
  readonly metrics: MetricsReading;
  readonly ports: readonly PortProtection[];
  /** Whether what `scrapeguard.io/status` says is so. */
  readonly status: 'absent' | 'truthful' | 'false';
  readonly injected: readonly InjectedProxy[];
  /** Annotations that send Prometheus elsewhere than to the proxy, by their places. */
  readonly diverted: readonly JsonPointer[];
}

const recognitions = keepLast<Recognition>();

/**
 * Says of every annotated metrics port of a pod who protects it, and what became of the proxies that were injected: once
 * for all rules that ask about it one after the other.
 */
export function recogniseProxies(pod: JsonObject, policy: InjectionPolicy): Recognition {
  return recognitions([pod, policy], () => recognise(factsOf(pod), policy));
}

function recognise(facts: PodFacts, policy: InjectionPolicy): Recognition {
  const { pod, annotations, running, declared } = facts;
  const record = readRecord(facts);
  const metrics = readMetrics(record?.restored ?? annotations, declared);
  const expected = {
    image: record?.status.image ?? '',
    paths: metrics.kind === 'metrics' ? metrics.paths : [],
    mountsToken: asObject(pod['spec'])['automountServiceAccountToken'] === false,
    policy,
  };
  const injected = (record?.status.ports ?? []).map((proxied) => inspect(proxied, running, expected));
  const diverted = record === undefined ? [] : divertedIn(annotations, record);
  const ports = protectedPorts(metrics, injected, facts);
  return {
    metrics,
    ports: diverted.length === 0 ? ports : [...ports, ...divertedPorts(facts, ports, injected)],
    status: statusOf(annotations, injected, ports),
    injected,
    diverted,
  };
}

/** Why nothing is to be injected where something was before; undefined where the pod bears no record that holds. */
export function recogniseInjected(facts: PodFacts, policy: InjectionPolicy): Refusal | undefined {
  if (own(facts.annotations, RECORDS.status.key) === undefined) return undefined;
  const { status, injected, ports, diverted } = recognise(facts, policy);
  if (injected.length === 0) return undefined;
  const altered = injected.find(({ container, alterations }) => container === undefined || alterations.length > 0);
  const isWhole = status === 'truthful' && diverted.length === 0 && ports.every(({ by }) => by !== 'nobody');
  if (altered === undefined && isWhole) return { reason: 'already-injected' };
  return { reason: 'proxy-altered', value: (altered ?? injected[0])?.proxied.container ?? '' };
}

/** The record of an injection, with the annotations as they were before it. */
interface InjectionRecord {
  readonly status: Status;
  readonly restored: JsonObject;
}

/** The pod's record where at least one of the containers that it names is a kube-rbac-proxy: else somebody made it up. */
function readRecord({ annotations, proxies }: PodFacts): InjectionRecord | undefined {
  const status = readStatus(annotations);
  const restored = status === undefined ? undefined : restoreOriginal(annotations);
  if (status === undefined || restored === undefined) return undefined;
  const names = new Set(status.ports.map(({ container }) => container));
  return proxies.some(({ container }) => names.has(container.name)) ? { status, restored } : undefined;
}

/** What a whole pod's proxies have in common. */
interface Expectation {
  readonly image: string;
  readonly paths: readonly string[];
  readonly mountsToken: boolean;
  readonly policy: InjectionPolicy;
}

function inspect(proxied: ProxiedPort, running: readonly Container[], expected: Expectation): InjectedProxy {
  const container = running.find(({ name }) => name === proxied.container);
  if (container === undefined) return { proxied, container, alterations: [] };
  const args = proxyArguments(proxied, expected.paths, expected.policy);
  const { image, mountsToken } = expected;
  return { proxied, container, alterations: alterationsOf(container, { proxied, args, image, mountsToken }) };
}

function protectedPorts(
  metrics: MetricsReading,
  injected: readonly InjectedProxy[],
  { proxies }: PodFacts,
): readonly PortProtection[] {
  if (metrics.kind !== 'metrics') return [];
  const ours = new Set(injected.map(({ proxied }) => proxied.container));
  const foreign = proxies.filter(({ container }) => !ours.has(container.name));
  return portsToGuard(metrics, foreign).map((port) => protectionOf(port, metrics.paths, injected, proxies));
}

/**
 * The ports that need a proxy: those that serve metrics and, where proxies of other people guard all of them already, so
 * that nothing rewrites `prometheus.io/port`, those to which it sends Prometheus as well.
 */
export function portsToGuard(metrics: Metrics, foreign: readonly RbacProxy[]): readonly number[] {
  const { ports, strayPorts, paths } = metrics;
  const isLeftAlone = strayPorts.length > 0 && ports.every((port) => guardOf(port, paths, foreign) !== undefined);
  return isLeftAlone ? [...ports, ...strayPorts] : ports;
}

function protectionOf(
  port: number,
  paths: readonly string[],
  injected: readonly InjectedProxy[],
  others: readonly RbacProxy[],
): PortProtection {
  const ours = injected.find(({ proxied, alterations }) => proxied.port === port && alterations.length === 0);
  if (ours?.container !== undefined) return { port, by: 'injected', container: ours.container };
  const other = guardOf(port, paths, others);
  return { port, by: other === undefined ? 'nobody' : 'other', container: other?.container };
}

/** Nobody puts more proxies in front of one port, and each of them may have to be held against each path. */
const MOST_GUARDS = 2;

/** The first proxy that asks about every request for these paths, and has the port behind it or as its own. */
export function guardOf(port: number, paths: readonly string[], proxies: readonly RbacProxy[]): RbacProxy | undefined {
  const candidates: RbacProxy[] = [];
  for (const proxy of proxies) {
    if (proxy.upstreamPort === port || proxy.listenPort === port) candidates.push(proxy);
    if (candidates.length === MOST_GUARDS) break;
  }
  return candidates.find((proxy) => isAsking(proxy, paths));
}

/** Nobody lists more paths than this to be let through unasked. */
const LONGEST_IGNORE_PATHS = 256;

function isAsking(proxy: RbacProxy, paths: readonly string[]): boolean {
  const ignored = listItemsOf(proxy.command, 'ignore-paths').reduce((length, { value }) => length + value.length, 0);
  return ignored <= LONGEST_IGNORE_PATHS && paths.every((path) => isGuarding(proxy, path));
}

/** Annotations about where to scrape that no longer say what injection wrote, those that are gone among them. */
function divertedIn(annotations: JsonObject, { status, restored }: InjectionRecord): readonly JsonPointer[] {
  const written = scrapedAt(scrapeAnnotationsIn(restored), status.ports);
  const keys = Object.keys(written);
  if (keys.length === 0) return [];
  const { port, scheme } = scrapeAnnotationsIn(annotations);
  const changed = [...port, ...scheme].filter(({ key, value }) => own(written, key) !== value);
  const places = changed.map(({ key }) => `/metadata/annotations/${escapeToken(key)}`);
  return keys.every((key) => own(annotations, key) !== undefined) ? places : ['/metadata/annotations', ...places];
}

/** The ports that the annotations name now, besides those that are known and those of our proxies. */
function divertedPorts(
  facts: PodFacts,
  known: readonly PortProtection[],
  injected: readonly InjectedProxy[],
): readonly PortProtection[] {
  const listed = new Set([...known.map(({ port }) => port), ...injected.map(({ proxied }) => proxied.proxyPort)]);
  const named = protectedPorts(readMetrics(facts.annotations, facts.declared), [], facts);
  return named.filter(({ port }) => !listed.has(port));
}

function statusOf(
  annotations: JsonObject,
  injected: readonly InjectedProxy[],
  ports: readonly PortProtection[],
): Recognition['status'] {
  if (own(annotations, RECORDS.status.key) === undefined) return 'absent';
  const wanted = new Set(ports.map(({ port }) => port));
  const isTrue = injected.every(({ proxied, container }) => container !== undefined && wanted.has(proxied.port));
  return injected.length > 0 && isTrue ? 'truthful' : 'false';
}
