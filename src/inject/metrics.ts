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

/** More paths than there are spellings that an API server accepts say nothing. */
const MOST_PATHS = 16;

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
  const ports = portsIn(texts, declared);
  if (isUnreadable(ports)) return ports;
  const written = [...textOf(annotations, SETTINGS.metricsPath.key), ...valuesOf(scrape, 'path')];
  const paths = pathsIn(written);
  if (isUnreadable(paths)) return paths;
  const tlsPort = tlsPortOf(scrape, ports, declared);
  if (isUnreadable(tlsPort)) return tlsPort;
  const warnings = [...queryWarnings(written), ...undeclaredWarnings(ports, declared)];
  return { kind: 'metrics', ports, paths, tlsPort, scrape, warnings };
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

/** The ports that the texts name, each once. */
function portsIn(texts: readonly string[], declared: readonly DeclaredPort[]): readonly number[] | Unreadable {
  const ports = new Set<number>();
  for (const text of texts) {
    if (text.length > LONGEST_PORTS) return unreadable('invalid-port', text);
    for (const item of text.split(',')) {
      const port = portOf(item.trim(), declared);
      if (typeof port !== 'number') return port;
      ports.add(port);
    }
  }
  return ports.size > MOST_PORTS ? unreadable('too-many-ports', ports.size) : [...ports];
}

const PORT_NAME = /^(?=.*[a-z])[a-z0-9-]{1,15}$/i;

function portOf(text: string, declared: readonly DeclaredPort[]): number | Unreadable {
  const isName = PORT_NAME.test(text);
  const port = isName ? declared.find(({ name }) => name === text)?.port : portNumber(text);
  if (port === undefined) return unreadable(isName ? 'unknown-port-name' : 'invalid-port', text);
  if (port < 1 || port > HIGHEST_PORT) return unreadable('invalid-port', text);
  if (port === KUBELET_READ_ONLY_PORT) return unreadable('kubelet-port', port);
  const declarations = declared.filter((each) => each.port === port);
  const isTcp = declarations.length === 0 || declarations.some(({ protocol }) => protocol === 'TCP');
  return isTcp ? port : unreadable('not-tcp', port);
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
    if (path.length > LONGEST_PATH || paths.size > MOST_PATHS || !PLAIN_PATH.test(path) || DOT_SEGMENT.test(path)) {
      return unreadable('invalid-path', text);
    }
    paths.add(path);
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

function undeclaredWarnings(ports: readonly number[], declared: readonly DeclaredPort[]): readonly Warning[] {
  const undeclared = ports.filter((port) => !declared.some((each) => each.port === port));
  return undeclared.map((value) => ({ code: 'port-not-declared', value }));
}

/** A scheme is kept as it was when it is replaced; nobody has one this long. */
const LONGEST_SCHEME = 64;

/** The annotated port to which `prometheus.io/scheme: https` belongs: that of `prometheus.io/port`, else the first. */
function tlsPortOf(
  scrape: ScrapeAnnotations,
  ports: readonly number[],
  declared: readonly DeclaredPort[],
): number | undefined | Unreadable {
  const long = scrape.scheme.find(({ value }) => value.length > LONGEST_SCHEME);
  if (long !== undefined) return unreadable('invalid-scheme', long.value);
  if (!scrape.scheme.some(({ value }) => value === 'https')) return undefined;
  const scraped = portsIn(valuesOf(scrape, 'port'), declared);
  const [first] = isUnreadable(scraped) || scraped.length === 0 ? ports : scraped;
  return ports.find((port) => port === first);
}
