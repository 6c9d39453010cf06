// A kube-rbac-proxy in a pod, known by its program, its image or its flags, and what its flags say.

import { isLoopback } from './addresses.ts';
import { componentCommandsOf } from './component-commands.ts';
import type { Command } from './command-line.ts';
import { flagOf, listItemsOf, type Flag } from './flags.ts';
import { matchesPathPattern } from './go-path-match.ts';
import { asList, type JsonObject } from './json.ts';
import { containersOf, type Container } from './pods.ts';
import { portNumber } from './ports.ts';

/** A kube-rbac-proxy and the two ports that it joins. */
export interface RbacProxy {
  readonly container: Container;
  readonly command: Command;
  /** The port that it serves over TLS; undefined when it does not, or when nobody can read which. */
  readonly listenPort: number | undefined;
  /** The port of the pod that it passes requests on to; undefined when that is somewhere else. */
  readonly upstreamPort: number | undefined;
}

/** The name of the program, and the last part of the name of its images. */
const PROGRAM = 'kube-rbac-proxy';

/** Part of both flags that make it listen. */
const LISTEN_FLAG = 'secure-listen-address';

/** Every kube-rbac-proxy that runs beside the application: in a container or in a native sidecar. */
export function rbacProxiesIn(pod: JsonObject): readonly RbacProxy[] {
  const found: RbacProxy[] = [];
  for (const container of containersOf(pod)) if (runsThroughout(container)) found.push(...rbacProxiesOf(container));
  return found;
}

/** Every kube-rbac-proxy that a container starts. */
export function rbacProxiesOf(container: Container): readonly RbacProxy[] {
  if (!mentionsProxy(container.spec)) return NONE;
  return componentCommandsOf(container).flatMap(({ component, command, isWhole }) => {
    // A flag of it in another program's command line makes no proxy: `sleep 1d --secure-listen-address=:8443`.
    if (component !== PROGRAM || !isWhole || (command.program !== '' && command.program !== PROGRAM)) return [];
    return [{ container, command, listenPort: listenPortOf(command), upstreamPort: upstreamPortOf(command) }];
  });
}

/** True for a container that lives as long as the pod's applications: neither an init nor an ephemeral one. */
export function runsThroughout({ list, spec }: Container): boolean {
  return list === 'containers' || (list === 'initContainers' && spec['restartPolicy'] === 'Always');
}

const NONE: readonly never[] = [];

/** True when it is worth taking a container's command line apart. */
function mentionsProxy(spec: JsonObject): boolean {
  return namesProxy(spec['image']) || asList(spec['args']).some(namesProxy) || asList(spec['command']).some(namesProxy);
}

function namesProxy(text: unknown): boolean {
  return typeof text === 'string' && (text.includes(PROGRAM) || text.includes(LISTEN_FLAG));
}

function listenPortOf(command: Command): number | undefined {
  const address = flagOf(command, LISTEN_FLAG)?.value ?? '';
  return portNumber(/:([0-9]+)$/.exec(address)?.[1]);
}

const UPSTREAM = /^(https?):\/\/(\[[^\]]*\]|[^/:]*)(?::([0-9]+))?(?:\/|$)/;

/** The pod's own address may come from the environment: `http://$(POD_IP):8080/`. */
function upstreamPortOf(command: Command): number | undefined {
  const [, scheme, host = '', port] = UPSTREAM.exec(flagOf(command, 'upstream')?.value ?? '') ?? [];
  const isOwn = host === '' || host === '0.0.0.0' || host === '[::]' || host.includes('$(') || isLoopback(host);
  if (scheme === undefined || !isOwn) return undefined;
  return port === undefined ? { http: 80, https: 443 }[scheme] : portNumber(port);
}

/** A path that a proxy lets through unasked, and the pattern by which it does. */
export interface IgnoredPath {
  readonly path: string;
  readonly pattern: Flag;
}

/** The first of these paths that each pattern of `--ignore-paths` lets pass without authentication. */
export function* ignoredPathsOf(command: Command, paths: readonly string[]): Generator<IgnoredPath> {
  for (const pattern of listItemsOf(command, 'ignore-paths')) {
    const path = paths.find((candidate) => matchesPathPattern(pattern.value, candidate));
    if (path !== undefined) yield { path, pattern };
  }
}

/** True when a proxy takes requests over TLS alone and asks about every one for this path. */
export function isGuarding({ command, listenPort }: RbacProxy, path: string): boolean {
  const plain = flagOf(command, 'insecure-listen-address')?.value ?? '';
  if (listenPort === undefined || (plain !== '' && !isLoopback(plain))) return false;
  return ignoredPathsOf(command, [path]).next().done === true;
}
