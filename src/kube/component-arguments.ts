// Arguments that configuration files hand to components: kubeadm and Cluster API, k3s and rke2, Talos, EKS nodeadm.

import { asFlag, type ComponentCommand } from './component-commands.ts';
import { COMPONENTS, type ComponentName } from './components.ts';
import { asString, isObject, own, type JsonObject } from './json.ts';
import { escapeToken, valueAt, type JsonPointer } from './pointer.ts';
import { wordOf, type Word } from './word.ts';

/** A place in a kind of document where arguments of a component stand. */
interface ArgumentPlace {
  readonly component: ComponentName;
  readonly path: JsonPointer;
}

const CLUSTER: readonly ArgumentPlace[] = [
  { component: 'kube-apiserver', path: '/apiServer/extraArgs' },
  { component: 'kube-controller-manager', path: '/controllerManager/extraArgs' },
  { component: 'kube-scheduler', path: '/scheduler/extraArgs' },
  { component: 'etcd', path: '/etcd/local/extraArgs' },
];

const NODE: readonly ArgumentPlace[] = [{ component: 'kubelet', path: '/nodeRegistration/kubeletExtraArgs' }];

/** The kubeadm documents that Cluster API nests in its own, by their field there. */
const NESTED: readonly ArgumentPlace[] = [
  ...under('/clusterConfiguration', CLUSTER),
  ...under('/initConfiguration', NODE),
  ...under('/joinConfiguration', NODE),
];

/** Talos' machine configuration, which has no kind. */
const TALOS: readonly ArgumentPlace[] = [
  { component: 'kubelet', path: '/machine/kubelet/extraArgs' },
  { component: 'kube-proxy', path: '/cluster/proxy/extraArgs' },
  ...under('/cluster', CLUSTER).filter(({ component }) => component !== 'etcd'),
  { component: 'etcd', path: '/cluster/etcd/extraArgs' },
];

/** The configuration file of k3s and rke2, which has no kind; a `+` behind a key adds to what other files say. */
const K3S: readonly ArgumentPlace[] = COMPONENTS.flatMap(({ name, passedBy = [] }) =>
  passedBy.flatMap((key) => [key, `${key}+`].map((path) => ({ component: name, path: `/${path}` }))),
);

/** Places by kind; '' is a document without one. */
const PLACES: ReadonlyMap<string, readonly ArgumentPlace[]> = new Map([
  ['ClusterConfiguration', CLUSTER],
  ['InitConfiguration', NODE],
  ['JoinConfiguration', NODE],
  ['KubeadmConfig', under('/spec', NESTED)],
  ['KubeadmConfigTemplate', under('/spec/template/spec', NESTED)],
  ['KubeadmControlPlane', under('/spec/kubeadmConfigSpec', NESTED)],
  ['KubeadmControlPlaneTemplate', under('/spec/template/spec/kubeadmConfigSpec', NESTED)],
  ['NodeConfig', [{ component: 'kubelet', path: '/spec/kubelet/flags' }]],
  ['', [...K3S, ...TALOS]],
]);

/** The arguments of components that a document holds, none for a kind that is not known. */
export function* argumentsIn(document: JsonObject): Generator<ComponentCommand> {
  for (const { component, path } of PLACES.get(asString(document['kind']) ?? '') ?? []) {
    const words = argumentWords(valueAt(document, path), path);
    if (words.length > 0) yield { component, command: { program: component, words }, isWhole: false };
  }
}

function under(path: JsonPointer, places: readonly ArgumentPlace[]): readonly ArgumentPlace[] {
  return places.map((place) => ({ ...place, path: path + place.path }));
}

/** A map of flags (kubeadm v1beta3), a list of `{name, value}` (v1beta4), a list of `flag=value`, or one of them alone. */
function argumentWords(value: unknown, path: JsonPointer): Word[] {
  if (typeof value === 'string') return [wordOf(asFlag(value), path)];
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => itemWords(item, `${path}/${index}`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, setting]) => {
    const place = `${path}/${escapeToken(name)}`;
    if (Array.isArray(setting)) return setting.flatMap((item) => settingWords(name, item, place));
    return settingWords(name, setting, place);
  });
}

function itemWords(item: unknown, path: JsonPointer): Word[] {
  if (typeof item === 'string') return [wordOf(asFlag(item), path)];
  if (!isObject(item)) return [];
  return settingWords(asString(own(item, 'name')) ?? '', own(item, 'value'), `${path}/value`);
}

function settingWords(name: string, value: unknown, path: JsonPointer): Word[] {
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isScalar ? [wordOf(asFlag(`${name}=${value}`), path)] : [];
}
