import { asList, asString, isObject, own, type JsonObject } from '../kube/json.ts';
import { scrapeSettingOf } from '../kube/prometheus-annotations.ts';
import { HIGHEST_PORT, MOST_PORTS, RECORDS } from './annotations.ts';

// What injection writes down about itself: anybody can write the same by hand, so it is a claim until it is checked.

/** One metrics port with the proxy in front of it. */
export interface ProxiedPort {
  readonly port: number;
  readonly proxyPort: number;
  /** The name of the proxy's container. */
  readonly container: string;
}

/** The value of `scrapeguard.io/status`. */
export interface Status {
  readonly image: string;
  readonly ports: readonly ProxiedPort[];
}

/** The shape of the record; a later one that reads differently counts up. */
const RECORD_VERSION = 1;

/** Records of ours are shorter. */
const LONGEST_RECORD = 16_384;

/** Where Istio reads whether it may merge the application's metrics with its own. */
export const ISTIO_MERGE_KEY = 'prometheus.istio.io/merge-metrics';

/** The value of `scrapeguard.io/status` for what is injected. */
export function writeStatus({ image, ports }: Status): string {
  return JSON.stringify({ version: RECORD_VERSION, image, ports });
}

/** What `scrapeguard.io/status` claims; undefined when it is absent or not as we write it. */
export function readStatus(annotations: JsonObject): Status | undefined {
  const record = readJson(asString(own(annotations, RECORDS.status.key)));
  if (record?.['version'] !== RECORD_VERSION) return undefined;
  const image = asString(record['image']);
  const items = asList(record['ports']);
  const ports = items.flatMap((item) => asProxiedPort(item) ?? []);
  const isReadable =
    image !== undefined && ports.length > 0 && ports.length === items.length && items.length <= MOST_PORTS;
  return isReadable ? { image, ports } : undefined;
}

function asProxiedPort(value: unknown): ProxiedPort | undefined {
  if (!isObject(value)) return undefined;
  const { port, proxyPort, container } = value;
  return isPort(port) && isPort(proxyPort) && typeof container === 'string'
    ? { port, proxyPort, container }
    : undefined;
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= HIGHEST_PORT;
}

/**
 * The annotations as they were before those that `scrapeguard.io/original` lists were replaced; undefined when it is
 * absent or lists anything that injection does not replace.
 */
export function restoreOriginal(annotations: JsonObject): JsonObject | undefined {
  const original = readJson(asString(own(annotations, RECORDS.original.key)));
  if (original === undefined) return undefined;
  const restored: Record<string, unknown> = { ...annotations };
  for (const [key, value] of Object.entries(original)) {
    if (!isReplaceable(key) || (typeof value !== 'string' && value !== null)) return undefined;
    if (value === null) delete restored[key];
    else restored[key] = value;
  }
  return restored;
}

/** True for an annotation that injection replaces: how to scrape the pod, in whatever spelling, and Istio's merging. */
function isReplaceable(key: string): boolean {
  const setting = scrapeSettingOf(key);
  return setting === 'port' || setting === 'scheme' || key === ISTIO_MERGE_KEY;
}

function readJson(text: string | undefined): JsonObject | undefined {
  if (text === undefined || text.length > LONGEST_RECORD || !text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
