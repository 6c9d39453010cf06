import { asObject, asString, isObject, type JsonObject } from './json.ts';
import type { Container } from './pods.ts';
import type { JsonPointer } from './pointer.ts';

/** Something the kubelet calls by the network on behalf of a container: a probe's or a lifecycle hook's handler. */
export interface NetworkHandler {
  readonly container: Container;
  /** Where it stands in the container: 'livenessProbe', 'lifecycle/preStop', ... */
  readonly hook: string;
  readonly action: 'httpGet' | 'tcpSocket' | 'grpc';
  /** The handler itself, `{port, host?, path?}`, and its place. */
  readonly spec: JsonObject;
  readonly path: JsonPointer;
}

/** Where a container keeps handlers (core/v1 types.go: Probe and LifecycleHandler). */
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const LIFECYCLE_HOOKS = ['postStart', 'preStop'] as const;

const ACTIONS = ['httpGet', 'tcpSocket', 'grpc'] as const;

/** Every network handler of a container, probes first. */
export function networkHandlersOf(container: Container): readonly NetworkHandler[] {
  const found: NetworkHandler[] = [];
  const collect = (handler: unknown, hook: string): void => {
    if (!isObject(handler)) return;
    for (const action of ACTIONS) {
      const spec = handler[action];
      if (isObject(spec)) found.push({ container, hook, action, spec, path: `${container.path}/${hook}/${action}` });
    }
  };
  for (const probe of PROBES) collect(container.spec[probe], probe);
  const lifecycle = asObject(container.spec['lifecycle']);
  for (const hook of LIFECYCLE_HOOKS) collect(lifecycle[hook], `lifecycle/${hook}`);
  return found;
}

/** The host that a handler names; undefined when the kubelet calls the pod's own address. */
export function hostOf({ spec }: NetworkHandler): string | undefined {
  return asString(spec['host']) || undefined;
}
