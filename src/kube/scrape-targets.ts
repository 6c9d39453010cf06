import { asList, asObject, asString, isObject, type JsonObject } from './json.ts';
import type { JsonPointer } from './pointer.ts';
import { portNumber } from './ports.ts';

/** One place in an object of prometheus-operator that says what is scraped: a port's number, or a text with an address. */
export interface ScrapeTarget {
  readonly value: number | string;
  readonly path: JsonPointer;
}

/** Where each kind of monitor lists its endpoints (monitoring.coreos.com/v1). */
const ENDPOINT_LISTS: ReadonlyMap<unknown, string> = new Map([
  ['ServiceMonitor', 'endpoints'],
  ['PodMonitor', 'podMetricsEndpoints'],
]);

/** The fields in which an endpoint may give its port by number; by name it belongs to a Service or a pod. */
const PORT_FIELDS = ['port', 'targetPort', 'portNumber'] as const;

/**
 * Everything in a ServiceMonitor, a PodMonitor or a ScrapeConfig that says which port is scraped: ports by number, static
 * targets, ports of service discovery, parameters, and relabelings that write a label of Prometheus' own. A metric's
 * relabelings come after the scrape and are left out.
 */
export function* scrapeTargetsOf(object: JsonObject): Generator<ScrapeTarget> {
  const spec = asObject(object['spec']);
  const list = ENDPOINT_LISTS.get(object['kind']);
  if (list === undefined) {
    yield* sharedTargets(spec, '/spec');
    yield* staticTargets(spec);
    yield* discoveryPorts(spec);
    return;
  }
  for (const [index, endpoint] of asList(spec[list]).entries()) {
    const path = `/spec/${list}/${index}`;
    yield* endpointPorts(asObject(endpoint), path);
    yield* sharedTargets(asObject(endpoint), path);
  }
}

function* endpointPorts(endpoint: JsonObject, path: JsonPointer): Generator<ScrapeTarget> {
  for (const field of PORT_FIELDS) {
    const value = portNumber(endpoint[field]);
    if (value !== undefined) yield { value, path: `${path}/${field}` };
  }
}

/** What every kind of scrape has: `relabelings`, and the `params` by which an exporter is told what to ask. */
function* sharedTargets(scrape: JsonObject, path: JsonPointer): Generator<ScrapeTarget> {
  for (const [index, relabeling] of asList(scrape['relabelings']).map(asObject).entries()) {
    const value = asString(relabeling['replacement']);
    if (value === undefined || !writesTarget(relabeling)) continue;
    yield { value, path: `${path}/relabelings/${index}/replacement` };
  }
  yield* textsIn(asObject(scrape['params'])['target'], `${path}/params/target`);
}

/** True when a relabeling writes a label such as `__address__`: others only name what was scraped. */
function writesTarget({ action, targetLabel }: JsonObject): boolean {
  const replaces = asString(action) === undefined || asString(action)?.toLowerCase() === 'replace';
  return replaces && asString(targetLabel)?.startsWith('__') === true;
}

function* staticTargets(spec: JsonObject): Generator<ScrapeTarget> {
  for (const [index, config] of asList(spec['staticConfigs']).entries()) {
    yield* textsIn(asObject(config)['targets'], `/spec/staticConfigs/${index}/targets`);
  }
}

/** The port that discovered addresses are given: `dnsSDConfigs[].port`, `ec2SDConfigs[].port`, ... */
function* discoveryPorts(spec: JsonObject): Generator<ScrapeTarget> {
  for (const [field, configs] of Object.entries(spec)) {
    if (!field.endsWith('SDConfigs')) continue;
    for (const [index, config] of asList(configs).entries()) {
      const value = isObject(config) ? portNumber(config['port']) : undefined;
      if (value !== undefined) yield { value, path: `/spec/${field}/${index}/port` };
    }
  }
}

function* textsIn(list: unknown, path: JsonPointer): Generator<ScrapeTarget> {
  for (const [index, value] of asList(list).entries()) {
    if (typeof value === 'string') yield { value, path: `${path}/${index}` };
  }
}
