// Which binaries a control plane is made of, and where they are.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureGoBinaries, findGoBinaries, type GoModule } from './go-module.ts';

/** The programs of a control plane, as absolute paths; the last two may be missing among ready-made binaries. */
export type Toolchain = {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  readonly kubeControllerManager?: string;
  readonly helm?: string;
};

/** A program of the toolchain that a suite may need and ready-made binaries may lack. */
export type OptionalProgram = 'kubeControllerManager' | 'helm';

/** The Kubernetes versions that the cluster suites can run on: the newest and the oldest supported line. */
export const KUBERNETES_LINES = ['1.36', '1.30'] as const;

/** A Kubernetes minor version that has a toolchain. */
export type KubernetesLine = (typeof KUBERNETES_LINES)[number];

/** The line that SCRAPEGUARD_TEST_KUBERNETES names, or the newest. Throws an Error when it names none that we have. */
export function defaultLine(): KubernetesLine {
  const wanted = process.env['SCRAPEGUARD_TEST_KUBERNETES'] ?? KUBERNETES_LINES[0];
  const line = KUBERNETES_LINES.find((known) => known === wanted);
  if (line === undefined) {
    throw new Error(`SCRAPEGUARD_TEST_KUBERNETES is ${wanted}; known are ${KUBERNETES_LINES.join(', ')}.`);
  }
  return line;
}

/** The toolchain of a line if it is there already: ready-made or built. Builds nothing. */
export async function findToolchain(line: KubernetesLine): Promise<Toolchain | undefined> {
  const readyMade = readyMadeBinaries();
  if (line === '1.36' && readyMade !== undefined) return assembleReadyMade(readyMade);
  const folders = await Promise.all(MODULES[line].map((name) => findGoBinaries(GO_MODULES[name])));
  return folders.every((folder) => folder !== undefined) ? assemble(folders) : undefined;
}

/** The toolchain of a line, built now if need be, with progress on stderr. Throws an Error when that cannot be done. */
export async function ensureToolchain(line: KubernetesLine): Promise<Toolchain> {
  const readyMade = readyMadeBinaries();
  if (line === '1.36' && readyMade !== undefined) return assembleReadyMade(readyMade);
  const folders: string[] = [];
  for (const name of MODULES[line]) folders.push(await ensureGoBinaries(GO_MODULES[name]));
  return assemble(folders);
}

const CACHE = join(cacheHome(), 'scrapeguard', 'toolchain');

/** The Go modules of test/toolchain, each in the folder of its name. */
export const GO_MODULES = {
  kubernetes: { ...moduleIn('kubernetes'), packages: 'tool', minutes: 5, renamed: { server: 'etcd' } },
  'kubernetes-1.30': { ...moduleIn('kubernetes-1.30'), packages: 'tool', minutes: 6 },
  helm: { ...moduleIn('helm'), packages: 'tool', minutes: 3 },
  authorizer: { ...moduleIn('authorizer'), packages: '.', minutes: 2 },
} as const satisfies Record<string, GoModule>;

function moduleIn(folder: string): Pick<GoModule, 'source' | 'cache'> {
  return { source: fileURLToPath(new URL(`../toolchain/${folder}`, import.meta.url)), cache: CACHE };
}

function cacheHome(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (XDG_CACHE_HOME !== undefined && XDG_CACHE_HOME !== '') return XDG_CACHE_HOME;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  if (process.platform === 'win32' && LOCALAPPDATA !== undefined) return LOCALAPPDATA;
  return join(homedir(), '.cache');
}

/** A line's modules: where two have a binary of the same name the later one's is taken. */
const MODULES: Readonly<Record<KubernetesLine, readonly (keyof typeof GO_MODULES)[]>> = {
  '1.36': ['kubernetes', 'helm'],
  '1.30': ['kubernetes', 'helm', 'kubernetes-1.30'],
};

const FILE_NAMES = {
  etcd: 'etcd',
  kubeApiserver: 'kube-apiserver',
  kubectl: 'kubectl',
  kubeControllerManager: 'kube-controller-manager',
  helm: 'helm',
} as const satisfies Record<keyof Toolchain, string>;

/** The folder that SCRAPEGUARD_TEST_ASSETS names, laid out as controller-runtime's envtest has it. */
function readyMadeBinaries(): string | undefined {
  const folder = process.env['SCRAPEGUARD_TEST_ASSETS'];
  return folder === undefined || folder === '' ? undefined : folder;
}

function assembleReadyMade(folder: string): Toolchain {
  try {
    return assemble([folder]);
  } catch (error) {
    throw new Error(`SCRAPEGUARD_TEST_ASSETS cannot be used: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
}

function assemble(folders: readonly string[]): Toolchain {
  const find = (fileName: string): string | undefined =>
    folders.map((folder) => join(folder, fileName)).findLast((path) => existsSync(path));
  const need = (fileName: string): string => {
    const path = find(fileName);
    if (path === undefined) throw new Error(`there is no ${fileName} in ${folders.join(', ')}.`);
    return path;
  };
  const kubeControllerManager = find(FILE_NAMES.kubeControllerManager);
  const helm = find(FILE_NAMES.helm);
  return {
    etcd: need(FILE_NAMES.etcd),
    kubeApiserver: need(FILE_NAMES.kubeApiserver),
    kubectl: need(FILE_NAMES.kubectl),
    ...(kubeControllerManager !== undefined && { kubeControllerManager }),
    ...(helm !== undefined && { helm }),
  };
}
