// A real control plane on this machine: etcd, kube-apiserver and, unless told, kube-controller-manager, on random
// ports of 127.0.0.1 and in a folder of its own. No scheduler and no kubelet: pods stay Pending.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiServer, requestApi } from './api-request.ts';
import { type Cluster, ensureServiceAccount, openCluster } from './cluster-access.ts';
import {
  apiserverFlags,
  apiServerUrl,
  controllerFlags,
  etcdFlags,
  type Files,
  filesIn,
  type Flags,
  type Identities,
  type Ports,
  writeFiles,
} from './control-plane-programs.ts';
import { findFreePorts } from './free-ports.ts';
import { type Guard, type GuardedProgram, startGuard } from './guard.ts';
import { defaultLine, ensureToolchain, type KubernetesLine, type Toolchain } from './toolchain.ts';

/** How the API server is started, beside the flags that it always has. */
export type ApiServerOptions = {
  /** More flags, or other values, without their dashes. */
  readonly flags?: Flags;
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** More environment variables: the API server gets none but PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
};

/** What a control plane is made of; the line is `defaultLine()` unless told. */
export type ControlPlaneOptions = {
  readonly line?: KubernetesLine;
  readonly apiserver?: ApiServerOptions;
  /** False leaves the controller manager out: nothing then follows from a Deployment. */
  readonly controllers?: boolean;
};

/** A control plane that this process started. */
export type ControlPlane = Cluster & {
  /** Process ids of the programs that run now. */
  readonly pids: () => readonly number[];
  /** Stops the API server; etcd and the controller manager go on. */
  readonly stopApiServer: () => Promise<void>;
  /** Starts it again on the same port and data, with other options if given; settles when it is ready. */
  readonly startApiServer: (options?: ApiServerOptions) => Promise<void>;
  /** Stops the API server, the controller manager and etcd. */
  readonly stopEverything: () => Promise<void>;
  /** Starts them again on the same ports and data; settles when the API server and the controller manager are ready. */
  readonly startEverything: () => Promise<void>;
  /** Ends everything and removes its folder. */
  readonly stop: () => Promise<void>;
};

const START_TRIES = 4;
const READY_MS = 90_000;
const POLL_MS = 50;
const STOP_GRACE_MS = 15_000;
/** It waits for whoever watches, and would wait for a minute; etcd has what it wrote. */
const API_SERVER_GRACE_MS = 4_000;

/**
 * Starts a control plane and waits until it is ready (about three seconds when the toolchain is there, which is built
 * if need be). Whatever ends this process ends the control plane. Throws an Error with the last lines of the program
 * that failed.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const line = options.line ?? defaultLine();
  const toolchain = await ensureToolchain(line);
  for (let attempt = 1; ; attempt += 1) {
    const guard = await startGuard();
    try {
      return await assemble({ guard, line, toolchain }, options);
    } catch (error) {
      await guard.end();
      if (!(error instanceof PortTakenError) || attempt === START_TRIES) throw error;
    }
  }
}

type Base = { readonly guard: Guard; readonly line: KubernetesLine; readonly toolchain: Toolchain };

async function assemble({ guard, line, toolchain }: Base, options: ControlPlaneOptions): Promise<ControlPlane> {
  const { directory } = guard;
  const files = filesIn(directory);
  const [etcdClient = 0, etcdPeer = 0, apiserver = 0, controllers = 0] = await findFreePorts(4);
  const ports: Ports = { etcdClient, etcdPeer, apiserver, controllers };
  const run = makeRunner(guard);
  const identities = await writeFiles(files, ports);
  const parts = { run, toolchain, files, ports, identities };
  const startEtcd = (): Promise<GuardedProgram> => runEtcd(parts);
  let etcd = await startEtcd();
  const startServer = makeApiServerStarter(parts);
  let current = await startServer(options.apiserver);
  const description = { line, url: apiServerUrl(ports), ...identities, auditLog: files.auditLog, directory, toolchain };
  const cluster = await openCluster(description);
  await waitForNamespace(cluster, 'default');
  const startManager = async (): Promise<GuardedProgram | undefined> =>
    options.controllers === false ? undefined : runManager(parts);
  let manager = await startManager();
  await ensureServiceAccount(cluster.request, 'default');
  const programs = (): readonly GuardedProgram[] => [etcd, manager, current].filter((program) => program !== undefined);
  // A program whose port was taken may have looked ready because another instance answered.
  for (const program of programs()) await failIfEnded(program);
  return {
    ...cluster,
    pids: () =>
      programs()
        .filter((program) => program.end() === undefined)
        .map((program) => program.pid),
    stopApiServer: async () => void (await current.stop(API_SERVER_GRACE_MS)),
    startApiServer: async (changed = options.apiserver) => {
      await current.stop(API_SERVER_GRACE_MS);
      current = await startAgain(() => startServer(changed));
    },
    stopEverything: async () => {
      await manager?.stop(STOP_GRACE_MS);
      await current.stop(API_SERVER_GRACE_MS);
      await etcd.stop(STOP_GRACE_MS);
    },
    startEverything: async () => {
      etcd = await startAgain(startEtcd);
      current = await startAgain(() => startServer(options.apiserver));
      manager = await startAgain(startManager);
    },
    stop: () => guard.end(),
  };
}

type Runner = (
  command: string,
  flags: Flags,
  logFile: string,
  env?: Readonly<Record<string, string>>,
) => Promise<GuardedProgram>;

function makeRunner(guard: Guard): Runner {
  return (command, flags, logFile, env = {}) =>
    guard.start({
      command,
      args: Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
      // Neither a proxy nor a kubeconfig of the person who runs the tests comes in between. A control plane that lives a
      // minute has memory to spare, and collecting garbage as often as Go does costs it a quarter of its start.
      env: { PATH: process.env['PATH'] ?? '', HOME: guard.directory, GOGC: '400', ...env },
      cwd: guard.directory,
      logFile,
    });
}

type ServerParts = {
  readonly run: Runner;
  readonly toolchain: Toolchain;
  readonly files: Files;
  readonly ports: Ports;
  readonly identities: Identities;
};

async function runEtcd({ run, toolchain, files, ports }: ServerParts): Promise<GuardedProgram> {
  const program = await run(toolchain.etcd, etcdFlags(files, ports), files.etcdOutput);
  await waitUntilServing(program, async () => (await fetch(`http://127.0.0.1:${ports.etcdClient}/health`)).ok);
  return program;
}

/** Undefined where the toolchain has no controller manager. */
async function runManager({
  run,
  toolchain,
  files,
  ports,
  identities,
}: ServerParts): Promise<GuardedProgram | undefined> {
  const command = toolchain.kubeControllerManager;
  if (command === undefined) return undefined;
  const program = await run(command, controllerFlags(files, ports), files.controllersOutput);
  const server = { url: `https://127.0.0.1:${ports.controllers}`, ca: identities.authority.cert };
  await waitUntilServing(program, () => isHealthy(server, '/healthz'));
  return program;
}

function makeApiServerStarter(parts: ServerParts): (options?: ApiServerOptions) => Promise<GuardedProgram> {
  const { run, toolchain, files, ports, identities } = parts;
  const server = { url: apiServerUrl(ports), ca: identities.authority.cert };
  return async ({ flags = {}, featureGates = {}, env = {} } = {}) => {
    const gates = Object.entries(featureGates).map(([name, on]) => `${name}=${on}`);
    const all = {
      ...apiserverFlags(files, ports),
      ...(gates.length > 0 && { 'feature-gates': gates.join(',') }),
      ...flags,
    };
    const program = await run(toolchain.kubeApiserver, all, files.apiserverOutput, env);
    await waitUntilServing(program, () => isHealthy(server, '/readyz'));
    return program;
  };
}

/** In place the port cannot be another one; a passing connection that took it as its own end soon gives it back. */
async function startAgain<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === START_TRIES) throw error;
      await sleep(1_000);
    }
  }
}

class PortTakenError extends Error {}

/** Waits until `isServing` says so. Throws an Error with the program's last lines when it ends, or after 90 seconds. */
async function waitUntilServing(program: GuardedProgram, isServing: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline) {
    if (await isServing().catch(() => false)) return;
    await failIfEnded(program);
    await sleep(POLL_MS);
  }
  throw new Error(`Not ready after ${READY_MS / 1000} s. Its last lines:\n${await lastLines(program.logFile)}`);
}

async function failIfEnded(program: GuardedProgram): Promise<void> {
  if (program.end() === undefined) return;
  const lines = await lastLines(program.logFile);
  const Kind = lines.includes('address already in use') ? PortTakenError : Error;
  throw new Kind(`A program of the control plane ended. Its last lines:\n${lines}`);
}

async function lastLines(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trimEnd().split('\n').slice(-20).join('\n');
}

async function isHealthy(server: ApiServer, path: string): Promise<boolean> {
  return (await requestApi(server, 'anonymous', path, { timeoutMs: 5_000 })).status === 200;
}

/** The API server makes its first namespaces a moment after it is ready. */
async function waitForNamespace(cluster: Cluster, name: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if ((await cluster.request(`/api/v1/namespaces/${name}`)).status === 200) return;
    await sleep(100);
  }
  throw new Error(`The namespace ${name} is not there 30 seconds after the API server was ready.`);
}
