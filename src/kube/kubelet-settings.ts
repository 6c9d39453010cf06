// The settings of a kubelet that decide who can read from it, wherever they are written.

import type { Command } from './command-line.ts';
import { booleanOf, flagOf, integerOf, type Flag } from './flags.ts';
import { asString, isObject, type JsonObject } from './json.ts';
import { groupOf } from './object.ts';
import { valueAt, type JsonPointer } from './pointer.ts';

/** One setting: what it is set to, how it was written (`--read-only-port=0`, `readOnlyPort: 0`), and where. */
export interface Setting {
  readonly value: string | number | boolean;
  readonly written: string;
  readonly path: JsonPointer;
}

/** A setting by KubeletConfiguration's name for it, dots left out. */
export type SettingName =
  | 'readOnlyPort'
  | 'cadvisorPort'
  | 'anonymousAuthentication'
  | 'webhookAuthentication'
  | 'authorizationMode'
  | 'healthzBindAddress'
  | 'healthzPort';

/** What one source sets; everything else is left to its defaults. */
export type KubeletSettings = Readonly<Partial<Record<SettingName, Setting>>>;

/** How each setting is spelled: as a flag, in a KubeletConfiguration, in kops. */
interface Spelling {
  readonly name: SettingName;
  readonly type: 'integer' | 'boolean' | 'text';
  readonly flag: string;
  readonly config?: JsonPointer;
  readonly kops?: JsonPointer;
}

const SPELLINGS: readonly Spelling[] = [
  {
    name: 'readOnlyPort',
    type: 'integer',
    flag: 'read-only-port',
    config: '/readOnlyPort',
    kops: '/readOnlyPort',
  },
  { name: 'cadvisorPort', type: 'integer', flag: 'cadvisor-port' },
  {
    name: 'anonymousAuthentication',
    type: 'boolean',
    flag: 'anonymous-auth',
    config: '/authentication/anonymous/enabled',
    kops: '/anonymousAuth',
  },
  {
    name: 'webhookAuthentication',
    type: 'boolean',
    flag: 'authentication-token-webhook',
    config: '/authentication/webhook/enabled',
    kops: '/authenticationTokenWebhook',
  },
  {
    name: 'authorizationMode',
    type: 'text',
    flag: 'authorization-mode',
    config: '/authorization/mode',
    kops: '/authorizationMode',
  },
  { name: 'healthzBindAddress', type: 'text', flag: 'healthz-bind-address', config: '/healthzBindAddress' },
  { name: 'healthzPort', type: 'integer', flag: 'healthz-port', config: '/healthzPort' },
];

/** The settings that a kubelet's flags give; one that Go would refuse counts as absent. */
export function settingsInFlags(command: Command): KubeletSettings {
  return collect((spelling) => {
    const flag = flagOf(command, spelling.flag, spelling.type === 'boolean' ? 'boolean' : 'value');
    const value = flag === undefined ? undefined : valueOf(flag, spelling.type);
    if (flag === undefined || value === undefined) return undefined;
    return { value, written: `--${spelling.flag}=${flag.value}`, path: flag.path };
  });
}

function valueOf(flag: Flag, type: Spelling['type']): Setting['value'] | undefined {
  switch (type) {
    case 'integer':
      return integerOf(flag);
    case 'boolean':
      return booleanOf(flag);
    case 'text':
      return flag.value;
  }
}

/** A document's kubelet configuration, and what to call it. */
export interface ConfiguredKubelet {
  readonly title: string;
  readonly settings: KubeletSettings;
}

/** Where a kind of document keeps settings, and in whose spelling. */
interface ConfigPlace {
  readonly kind: string;
  /** The API group, where another group has the same kind. */
  readonly group?: string;
  readonly path: JsonPointer;
  readonly spelling: 'config' | 'kops';
}

const PLACES: readonly ConfigPlace[] = [
  { kind: 'KubeletConfiguration', path: '', spelling: 'config' },
  {
    kind: 'KubeletConfig',
    group: 'machineconfiguration.openshift.io',
    path: '/spec/kubeletConfig',
    spelling: 'config',
  },
  { kind: 'NodeConfig', group: 'node.eks.aws', path: '/spec/kubelet/config', spelling: 'config' },
  { kind: 'Cluster', group: 'kops.k8s.io', path: '/spec/kubelet', spelling: 'kops' },
  { kind: 'Cluster', group: 'kops.k8s.io', path: '/spec/masterKubelet', spelling: 'kops' },
  { kind: 'Cluster', group: 'kops.k8s.io', path: '/spec/controlPlaneKubelet', spelling: 'kops' },
  { kind: 'InstanceGroup', group: 'kops.k8s.io', path: '/spec/kubelet', spelling: 'kops' },
  // Talos' machine configuration has no kind.
  { kind: '', path: '/machine/kubelet/extraConfig', spelling: 'config' },
];

/** What to call a configuration that does not say what it is. */
const UNNAMED = 'kubelet configuration';

/** The kubelet settings that a document holds: by its kind, or by its shape where it has none. */
export function* kubeletsConfiguredIn(document: JsonObject): Generator<ConfiguredKubelet> {
  const kind = asString(document['kind']) ?? '';
  const group = groupOf(asString(document['apiVersion']) ?? '');
  for (const place of PLACES) {
    if (place.kind !== kind || (place.group !== undefined && place.group !== group)) continue;
    const settings = settingsAt(document, place.path, place.spelling);
    if (settings !== undefined) yield { title: kind === '' ? UNNAMED : kind, settings };
  }
  if (kind === '' && isKubeletShape(document)) {
    yield { title: UNNAMED, settings: settingsAt(document, '', 'config') ?? {} };
  }
}

function settingsAt(
  document: JsonObject,
  path: JsonPointer,
  spelling: ConfigPlace['spelling'],
): KubeletSettings | undefined {
  const configuration = valueAt(document, path);
  if (!isObject(configuration)) return undefined;
  return collect(({ type, [spelling]: place }) => {
    if (place === undefined) return undefined;
    const value = valueAt(configuration, place);
    if (!isOfType(value, type)) return undefined;
    return { value, written: `${place.slice(1).replaceAll('/', '.')}: ${value}`, path: path + place };
  });
}

function isOfType(value: unknown, type: Spelling['type']): value is Setting['value'] {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'text':
      return typeof value === 'string';
  }
}

/** Fields that only a KubeletConfiguration has, of which a file without a kind must set one. */
const TELLING_FIELDS: readonly JsonPointer[] = [
  '/readOnlyPort',
  '/authentication/anonymous/enabled',
  '/authentication/webhook/enabled',
];

function isKubeletShape(document: JsonObject): boolean {
  return TELLING_FIELDS.some((field) => valueAt(document, field) !== undefined);
}

function collect(read: (spelling: Spelling) => Setting | undefined): KubeletSettings {
  const settings: Partial<Record<SettingName, Setting>> = {};
  for (const spelling of SPELLINGS) {
    const setting = read(spelling);
    if (setting !== undefined) settings[spelling.name] = setting;
  }
  return settings;
}
