import { asString, isObject, own, type JsonObject } from '../kube/json.ts';
import { portNumber } from '../kube/ports.ts';
import { scrapeAnnotationsIn, type ScrapeAnnotations } from '../kube/prometheus-annotations.ts';
import { HIGHEST_PORT, MOST_PORTS, SETTINGS, readSetting } from './annotations.ts';
import type { DeclaredPort } from './pod-facts.ts';
import type { SkipReason, Warning } from './reasons.ts';

/** Where a pod serves metrics by its annotations: ports and paths that a proxy can stand in front of. */
export interface Metrics {
  readonly kind: 'metrics';
  /** At least one, each once, in the order in which they are annotated. */
  readonly ports: readonly number[];
  /** Further ports to which `prometheus.io/port` sends Prometheus for as long as nothing rewrites it. */
  readonly strayPorts: readonly number[];
  readonly paths: readonly string[];
  /** The port that serves TLS by itself, by the scheme that is annotated. */
  readonly tlsPort: number | undefined;
  /** The annotations by which Prometheus finds the pod. */
  readonly scrape: ScrapeAnnotations;
  readonly warnings: readonly Warning[];
}

/** What the annotations say about metrics: nothing, something that nobody can act on, or where they are. */
export type MetricsReading =
  | Metrics
  | { readonly kind: 'none'; readonly reason: SkipReason; readonly warnings: readonly Warning[] }
  | Unreadable;

/** An annotation about metrics with a value that it cannot have. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly reason: SkipReason;
  readonly value: string | number;
}

/** A longer list of ports repeats itself. */
const LONGEST_PORTS = 256;

/** Longer paths are left alone: matching one with a pattern takes its length for every character of the pattern. */
const LONGEST_PATH = 64;

/** Nobody has more paths than this, and a proxy's patterns are held against each of them. */
const MOST_PATHS = 4;

const KUBELET_READ_ONLY_PORT = 10_255;

/**
 * Where a pod serves metrics by these annotations, which need not be the ones that it has now. `scrapeguard.io/metrics-port`
 * counts by itself; `prometheus.io/port` where the pod is scraped, or asks for injection.
 */
export function readMetrics(annotations: JsonObject, declared: readonly DeclaredPort[]): MetricsReading {
  const scrape = scrapeAnnotationsIn(annotations);
  const stated = textOf(annotations, SETTINGS.metricsPort.key);
  const texts = stated.length > 0 ? stated : valuesOf(scrape, 'port');
  const none = reasonForNone(texts, isScraped(scrape), stated.length > 0 || isAskedFor(annotations));
  if (none !== undefined) return none;
  const index = indexOf(declared);
  const ports = portsIn(texts, index);
  if (isUnreadable(ports)) return ports;
  const written = [...textOf(annotations, SETTINGS.metricsPath.key), ...valuesOf(scrape, 'path')];
  const paths = pathsIn(written);
  if (isUnreadable(paths)) return paths;
  const scraped = portsIn(valuesOf(scrape, 'port'), index);
  const tlsPort = tlsPortOf(scrape, ports, isUnreadable(scraped) ? [] : scraped);
  if (isUnreadable(tlsPort)) return tlsPort;
  const isStray = isScraped(scrape) && !isTls(scrape) && !isUnreadable(scraped);
  const strayPorts = isStray ? scraped.filter((port) => !ports.includes(port)) : [];
  const warnings = [...queryWarnings(written), ...undeclaredWarnings(ports, index)];
  return { kind: 'metrics', ports, strayPorts, paths, tlsPort, scrape, warnings };
}

/** True when the annotations let Prometheus find the pod, at whatever interval. */
export function isScraped(scrape: ScrapeAnnotations): boolean {
  return [...scrape.scrape, ...scrape['scrape-slow']].some(({ value }) => value === 'true');
}

function reasonForNone(texts: readonly string[], scraped: boolean, isWanted: boolean): MetricsReading | undefined {
  if (texts.length > 0) return scraped || isWanted ? undefined : { kind: 'none', reason: 'not-scraped', warnings: [] };
  const warnings: Warning[] = scraped ? [{ code: 'scraped-without-port' }] : [];
  return { kind: 'none', reason: 'no-metrics-port', warnings };
}

function isAskedFor(annotations: JsonObject): boolean {
  const asked = readSetting(annotations, SETTINGS.inject);
  return asked.kind === 'value' && asked.value;
}

function isUnreadable(reading: unknown): reading is Unreadable {
  return isObject(reading) && reading['kind'] === 'unreadable';
}

function unreadable(reason: SkipReason, value: string | number): Unreadable {
  return { kind: 'unreadable', reason, value };
}

/** The values of a setting in all its spellings; Prometheus passes over an empty one. */
function valuesOf(scrape: ScrapeAnnotations, setting: 'port' | 'path'): readonly string[] {
  return scrape[setting].flatMap(({ value }) => (value === '' ? [] : [value]));
}

function textOf(annotations: JsonObject, key: string): readonly string[] {
  const text = asString(own(annotations, key));
  return text === undefined ? [] : [text];
}

/** The declared ports as they are looked up: a list of ports may name each of thousands. */
interface PortIndex {
  /** The first port of each name. */
  readonly byName: ReadonlyMap<unknown, number>;
  /** Whether each port is declared for TCP at least once. */
  readonly isTcp: ReadonlyMap<number, boolean>;
}

function indexOf(declared: readonly DeclaredPort[]): PortIndex {
  const byName = new Map<unknown, number>();
  const isTcp = new Map<number, boolean>();
  for (const { port, name, protocol } of declared) {
    if (name !== undefined && !byName.has(name)) byName.set(name, port);
    isTcp.set(port, protocol === 'TCP' || isTcp.get(port) === true);
  }
  return { byName, isTcp };
}

/** The ports that the texts name, each once. */
function portsIn(texts: readonly string[], index: PortIndex): readonly number[] | Unreadable {
  const ports = new Set<number>();
  for (const text of texts) {
    if (text.length > LONGEST_PORTS) return unreadable('invalid-port', text);
    for (const item of text.split(',')) {
      const port = portOf(item.trim(), index);
      if (typeof port !== 'number') return port;
      ports.add(port);
    }
  }
  return ports.size > MOST_PORTS ? unreadable('too-many-ports', ports.size) : [...ports];
}

const PORT_NAME = /^(?=.*[a-z])[a-z0-9-]{1,15}$/i;

function portOf(text: string, { byName, isTcp }: PortIndex): number | Unreadable {
  const isName = PORT_NAME.test(text);
  const port = isName ? byName.get(text) : portNumber(text);
  if (port === undefined) return unreadable(isName ? 'unknown-port-name' : 'invalid-port', text);
  if (port < 1 || port > HIGHEST_PORT) return unreadable('invalid-port', text);
  if (port === KUBELET_READ_ONLY_PORT) return unreadable('kubelet-port', port);
  return isTcp.get(port) === false ? unreadable('not-tcp', port) : port;
}

const DEFAULT_PATH = '/metrics';

/**
 * A path that means the same in a list with commas, as a pattern of Go's path.Match, as an argument in which `$(NAME)` is
 * replaced, and as a request.
 */
const PLAIN_PATH = /^\/(?:[A-Za-z0-9._~!&'()+;=:@-]+(?:\/[A-Za-z0-9._~!&'()+;=:@-]+)*\/?)?$/;

const DOT_SEGMENT = /\/\.\.?(?:\/|$)/;

/** The paths that the texts name, each once and without a query; the usual one where there is no text. */
function pathsIn(texts: readonly string[]): readonly string[] | Unreadable {
  const paths = new Set<string>();
  for (const text of texts) {
    const path = withoutQuery(text);
    paths.add(path);
    if (path.length > LONGEST_PATH || paths.size > MOST_PATHS || !PLAIN_PATH.test(path) || DOT_SEGMENT.test(path)) {
      return unreadable('invalid-path', text);
    }
  }
  return paths.size === 0 ? [DEFAULT_PATH] : [...paths];
}

function withoutQuery(text: string): string {
  const mark = text.indexOf('?');
  return mark < 0 ? text : text.slice(0, mark);
}

function queryWarnings(texts: readonly string[]): readonly Warning[] {
  return texts.filter((text) => text.includes('?')).map((value) => ({ code: 'path-query', value }));
}

function undeclaredWarnings(ports: readonly number[], { isTcp }: PortIndex): readonly Warning[] {
  return ports.filter((port) => !isTcp.has(port)).map((value) => ({ code: 'port-not-declared', value }));
}

/** A scheme is kept as it was when it is replaced; nobody has one this long. */
const LONGEST_SCHEME = 64;

/** The annotated port to which `prometheus.io/scheme: https` belongs: that of `prometheus.io/port`, else the first. */
function tlsPortOf(
  scrape: ScrapeAnnotations,
  ports: readonly number[],
  scraped: readonly number[],
): number | undefined | Unreadable {
  const long = scrape.scheme.find(({ value }) => value.length > LONGEST_SCHEME);
  if (long !== undefined) return unreadable('invalid-scheme', long.value);
  if (!isTls(scrape)) return undefined;
  const [first] = scraped.length === 0 ? ports : scraped;
  return ports.find((port) => port === first);
}

function isTls({ scheme }: ScrapeAnnotations): boolean {
  return scheme.some(({ value }) => value === 'https');
}
