import { parseQuantity } from '../kube/quantity.ts';
import { asObject, asString, own, type JsonObject } from '../kube/json.ts';
import { portNumber } from '../kube/ports.ts';
import { LABEL_PREFIX } from '../policy/scope.ts';

// Every annotation of a pod by which injection is steered, and the two that it writes: readers and the documentation
// page are made from these tables.

/** What everybody may know of an annotation: its key, the shape of its value, what holds without it, and what it does. */
export interface AnnotationFacts {
  readonly key: string;
  readonly type: string;
  readonly default: string;
  /** What it does, in a sentence for the documentation. */
  readonly sentence: string;
}

/** An annotation that people write: how its value is read; undefined for a value that it cannot have. */
export interface AnnotationSetting<Value> extends AnnotationFacts {
  parse(text: string): Value | undefined;
}

/** The annotations that people write. */
export const SETTINGS = {
  inject: {
    key: `${LABEL_PREFIX}inject`,
    type: '`"true"` or `"false"`',
    default: 'what the policy selects',
    sentence:
      '`"false"` keeps the proxy out. `"true"` asks for it although `prometheus.io/scrape` does not, in namespaces that the policy selects. Any other value counts as none.',
    parse: (text: string) => SWITCH.get(text),
  },
  metricsPort: {
    key: `${LABEL_PREFIX}metrics-port`,
    type: 'numbers, or names of declared ports, with commas between them',
    default: '`prometheus.io/port`',
    sentence: 'The ports that serve metrics; each gets a proxy of its own, eight at most.',
    parse: (text: string) => text,
  },
  metricsPath: {
    key: `${LABEL_PREFIX}metrics-path`,
    type: 'a path',
    default: '`prometheus.io/path`, else `/metrics`',
    sentence: 'A path that the proxy lets authorized scrapers ask for, besides the one in `prometheus.io/path`.',
    parse: (text: string) => text,
  },
  proxyPort: {
    key: `${LABEL_PREFIX}proxy-port`,
    type: 'a number from 1024 to 65535',
    default: '8443, or the next one that is free',
    sentence: 'The port on which the proxy listens, the first one where there are several.',
    parse: (text: string) => parseProxyPort(text),
  },
  cpuRequest: resourceSetting('cpu', 'request'),
  memoryRequest: resourceSetting('memory', 'request'),
  cpuLimit: resourceSetting('cpu', 'limit'),
  memoryLimit: resourceSetting('memory', 'limit'),
} as const satisfies Readonly<Record<string, AnnotationSetting<unknown>>>;

/** The annotations that injection writes, for people to read and for the next run to recognise its work. */
export const RECORDS = {
  status: {
    key: `${LABEL_PREFIX}status`,
    type: 'JSON',
    default: 'none',
    sentence:
      'What was injected: `version` of this record, `image`, and `ports` with the port, its proxy’s port and the container of each.',
  },
  original: {
    key: `${LABEL_PREFIX}original`,
    type: 'JSON',
    default: 'none',
    sentence: 'The annotations that were replaced, as they were before; `null` stands for one that was not there.',
  },
} as const satisfies Readonly<Record<string, AnnotationFacts>>;

const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

/** Below are the ports that a process without privileges may not open. */
const LOWEST_PROXY_PORT = 1024;

/** The highest port that there is. */
export const HIGHEST_PORT = 65_535;

/** How many ports of a pod get a proxy, each with CPU and memory of its own. */
export const MOST_PORTS = 8;

function parseProxyPort(text: string): number | undefined {
  const port = portNumber(text);
  return port === undefined || port < LOWEST_PROXY_PORT || port > HIGHEST_PORT ? undefined : port;
}

function resourceSetting(resource: 'cpu' | 'memory', bound: 'request' | 'limit'): AnnotationSetting<string> {
  return {
    key: `${LABEL_PREFIX}proxy-${resource}-${bound}`,
    type: 'a quantity',
    default: `\`injection.resources.${bound}s.${resource}\` of the policy`,
    sentence: `The proxy’s ${bound} of ${resource}; a request and a limit that contradict each other move to the one written here.`,
    parse: (text) => (text.length <= LONGEST_QUANTITY && parseQuantity(text) !== undefined ? text : undefined),
  };
}

/** No quantity that anybody writes is longer. */
const LONGEST_QUANTITY = 24;

/** The annotations of a pod, empty when it has none. */
export function annotationsOf(pod: JsonObject): JsonObject {
  return asObject(asObject(pod['metadata'])['annotations']);
}

/** How many bytes the keys and values of an object's annotations may have (apimachinery `TotalAnnotationSizeLimitB`). */
export const MOST_ANNOTATION_BYTES = 262_144;

/** True when Kubernetes takes these annotations. */
export function isAcceptable(annotations: JsonObject): boolean {
  let characters = 0;
  for (const key of Object.keys(annotations)) characters += key.length + (asString(annotations[key])?.length ?? 0);
  // A character of a string has three bytes at most.
  if (characters * 3 <= MOST_ANNOTATION_BYTES) return true;
  if (characters > MOST_ANNOTATION_BYTES) return false;
  const encoder = new TextEncoder();
  let bytes = 0;
  for (const text of Object.entries(annotations).flat()) bytes += encoder.encode(asString(text)).length;
  return bytes <= MOST_ANNOTATION_BYTES;
}

/** A setting as a pod writes it: absent, a value, or a text that it cannot be. */
export type Reading<Value> =
  | { readonly kind: 'absent' }
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'invalid'; readonly text: string };

const ABSENT = { kind: 'absent' } as const;

/** What the annotations say of a setting. */
export function readSetting<Value>(annotations: JsonObject, setting: AnnotationSetting<Value>): Reading<Value> {
  const text = asString(own(annotations, setting.key));
  if (text === undefined) return ABSENT;
  const value = setting.parse(text);
  return value === undefined ? { kind: 'invalid', text } : { kind: 'value', value };
}
