import { portNumber, protocolOf, resolvePort } from '../kube/ports.ts';
import { containersOf, portsOfContainer, type Container } from '../kube/pods.ts';
import { networkHandlersOf } from '../kube/probes.ts';
import { rbacProxiesOf, runsThroughout } from '../kube/rbac-proxy.ts';
import type { JsonObject } from '../kube/json.ts';

/** A port that a container of a running pod declares. */
export interface DeclaredPort {
  readonly port: number;
  readonly name: unknown;
  readonly protocol: string;
}

/** The containers that run beside each other: applications first, as a Service looks a port's name up, then native sidecars. */
export function runningContainers(pod: JsonObject): readonly Container[] {
  const running = containersOf(pod).filter(runsThroughout);
  return [
    ...running.filter(({ list }) => list === 'containers'),
    ...running.filter(({ list }) => list !== 'containers'),
  ];
}

/** Every port that they declare, in that order. */
export function declaredPorts(running: readonly Container[]): readonly DeclaredPort[] {
  return running.flatMap((container) =>
    [...portsOfContainer(container)].flatMap(({ spec }) => {
      const port = portNumber(spec['containerPort']);
      return port === undefined ? [] : [{ port, name: spec['name'], protocol: protocolOf(spec) }];
    }),
  );
}

/** The ports that something in the pod listens on, or that the kubelet is told to call, as far as the pod says. */
export function usedPorts(running: readonly Container[]): Set<number> {
  const used = new Set<number>();
  const use = (port: number | undefined): void => {
    if (port !== undefined) used.add(port);
  };
  for (const container of running) {
    for (const { spec } of portsOfContainer(container)) {
      use(portNumber(spec['containerPort']));
      use(portNumber(spec['hostPort']));
    }
    for (const { spec } of networkHandlersOf(container)) use(resolvePort(spec['port'], container));
    for (const { listenPort } of rbacProxiesOf(container)) use(listenPort);
  }
  return used;
}
