import type { Command } from './command-line.ts';
import type { ComponentCommand } from './component-commands.ts';
import type { LiteralVariables } from './environment.ts';
import { asList, asObject, asString, isObject, type JsonObject } from './json.ts';
import type { JsonPointer } from './pointer.ts';
import type { Word } from './word.ts';

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
  readonly known: KnownOfContainer;
}

/** Readings of one container that several rules ask for; each is made when it is first asked for. */
export interface KnownOfContainer {
  ports: readonly ContainerPort[] | undefined;
  variables: LiteralVariables | undefined;
  words: readonly Word[] | undefined;
  commands: readonly Command[] | undefined;
  componentCommands: readonly ComponentCommand[] | undefined;
}

/** One entry of a container's `ports`, with its place. */
export interface ContainerPort {
  readonly container: Container;
  readonly path: JsonPointer;
  readonly spec: JsonObject;
}

/** The pod that was read last, and its containers. A WeakMap of all pods costs several times more. */
let last: { readonly pod: JsonObject; readonly containers: readonly Container[] } = { pod: {}, containers: [] };

/**
 * Every container of a pod: init containers (native sidecars among them), app containers, ephemeral containers. Rules
 * that ask about the same pod one after the other get the same containers, with what was read of them.
 */
export function containersOf(pod: JsonObject): readonly Container[] {
  if (last.pod !== pod) last = { pod, containers: readContainers(pod) };
  return last.containers;
}

function readContainers(pod: JsonObject): Container[] {
  const spec = asObject(pod['spec']);
  const found: Container[] = [];
  for (const list of CONTAINER_LISTS) {
    asList(spec[list]).forEach((item, index) => {
      if (isObject(item)) found.push(containerOf(item, list, index));
    });
  }
  return found;
}

/** A container as it stands in a list of its pod. */
export function containerOf(spec: JsonObject, list: ContainerList, index: number): Container {
  return {
    name: asString(spec['name']) ?? '',
    list,
    path: `/spec/${list}/${index}`,
    spec,
    known: {
      ports: undefined,
      variables: undefined,
      words: undefined,
      commands: undefined,
      componentCommands: undefined,
    },
  };
}

/** Every declared port of every container of a pod. */
export function* portsOf(pod: JsonObject): Generator<ContainerPort> {
  for (const container of containersOf(pod)) yield* portsOfContainer(container);
}

/** Every declared port of one container. */
export function portsOfContainer(container: Container): readonly ContainerPort[] {
  return (container.known.ports ??= readPorts(container));
}

function readPorts(container: Container): readonly ContainerPort[] {
  const found: ContainerPort[] = [];
  asList(container.spec['ports']).forEach((spec, index) => {
    if (isObject(spec)) found.push({ container, path: `${container.path}/ports/${index}`, spec });
  });
  return found;
}

/** True when the pod shares its node's network. */
export function isHostNetwork(pod: JsonObject): boolean {
  return asObject(pod['spec'])['hostNetwork'] === true;
}
