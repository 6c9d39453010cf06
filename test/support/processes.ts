import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { OwnedProcesses } from './killed-owner.ts';

/** True while a process of that id exists, and is not just waiting for its parent to take notice of its end. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !isZombie(pid);
}

/** On Linux; elsewhere a zombie counts as running, until init has taken notice. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
  } catch {
    return false;
  }
}

/** Settles when no process of these ids exists. Throws an Error after ten seconds, the most a killed run may leave. */
export async function waitUntilGone(pids: readonly number[]): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (!pids.some((pid) => isRunning(pid))) return;
    await sleep(100);
  }
  throw new Error(`Processes still run after ten seconds: ${pids.filter((pid) => isRunning(pid)).join(', ')}.`);
}

/** A process that runs `killed-owner.ts`, and what it said. */
export type StartedOwner = OwnedProcesses & { readonly process: ChildProcess };

/** Runs `killed-owner.ts` until it has started its programs. */
export async function startOwner(what: 'dummies' | 'control-plane' | 'parent'): Promise<StartedOwner> {
  const script = fileURLToPath(new URL('./killed-owner.ts', import.meta.url));
  const child = spawn(process.execPath, [script, what], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) {
    const owned: OwnedProcesses = JSON.parse(line);
    return { process: child, ...owned };
  }
  throw new Error('The process to be killed ended before it had started anything.');
}
