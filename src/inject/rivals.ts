import { asString } from '../kube/json.ts';
import { portsOfContainer, type Container } from '../kube/pods.ts';
import type { JsonPointer } from '../kube/pointer.ts';
import { portNumber, protocolOf } from '../kube/ports.ts';
import type { RbacProxy } from '../kube/rbac-proxy.ts';
import type { PodFacts } from './pod-facts.ts';

/** A container that shares something with a proxy that only the proxy may have, so that it can be taken for it. */
export interface Rival {
  readonly what: RivalKind;
  readonly proxy: RbacProxy;
  readonly container: Container;
  readonly path: JsonPointer;
}

type RivalKind = 'name' | 'port' | 'port-name';

/** The rivals of every kube-rbac-proxy that runs in a pod, whoever put it there: the first one in each respect. */
export function rivalsIn({ running, proxies }: PodFacts): readonly Rival[] {
  if (proxies.length === 0) return [];
  const holders = holdersIn(running);
  return proxies.flatMap((proxy) =>
    traitsOf(proxy).flatMap(([what, value]) => {
      const rival = holders.get(`${what} ${value}`)?.find(({ container }) => container.path !== proxy.container.path);
      return rival === undefined ? [] : [{ what, proxy, ...rival }];
    }),
  );
}

/** Who has something, and where. */
type Holder = Pick<Rival, 'container' | 'path'>;

/** What only the proxy may have: the name of its container, its port, and the name of its port. */
function traitsOf({ container, listenPort }: RbacProxy): readonly (readonly [RivalKind, string | number])[] {
  const ports = portsOfContainer(container)
    .map(({ spec }) => spec)
    .filter((spec) => protocolOf(spec) === 'TCP');
  const names = ports.filter(({ containerPort }) => portNumber(containerPort) === listenPort).map(({ name }) => name);
  const name = asString(names[0]);
  return [
    ['name', container.name],
    ...(listenPort === undefined ? [] : [['port', listenPort] as const]),
    ...(name === undefined ? [] : [['port-name', name] as const]),
  ];
}

/** The first two holders of every trait, one of whom is somebody else than the proxy. */
function holdersIn(running: readonly Container[]): ReadonlyMap<string, readonly Holder[]> {
  const holders = new Map<string, Holder[]>();
  const add = (key: string, holder: Holder): void => {
    const known = holders.get(key);
    if (known === undefined) holders.set(key, [holder]);
    else if (known.length < 2 && known[0]?.container.path !== holder.container.path) known.push(holder);
  };
  for (const container of running) {
    add(`name ${container.name}`, { container, path: `${container.path}/name` });
    for (const { spec, path } of portsOfContainer(container)) {
      const { containerPort, name } = spec;
      const isTcp = protocolOf(spec) === 'TCP';
      if (isTcp) add(`port ${portNumber(containerPort)}`, { container, path: `${path}/containerPort` });
      if (typeof name === 'string' && portNumber(containerPort) !== undefined) {
        add(`port-name ${name}`, { container, path: `${path}/name` });
      }
    }
  }
  return holders;
}
