// The guard: a process of its own that starts programs for its owner and, when the owner is gone for whatever reason,
// kills them all and removes the folder they worked in. SIGKILL leaves the owner no chance to do it itself.
// Started by startGuard in guard.ts with a folder prefix as its only argument; spoken to over node's IPC channel.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';

/** A program to run: its output goes to the end of `logFile`, it reads no input, and `env` is all of its environment. */
export type Program = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFile: string;
};

/** What the owner asks of the guard; `id` is the owner's own number for a program. */
export type GuardRequest =
  | { readonly kind: 'start'; readonly id: number; readonly program: Program }
  | { readonly kind: 'signal'; readonly id: number; readonly signal: NodeJS.Signals }
  | { readonly kind: 'end' };

/** How a program ended: an exit code, or the signal that ended it. */
export type ProgramEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** What the guard tells the owner; a program that could not be started is `ended` without having `started`. */
export type GuardReport =
  | { readonly kind: 'ready'; readonly directory: string }
  | { readonly kind: 'started'; readonly id: number; readonly pid: number }
  | { readonly kind: 'ended'; readonly id: number; readonly end: ProgramEnd; readonly problem?: string };

const directory = mkdtempSync(process.argv[2] ?? '');
const running = new Map<number, ChildProcess>();
let ending = false;

process.on('message', (message) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the channel is ours, both ends come from one version of these files
  const request = message as GuardRequest;
  if (request.kind === 'start') start(request.id, request.program);
  else if (request.kind === 'signal') signalGroup(running.get(request.id), request.signal);
  else endAll();
});
process.on('disconnect', endAll);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, endAll);
tell({ kind: 'ready', directory });

function start(id: number, program: Program): void {
  if (ending) return;
  const log = openSync(program.logFile, 'a');
  // Detached gives the program a process group, so that what it starts itself is ended with it.
  const child = spawn(program.command, program.args, {
    cwd: program.cwd,
    env: program.env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  running.set(id, child);
  child.once('spawn', () => tell({ kind: 'started', id, pid: child.pid ?? 0 }));
  child.once('error', (error) => finish(id, { code: null, signal: null }, error.message));
  child.once('exit', (code, signal) => {
    signalGroup(child, 'SIGKILL');
    finish(id, { code, signal });
  });
}

function finish(id: number, end: ProgramEnd, problem?: string): void {
  if (!running.delete(id)) return;
  tell({ kind: 'ended', id, end, ...(problem !== undefined && { problem }) });
  if (ending) leaveWhenAlone();
}

function endAll(): void {
  ending = true;
  for (const child of running.values()) signalGroup(child, 'SIGKILL');
  leaveWhenAlone();
}

function leaveWhenAlone(): void {
  if (running.size > 0) return;
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  if (process.connected) process.disconnect();
}

function signalGroup(child: ChildProcess | undefined, signal: NodeJS.Signals): void {
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

function tell(report: GuardReport): void {
  // An owner that is gone hears nothing, and that is no reason to stop cleaning up.
  if (process.connected) process.send?.(report, () => {});
}
