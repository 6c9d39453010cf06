import { textsIn } from '../kube/environment.ts';
import type { JsonObject } from '../kube/json.ts';
import { keepLast } from '../kube/keep-last.ts';
import { containersOf, portsOfContainer, type Container } from '../kube/pods.ts';
import { portNumber, protocolOf, resolvePort } from '../kube/ports.ts';
import { networkHandlersOf } from '../kube/probes.ts';
import { rbacProxiesOf, runsThroughout, type RbacProxy } from '../kube/rbac-proxy.ts';
import { annotationsOf } from './annotations.ts';

/** A port that a container of a running pod declares. */
export interface DeclaredPort {
  readonly port: number;
  readonly name: unknown;
  readonly protocol: string;
}

/** What a pod is asked about several times while it is judged. */
export interface PodFacts {
  readonly pod: JsonObject;
  readonly annotations: JsonObject;
  readonly containers: readonly Container[];
  /** Those that run beside each other: applications first, as a Service looks a port's name up, then native sidecars. */
  readonly running: readonly Container[];
  /** Every port that they declare, in that order. */
  readonly declared: readonly DeclaredPort[];
  readonly proxies: readonly RbacProxy[];
}

const facts = keepLast<PodFacts>();

/** Reads a pod, once for all who ask about it one after the other. Never throws, whatever it holds. */
export function factsOf(pod: JsonObject): PodFacts {
  return facts([pod], () => readFacts(pod));
}

function readFacts(pod: JsonObject): PodFacts {
  const containers = containersOf(pod);
  const running = containers.filter(runsThroughout).sort(applicationsFirst);
  const declared: DeclaredPort[] = [];
  for (const container of running) {
    for (const { spec } of portsOfContainer(container)) {
      const port = portNumber(spec['containerPort']);
      if (port !== undefined) declared.push({ port, name: spec['name'], protocol: protocolOf(spec) });
    }
  }
  return {
    pod,
    annotations: annotationsOf(pod),
    containers,
    running,
    declared,
    proxies: running.flatMap((container) => rbacProxiesOf(container)),
  };
}

function applicationsFirst(one: Container, other: Container): number {
  return Number(one.list !== 'containers') - Number(other.list !== 'containers');
}

/** A port as arguments and variables have it: `8443`, `:8443`, `--port=8443`, `http://0.0.0.0:8443/`. */
const WRITTEN_PORT = /(?:^|[:=,\s])([0-9]{4,5})(?![0-9.])/g;

/** Adds every number in a container's arguments and variables that could be a port on which it listens. */
function addWrittenPorts({ spec }: Container, used: Set<number>): void {
  // One text for all is searched at once: a line break stands for the beginning of each.
  for (const [, digits] of textsIn(spec).join('\n').matchAll(WRITTEN_PORT)) used.add(Number(digits));
}

/** The ports that something in the pod listens on, or that the kubelet is told to call, as far as the pod says. */
export function usedPorts({ running, declared, proxies }: PodFacts): Set<number> {
  const used = new Set<number>();
  const add = (port: number | undefined): void => {
    if (port !== undefined) used.add(port);
  };
  for (const { port } of declared) add(port);
  for (const { listenPort } of proxies) add(listenPort);
  for (const container of running) {
    for (const { spec } of portsOfContainer(container)) add(portNumber(spec['hostPort']));
    for (const { spec } of networkHandlersOf(container)) add(resolvePort(spec['port'], container));
    addWrittenPorts(container, used);
  }
  return used;
}
