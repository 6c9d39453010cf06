// Run by tests as a process of its own, to be killed: it starts programs under a guard, tells their process ids in one
// line of JSON, and then waits. Its argument says what to start: `dummies`, `control-plane`, or `parent` (itself, once more).
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startControlPlane } from './control-plane.ts';
import { startGuard } from './guard.ts';

/** What the line says. */
export type OwnedProcesses = {
  readonly owner: number;
  readonly guard?: number;
  readonly pids: readonly number[];
  readonly directory: string;
};

// A program that does not care for SIGTERM and has a child of its own.
const STUBBORN = `
  process.on('SIGTERM', () => {});
  const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  console.log(child.pid);
  setInterval(() => {}, 1000);
`;

const STARTERS: Readonly<Record<string, () => Promise<void>>> = {
  dummies: startDummies,
  'control-plane': async () => {
    const controlPlane = await startControlPlane();
    tell({ owner: process.pid, pids: controlPlane.pids(), directory: controlPlane.directory });
  },
  parent: async () => {
    spawn(process.execPath, [fileURLToPath(import.meta.url), 'dummies'], { stdio: 'inherit' });
  },
};

await STARTERS[process.argv[2] ?? '']?.();
// Long enough for any test, and an end if the test forgets.
setTimeout(() => {}, 60_000);

async function startDummies(): Promise<void> {
  const guard = await startGuard();
  const pids: number[] = [];
  for (const name of ['one', 'two']) {
    const program = await guard.start({
      command: process.execPath,
      args: ['-e', STUBBORN],
      env: {},
      cwd: guard.directory,
      logFile: join(guard.directory, name),
    });
    pids.push(program.pid);
  }
  tell({ owner: process.pid, guard: guard.pid, pids, directory: guard.directory });
}

function tell(line: OwnedProcesses): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
