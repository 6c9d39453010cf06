import type { JsonObject } from '../kube/json.ts';
import type { Container } from '../kube/pods.ts';
import { HIGHEST_PORT, SETTINGS, readSetting } from './annotations.ts';
import type { DeclaredPort } from './pod-ports.ts';
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

/** Chooses the port and the container's name of every proxy; the annotated port is the first one's. */
export function chooseProxies(
  metricsPorts: readonly number[],
  used: ReadonlySet<number>,
  containers: readonly Container[],
  annotations: JsonObject,
): Choices {
  const taken = new Set([...used, ...metricsPorts]);
  const { port: asked, warnings } = askedPort(annotations, taken);
  const names = freeNames(PROXY_NAME, new Set(containers.map(({ name }) => name)));
  const chosen: ProxiedPort[] = [];
  for (const [index, port] of metricsPorts.entries()) {
    const proxyPort = index === 0 && asked !== undefined ? asked : freePort(taken);
    if (proxyPort === undefined) return { ports: undefined, warnings };
    taken.add(proxyPort);
    chosen.push({ port, proxyPort, container: names.next().value });
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

/** `name`, `name-2`, `name-3`, ... as far as they are free. */
export function* freeNames(name: string, taken: ReadonlySet<string>): Generator<string, never> {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!taken.has(candidate)) yield candidate;
  }
}

const PORT_NAME = 'https-metrics';

/** A name for a proxy's port that no other port has; undefined when the two that are tried are taken. */
export function freePortName(
  declared: readonly DeclaredPort[],
  { proxyPort }: ProxiedPort,
  index: number,
): string | undefined {
  const candidates = index === 0 ? [PORT_NAME, `https-${proxyPort}`] : [`https-${proxyPort}`];
  return candidates.find((candidate) => !declared.some(({ name }) => name === candidate));
}
