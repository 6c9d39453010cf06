import type { JsonObject } from '../kube/json.ts';
import { HIGHEST_PORT, SETTINGS, readSetting } from './annotations.ts';
import { usedPorts, type PodFacts } from './pod-facts.ts';
import type { Warning } from './reasons.ts';
import type { ProxiedPort } from './record.ts';
import { PROXY_NAME } from './sidecar.ts';

// Names and numbers that nothing else in the pod has.

/** The first port that is tried for a proxy. */
const FIRST_PROXY_PORT = 8443;

/** A proxy's port and container for every metrics port; undefined when no port is left. */
export interface Choices {
  readonly ports: readonly ProxiedPort[] | undefined;
  readonly warnings: readonly Warning[];
}

/**
 * Chooses the port and the container's name of a proxy for each open port; the annotated port is the first one's. No port
 * that serves metrics is taken, whether it is open or not.
 */
export function chooseProxies(facts: PodFacts, open: readonly number[], metricsPorts: readonly number[]): Choices {
  const taken = usedPorts(facts);
  for (const port of metricsPorts) taken.add(port);
  const { port: asked, warnings } = askedPort(facts.annotations, taken);
  const names = new Set(facts.containers.map(({ name }) => name));
  const chosen: ProxiedPort[] = [];
  for (const [index, port] of open.entries()) {
    const proxyPort = index === 0 && asked !== undefined ? asked : freePort(taken);
    if (proxyPort === undefined) return { ports: undefined, warnings };
    const container = freeName(PROXY_NAME, names);
    taken.add(proxyPort);
    names.add(container);
    chosen.push({ port, proxyPort, container });
  }
  return { ports: chosen, warnings };
}

function askedPort(
  annotations: JsonObject,
  taken: ReadonlySet<number>,
): { port: number | undefined; warnings: readonly Warning[] } {
  const reading = readSetting(annotations, SETTINGS.proxyPort);
  switch (reading.kind) {
    case 'absent':
      return { port: undefined, warnings: [] };
    case 'invalid':
      return { port: undefined, warnings: [{ code: 'invalid-proxy-port', value: reading.text }] };
    case 'value':
      if (!taken.has(reading.value)) return { port: reading.value, warnings: [] };
      return { port: undefined, warnings: [{ code: 'proxy-port-taken', value: reading.value }] };
  }
}

function freePort(taken: ReadonlySet<number>): number | undefined {
  for (let port = FIRST_PROXY_PORT; port <= HIGHEST_PORT; port += 1) {
    if (!taken.has(port)) return port;
  }
  return undefined;
}

/** The first of `name`, `name-2`, `name-3`, ... that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name}-${number}`;
  return free;
}

const PORT_NAME = 'https-metrics';

/** A name for a proxy's port that no other port has; undefined when those that are tried are taken. */
export function freePortName({ declared }: PodFacts, { proxyPort }: ProxiedPort, index: number): string | undefined {
  const candidates = index === 0 ? [PORT_NAME, `https-${proxyPort}`] : [`https-${proxyPort}`];
  return candidates.find((candidate) => !declared.some(({ name }) => name === candidate));
}
