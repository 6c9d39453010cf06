import { imageName, imageTag } from '../kube/images.ts';
import { asList, asObject, asString, type JsonObject } from '../kube/json.ts';
import type { Container } from '../kube/pods.ts';
import type { JsonPointer } from '../kube/pointer.ts';
import { portNumber, protocolOf } from '../kube/ports.ts';
import type { ProxiedPort } from './record.ts';
import { TOKEN_PATH } from './sidecar.ts';

/** What of a proxy is not as it was injected, and where. */
export interface Alteration {
  readonly what: 'command' | 'arguments' | 'port' | 'mounts' | 'image' | 'hooks';
  readonly path: JsonPointer;
}

/** What a proxy has to be like. */
export interface ExpectedProxy {
  readonly proxied: ProxiedPort;
  readonly args: readonly string[];
  readonly image: string;
  /** True when Kubernetes mounts no token, so that the proxy needs a mount of its own. */
  readonly mountsToken: boolean;
}

/**
 * Everything by which a container is not the proxy that was injected: its resources, added environment, the registry of
 * its image and tokens of other systems may differ; anything else could open what it guards.
 */
export function alterationsOf({ spec, path }: Container, expected: ExpectedProxy): readonly Alteration[] {
  const found: Alteration[] = [];
  const { command, args, ports, volumeMounts, image } = spec;
  if (isPresent(command)) found.push({ what: 'command', path: `${path}/command` });
  const argument = differingArgument(asList(args), expected.args);
  if (argument !== undefined) found.push({ what: 'arguments', path: `${path}/args${argument}` });
  if (!asList(ports).some((port) => isListening(asObject(port), expected.proxied.proxyPort))) {
    found.push({ what: 'port', path: `${path}/ports` });
  }
  if (hasForeignMount(volumeMounts, expected.mountsToken)) found.push({ what: 'mounts', path: `${path}/volumeMounts` });
  if (!isSameImage(asString(image) ?? '', expected.image)) found.push({ what: 'image', path: `${path}/image` });
  const hook = HOOKS.find((field) => isPresent(spec[field]));
  if (hook !== undefined) found.push({ what: 'hooks', path: `${path}/${hook}` });
  return found;
}

/** Each of these can start the proxy's program a second time, with other flags. */
const HOOKS = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && asList(value).length + Object.keys(asObject(value)).length > 0;
}

/** Where two lists of arguments differ: an index as a part of a pointer, '' for their length; undefined where nowhere. */
function differingArgument(args: readonly unknown[], expected: readonly string[]): string | undefined {
  if (args.length !== expected.length) return '';
  const index = args.findIndex((arg, at) => arg !== expected[at]);
  return index < 0 ? undefined : `/${index}`;
}

function isListening(port: JsonObject, number: number): boolean {
  return portNumber(port['containerPort']) === number && protocolOf(port) === 'TCP';
}

/** Where tokens are mounted, Kubernetes' own and those of clouds; a mount elsewhere could replace the program. */
const SECRETS = '/var/run/secrets/';

function hasForeignMount(volumeMounts: unknown, mountsToken: boolean): boolean {
  const paths = asList(volumeMounts).map((mount) => asString(asObject(mount)['mountPath']) ?? '');
  if (mountsToken && !paths.includes(TOKEN_PATH)) return true;
  return paths.some((path) => !path.startsWith(SECRETS) || path.includes('..'));
}

/** True for the same image from wherever; a digest in place of a tag, or beside it, makes it no other. */
function isSameImage(image: string, expected: string): boolean {
  if (imageName(image) !== imageName(expected)) return false;
  const tags = [imageTag(image), imageTag(expected)];
  return tags[0] === tags[1] || ((image.includes('@') || expected.includes('@')) && tags.includes(''));
}
