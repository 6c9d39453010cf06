import type { Command } from './command-line.ts';
import type { ComponentCommand } from './component-commands.ts';
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

/** Readings of one container that several rules ask for; each is made when it is first asked for. */
export interface KnownOfContainer {
  commands?: readonly Command[];
  componentCommands?: readonly ComponentCommand[];
}

/** One entry of a container's `ports`, with its place. */
export interface ContainerPort {
  readonly container: Container;
  readonly path: JsonPointer;
  readonly spec: JsonObject;
}

/** The pod that was read last, its containers and what is known of them. A WeakMap of all pods costs several times more. */
let last: {
  readonly pod: JsonObject;
  readonly containers: readonly Container[];
  readonly known: ReadonlyMap<Container, KnownOfContainer>;
} = { pod: {}, containers: [], known: new Map() };

/**
 * Every container of a pod: init containers (native sidecars among them), app containers, ephemeral containers. Rules
 * that ask about the same pod one after the other get the same containers, with what was read of them.
 */
export function containersOf(pod: JsonObject): readonly Container[] {
  if (last.pod !== pod) {
    const containers = readContainers(pod);
    last = { pod, containers, known: new Map(containers.map((container) => [container, {}])) };
  }
  return last.containers;
}

/** Where to keep what is read of a container: for whoever asks next when it is of the last pod, else for nobody. */
export function knownOf(container: Container): KnownOfContainer {
  return last.known.get(container) ?? {};
}

function readContainers(pod: JsonObject): Container[] {
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
