// Our server as a user starts it: a process of its own, by its command line.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asObject, asString, asStrings, type JsonObject } from '../../src/kube/json.ts';
import { requestApi } from './api-request.ts';
import { findFreePorts } from './free-ports.ts';
import type { Guard, GuardedProgram, ProgramEnd } from './guard.ts';
import { waitUntil } from './wait-for.ts';

/** What a server is started with, besides its port and address. */
export type ServerSettings = {
  /** A name for its log file. */
  readonly name: string;
  /** The folder of tls.crt and tls.key, unless its certificate comes from elsewhere. */
  readonly certDir?: string;
  /** The rest of its command line. */
  readonly args: readonly string[];
};

/** A request that a server was asked about, as its log tells of it. */
export type Review = {
  readonly operation: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: string;
  readonly rules: readonly string[];
};

/** A server that this process started. */
export type ServerProcess = {
  readonly port: number;
  /** The port of its own metrics, served where it sees a cluster live. */
  readonly metricsPort: number;
  readonly logFile: string;
  /** Whether it says that it is ready, whoever signed its certificate, as a kubelet asks; false when nobody answers. */
  readonly isReady: () => Promise<boolean>;
  /** The lines of its log, of every start. */
  readonly log: () => Promise<readonly JsonObject[]>;
  /** What it was asked about, in order; without the requests of the API server that came from nobody's write. */
  readonly reviews: () => Promise<readonly Review[]>;
  /** Sends SIGTERM; the server answers what it was asked and ends. A second one would end it at once. */
  readonly terminate: () => void;
  /** Settles when it has ended. */
  readonly ended: () => Promise<ProgramEnd>;
  /** Sends SIGTERM and settles when it has ended. */
  readonly stop: () => Promise<ProgramEnd>;
  /** Starts it again on the same port; settles when it is ready. */
  readonly start: () => Promise<void>;
};

const LAUNCHER = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url));
const START_TRIES = 4;
const STOP_GRACE_MS = 60_000;

/**
 * Starts a server on a free port of 127.0.0.1, with a log that tells of every request, and waits until it is ready.
 * Throws an Error with the last lines of its log when it ends instead.
 */
export async function startServer(guard: Guard, settings: ServerSettings): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const [port = 0, metricsPort = 0] = await findFreePorts(2);
    try {
      return await startOn({ port, metricsPort }, guard, settings);
    } catch (error) {
      if (attempt === START_TRIES || !String(error).includes('EADDRINUSE')) throw error;
    }
  }
}

/** Launches a server and waits for nothing, for one that is never to be ready. */
export async function launchServer(
  { port, metricsPort }: Pick<ServerProcess, 'port' | 'metricsPort'>,
  guard: Guard,
  settings: ServerSettings,
): Promise<GuardedProgram> {
  const { certDir, args } = settings;
  const flags = ['--bind-address', '127.0.0.1', '--port', String(port), '--metrics-port', String(metricsPort)];
  if (certDir !== undefined) flags.push('--cert-dir', certDir);
  return guard.start({
    command: process.execPath,
    args: [LAUNCHER, 'serve', ...flags, ...args],
    env: environmentFor(guard.directory),
    cwd: guard.directory,
    logFile: logFileOf(guard, settings),
  });
}

function logFileOf({ directory }: Guard, { name }: ServerSettings): string {
  return join(directory, `${name}.log`);
}

async function startOn(
  { port, metricsPort }: Pick<ServerProcess, 'port' | 'metricsPort'>,
  guard: Guard,
  settings: ServerSettings,
): Promise<ServerProcess> {
  const logFile = logFileOf(guard, settings);
  const url = `https://127.0.0.1:${port}`;
  const isReady = async (): Promise<boolean> => {
    try {
      return (await requestApi({ url }, 'anonymous', '/readyz')).status === 200;
    } catch {
      return false;
    }
  };
  const start = async (): Promise<GuardedProgram> => {
    const program = await launchServer({ port, metricsPort }, guard, settings);
    await waitUntil('the server to be ready', async () => {
      await failIfEnded(program);
      return isReady();
    });
    return program;
  };
  let current = await start();
  const log = (): Promise<readonly JsonObject[]> => readLog(logFile);
  return {
    port,
    metricsPort,
    logFile,
    isReady,
    log,
    reviews: async () => (await log()).filter((line) => Object.hasOwn(line, 'uid')).map((line) => toReview(line)),
    terminate: () => current.signal('SIGTERM'),
    ended: () => current.ended,
    stop: () => current.stop(STOP_GRACE_MS),
    start: async () => {
      current = await start();
    },
  };
}

/** Nothing of the person's own settings; where compiled code is kept changes nothing but how soon a server is ready. */
function environmentFor(home: string): NodeJS.ProcessEnv {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME: home, LOG_LEVEL: 'debug', ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }) };
}

async function failIfEnded(program: GuardedProgram): Promise<void> {
  if (program.end() === undefined) return;
  throw new Error(`The server ended. Its last lines:\n${await lastLines(program.logFile)}`);
}

async function lastLines(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trimEnd().split('\n').slice(-10).join('\n');
}

/** Lines of JSON; what else is said on stderr, such as a warning of Node, is left out. */
async function readLog(file: string): Promise<readonly JsonObject[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.filter((line) => line.startsWith('{') && line.endsWith('}')).map((line) => asObject(JSON.parse(line)));
}

function toReview(line: JsonObject): Review {
  const text = (key: string): string => asString(line[key]) ?? '';
  return {
    operation: text('operation'),
    kind: text('kind'),
    namespace: text('namespace'),
    name: text('name'),
    user: text('user'),
    rules: asStrings(line['rules']),
  };
}
