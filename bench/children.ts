// The processes under measurement, which end with this one: also when it is told to stop half-way.

import { spawn, type ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

/** Starts a program for Node. What it writes goes nowhere: a log line an injection is no part of the table. */
export function startChild(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
