import { asList, asObject, asString, isObject, type JsonObject } from './json.ts';
import type { JsonPointer } from './pointer.ts';

/** The three lists of a pod that hold containers, in the order in which Kubernetes runs them. */
export const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** Which list a container stands in. */
export type ContainerList = (typeof CONTAINER_LISTS)[number];

/** One container of a pod with its place; `spec` is the raw container. */
export interface Container {
  readonly name: string;
  readonly list: ContainerList;
  readonly path: JsonPointer;
  readonly spec: JsonObject;
}

/** One entry of a container's `ports`, with its place. */
export interface ContainerPort {
  readonly container: Container;
  readonly path: JsonPointer;
  readonly spec: JsonObject;
}

/** Every container of a pod: init containers (native sidecars among them), app containers, ephemeral containers. */
export function containersOf(pod: JsonObject): readonly Container[] {
  const spec = asObject(pod['spec']);
  const found: Container[] = [];
  for (const list of CONTAINER_LISTS) {
    asList(spec[list]).forEach((item, index) => {
      if (!isObject(item)) return;
      found.push({ name: asString(item['name']) ?? '', list, path: `/spec/${list}/${index}`, spec: item });
    });
  }
  return found;
}

/** Every declared port of every container of a pod. */
export function* portsOf(pod: JsonObject): Generator<ContainerPort> {
  for (const container of containersOf(pod)) yield* portsOfContainer(container);
}

/** Every declared port of one container. */
export function* portsOfContainer(container: Container): Generator<ContainerPort> {
  for (const [index, spec] of asList(container.spec['ports']).entries()) {
    if (isObject(spec)) yield { container, path: `${container.path}/ports/${index}`, spec };
  }
}

/** True when the pod shares its node's network. */
export function isHostNetwork(pod: JsonObject): boolean {
  return asObject(pod['spec'])['hostNetwork'] === true;
}
