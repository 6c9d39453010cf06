import type { JsonObject } from './json.ts';
import { portsOf, portsOfContainer, type Container } from './pods.ts';

/**
 * The number that a port field names, or undefined: an integer, or decimal digits in a string. Custom resources and
 * annotations accept the latter; the API server refuses it on its own kinds.
 */
export function portNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  if (typeof value === 'string' && /^[0-9]{1,5}$/.test(value)) return Number(value);
  return undefined;
}

/**
 * The number of a port that is given by number or by name: a probe's name is looked up in its own container
 * (k8s.io/kubernetes pkg/probe `ResolveContainerPort`). Undefined when nothing has that name.
 */
export function resolvePort(value: unknown, container: Container): number | undefined {
  const number = portNumber(value);
  if (number !== undefined || typeof value !== 'string') return number;
  for (const { spec } of portsOfContainer(container)) {
    if (spec['name'] === value) return portNumber(spec['containerPort']);
  }
  return undefined;
}

/** The number of a port that a pod declares under a name, first declaration first; undefined when it declares none. */
export function namedPort(pod: JsonObject, name: string): number | undefined {
  for (const { spec } of portsOf(pod)) {
    if (spec['name'] === name) return portNumber(spec['containerPort']);
  }
  return undefined;
}

/** The protocol of a port entry; TCP when absent, as the API server defaults it. */
export function protocolOf(port: JsonObject): string {
  return typeof port['protocol'] === 'string' ? port['protocol'] : 'TCP';
}
