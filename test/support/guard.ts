import { fork, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GuardReport, GuardRequest, Program, ProgramEnd } from './guard-process.ts';
import { endWithParent } from './orphan-watch.ts';

export type { Program, ProgramEnd } from './guard-process.ts';

/** A program that runs under a guard. */
export type GuardedProgram = {
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the program has ended, however it did. */
  readonly ended: Promise<ProgramEnd>;
  /** How it ended, or undefined while it runs. */
  readonly end: () => ProgramEnd | undefined;
  /** Sends a signal to the program and to what it started. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** SIGTERM, and SIGKILL after `graceMs` (10 seconds unless told); settles when the program has ended. */
  readonly stop: (graceMs?: number) => Promise<ProgramEnd>;
};

/** A guard and the folder that it made and will remove. */
export type Guard = {
  readonly pid: number;
  readonly directory: string;
  /** Starts a program; throws an Error with one sentence when it cannot be started. */
  readonly start: (program: Program) => Promise<GuardedProgram>;
  /** Kills every program, removes the folder; settles when both are done. */
  readonly end: () => Promise<void>;
};

/**
 * A guard process: whatever ends this process, SIGKILL too, ends every program started through the guard within a
 * second or two and removes the guard's folder, whose path begins with `prefix` (one in the system's temporary folder
 * unless told). Neither the guard nor its programs keep this process alive.
 */
export async function startGuard(prefix: string = join(tmpdir(), 'scrapeguard-')): Promise<Guard> {
  endWithParent();
  const child = fork(fileURLToPath(new URL('./guard-process.ts', import.meta.url)), [prefix], {
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const channel = new GuardChannel(child);
  const directory = await channel.ready;
  return {
    pid: child.pid ?? 0,
    directory,
    start: (program) => channel.start(program),
    end: () => channel.end(),
  };
}

type Entry = {
  readonly started: PromiseWithResolvers<number>;
  readonly ended: PromiseWithResolvers<ProgramEnd>;
  pid: number | undefined;
  end: ProgramEnd | undefined;
};

class GuardChannel {
  readonly ready: Promise<string>;
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<string>();
  readonly #gone = Promise.withResolvers<void>();
  readonly #entries = new Map<number, Entry>();
  #waiting = 0;
  #nextId = 1;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.ready = this.#whileAlive(this.#ready.promise);
    child.unref();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the channel is ours, both ends come from one version of these files
    child.on('message', (message) => this.#hear(message as GuardReport));
    child.once('error', (error) => this.#ready.reject(error));
    child.once('exit', () => this.#close());
  }

  async start(program: Program): Promise<GuardedProgram> {
    const id = this.#nextId++;
    const entry: Entry = {
      started: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      pid: undefined,
      end: undefined,
    };
    this.#entries.set(id, entry);
    this.#send({ kind: 'start', id, program });
    const pid = await this.#whileAlive(entry.started.promise).catch((error: unknown) => {
      throw new Error(`${program.command} cannot be started: ${messageOf(error)}`, { cause: error });
    });
    const signal = (name: NodeJS.Signals): void => this.#send({ kind: 'signal', id, signal: name });
    return {
      pid,
      logFile: program.logFile,
      ended: entry.ended.promise,
      end: () => entry.end,
      signal,
      stop: async (graceMs = 10_000) => {
        if (entry.end !== undefined) return entry.end;
        signal('SIGTERM');
        const timer = setTimeout(() => signal('SIGKILL'), graceMs);
        return this.#whileAlive(entry.ended.promise).finally(() => clearTimeout(timer));
      },
    };
  }

  async end(): Promise<void> {
    this.#send({ kind: 'end' });
    await this.#whileAlive(this.#gone.promise);
  }

  /** Keeps the process alive while somebody waits for the guard, and only then. */
  async #whileAlive<T>(promise: Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) {
      this.#child.ref();
      this.#child.channel?.ref();
    }
    try {
      return await promise;
    } finally {
      if (--this.#waiting === 0) {
        this.#child.unref();
        this.#child.channel?.unref();
      }
    }
  }

  #send(request: GuardRequest): void {
    // Without a guard there are no programs left to talk about: #close has told everybody who waits.
    if (this.#child.connected) this.#child.send(request, () => {});
  }

  #hear(report: GuardReport): void {
    if (report.kind === 'ready') return this.#ready.resolve(report.directory);
    const entry = this.#entries.get(report.id);
    if (entry === undefined) return;
    if (report.kind === 'started') {
      entry.pid = report.pid;
      return entry.started.resolve(report.pid);
    }
    this.#entries.delete(report.id);
    entry.end = report.end;
    entry.started.reject(new Error(report.problem ?? 'it ended at once.'));
    entry.ended.resolve(report.end);
  }

  /** The guard is gone: normally after `end`; if it was killed itself, its programs are ended from here. */
  #close(): void {
    this.#ready.reject(new Error('The guard process ended before it was ready.'));
    for (const entry of this.#entries.values()) {
      if (entry.pid !== undefined) killGroup(entry.pid);
      entry.end = { code: null, signal: 'SIGKILL' };
      entry.started.reject(new Error('the guard process is gone.'));
      entry.ended.resolve(entry.end);
    }
    this.#entries.clear();
    this.#gone.resolve();
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
