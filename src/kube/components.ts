import type { Command } from './command-line.ts';
import { imageName } from './images.ts';

/** A program of Kubernetes, or one that starts several of them, whose flags mean something to a rule. */
export type ComponentName =
  | 'kubelet'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'cloud-controller-manager'
  | 'kube-proxy'
  | 'etcd'
  | 'kube-rbac-proxy'
  | 'k3s';

/** How a component is recognised, and how its arguments travel besides its own command line. */
export interface Component {
  readonly name: ComponentName;
  /** Base names of its program; one that begins with `-` is the end of many. */
  readonly programs: readonly string[];
  /** Its names as a sub-command of hyperkube. */
  readonly subCommands?: readonly string[];
  /** Names of its images, without registry, tag and processor; one that begins with `-` is the end of many. */
  readonly images: readonly string[];
  /** Flags that no other program has. */
  readonly flags: readonly string[];
  /** Beginning of the environment variables whose value is more arguments for it: `KUBELET` for `KUBELET_EXTRA_ARGS`. */
  readonly variables?: readonly string[];
  /** Flags, and keys of the configuration file, of k3s and rke2 that each hand one argument to it. */
  readonly passedBy?: readonly string[];
}

/** Every component that is known, most specific first. */
export const COMPONENTS: readonly Component[] = [
  {
    name: 'kubelet',
    programs: ['kubelet'],
    images: ['kubelet'],
    flags: ['read-only-port', 'cadvisor-port', 'pod-manifest-path', 'kubelet-cgroups', 'register-with-taints'],
    variables: ['KUBELET'],
    passedBy: ['kubelet-arg'],
  },
  {
    name: 'kube-apiserver',
    programs: ['kube-apiserver'],
    subCommands: ['kube-apiserver', 'apiserver'],
    images: ['kube-apiserver', '-kube-apiserver'],
    flags: ['kubelet-client-certificate', 'service-account-signing-key-file'],
    variables: ['KUBE_APISERVER', 'KUBE_API'],
    passedBy: ['kube-apiserver-arg'],
  },
  {
    name: 'kube-controller-manager',
    programs: ['kube-controller-manager'],
    subCommands: ['kube-controller-manager', 'controller-manager'],
    images: ['kube-controller-manager', '-kube-controller-manager'],
    flags: ['use-service-account-credentials', 'service-account-private-key-file', 'cluster-signing-cert-file'],
    variables: ['KUBE_CONTROLLER_MANAGER'],
    passedBy: ['kube-controller-manager-arg', 'kube-controller-arg'],
  },
  {
    name: 'kube-scheduler',
    programs: ['kube-scheduler'],
    subCommands: ['kube-scheduler', 'scheduler'],
    images: ['kube-scheduler', '-kube-scheduler'],
    flags: ['pod-max-in-unschedulable-pods-duration', 'policy-configmap-namespace'],
    variables: ['KUBE_SCHEDULER'],
    passedBy: ['kube-scheduler-arg'],
  },
  {
    name: 'cloud-controller-manager',
    programs: ['cloud-controller-manager', '-cloud-controller-manager'],
    subCommands: ['cloud-controller-manager'],
    images: ['cloud-controller-manager', '-cloud-controller-manager'],
    flags: [],
    passedBy: ['kube-cloud-controller-manager-arg', 'kube-cloud-controller-arg'],
  },
  {
    name: 'kube-proxy',
    programs: ['kube-proxy'],
    subCommands: ['kube-proxy', 'proxy'],
    images: ['kube-proxy', '-kube-proxy'],
    flags: ['conntrack-max-per-core', 'iptables-sync-period', 'ipvs-scheduler', 'detect-local-mode'],
    variables: ['KUBE_PROXY'],
    passedBy: ['kube-proxy-arg'],
  },
  {
    name: 'etcd',
    programs: ['etcd'],
    images: ['etcd', '-etcd'],
    flags: ['listen-client-urls', 'listen-peer-urls', 'listen-metrics-urls', 'initial-advertise-peer-urls'],
    passedBy: ['etcd-arg'],
  },
  {
    name: 'kube-rbac-proxy',
    programs: ['kube-rbac-proxy'],
    images: ['kube-rbac-proxy', '-kube-rbac-proxy'],
    flags: ['secure-listen-address', 'auth-header-fields-enabled', 'auth-token-audiences'],
  },
  { name: 'k3s', programs: ['k3s', 'rke2'], images: ['k3s', 'rke2'], flags: [] },
];

/** A command together with the component whose flags it gives. */
export interface ComponentUse {
  readonly component: ComponentName;
  readonly command: Command;
}

/** The program of many names, and its image. */
const HYPERKUBE = 'hyperkube';

/** The ending of an image that is built for one processor. */
const PROCESSORS = /-(?:amd64|arm64|arm|ppc64le|s390x)$/;

/** Names of one sort with the components that they belong to. */
interface NameIndex {
  readonly whole: ReadonlyMap<string, ComponentName>;
  readonly endings: readonly (readonly [string, ComponentName])[];
}

function indexOf(namesOf: (component: Component) => readonly string[]): NameIndex {
  const all = COMPONENTS.flatMap((component) => namesOf(component).map((name) => [name, component.name] as const));
  return {
    whole: new Map(all.filter(([name]) => !name.startsWith('-'))),
    endings: all.filter(([name]) => name.startsWith('-')),
  };
}

const PROGRAMS = indexOf(({ programs }) => programs);
const SUB_COMMANDS = indexOf(({ subCommands = [] }) => subCommands);
const IMAGES = indexOf(({ images }) => images);
const FLAGS = indexOf(({ flags }) => flags);

/**
 * The component that a command of a container starts, or undefined for any other program: by the program's name, by the
 * image's where only flags are written, or by a flag that no other program has. A sub-command of hyperkube is taken off
 * the words. Flags that several programs share, such as `--port`, say nothing.
 */
export function componentUseOf(command: Command, image: string): ComponentUse | undefined {
  const imageIs = nameOfImage(image);
  const isHyperkube = command.program === HYPERKUBE || imageIs === HYPERKUBE;
  const started = command.program === HYPERKUBE ? subCommandOf(command) : command;
  const component =
    named(PROGRAMS, started.program) ??
    (isHyperkube ? named(SUB_COMMANDS, started.program) : undefined) ??
    (started.program === '' ? named(IMAGES, imageIs) : undefined) ??
    componentOfFlags(started);
  return component === undefined ? undefined : { component, command: started };
}

/** The component whose image this is; undefined for any other. */
export function componentOfImage(image: string): ComponentName | undefined {
  return named(IMAGES, nameOfImage(image));
}

function componentOfFlags(command: Command): ComponentName | undefined {
  for (const { flag } of command.words) {
    const component = flag === undefined ? undefined : FLAGS.whole.get(flag);
    if (component !== undefined) return component;
  }
  return undefined;
}

function named({ whole, endings }: NameIndex, name: string): ComponentName | undefined {
  return whole.get(name) ?? endings.find(([ending]) => name.endsWith(ending))?.[1];
}

function nameOfImage(image: string): string {
  return imageName(image).replace(PROCESSORS, '');
}

function subCommandOf({ words }: Command): Command {
  const [first, ...rest] = words;
  return { program: first?.text ?? '', words: rest };
}
