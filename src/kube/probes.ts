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

/** Where a container keeps handlers (core/v1 types.go: Probe and LifecycleHandler), field by field. */
const HOOKS = [
  ['livenessProbe'],
  ['readinessProbe'],
  ['startupProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
] as const;

const ACTIONS = ['httpGet', 'tcpSocket', 'grpc'] as const;

/** Every network handler of a container, probes first. */
export function* networkHandlersOf(container: Container): Generator<NetworkHandler> {
  for (const [first, second] of HOOKS) {
    const outer = container.spec[first];
    if (!isObject(outer)) continue;
    const handler = second === undefined ? outer : asObject(outer[second]);
    const hook = second === undefined ? first : `${first}/${second}`;
    for (const action of ACTIONS) {
      const spec = handler[action];
      if (!isObject(spec)) continue;
      yield { container, hook, action, spec, path: `${container.path}/${hook}/${action}` };
    }
  }
}

/** The host that a handler names; undefined when the kubelet calls the pod's own address. */
export function hostOf({ spec }: NetworkHandler): string | undefined {
  return asString(spec['host']) || undefined;
}
