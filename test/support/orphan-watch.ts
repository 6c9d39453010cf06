import { readFileSync } from 'node:fs';

const INTERVAL_MS = 500;
let watching = false;

/**
 * Ends this process, as SIGTERM would, soon after its parent is gone: a test file or a script whose runner was killed
 * must not go on by itself. Does not keep the process alive. Safe to call more than once.
 */
export function endWithParent(): void {
  if (watching) return;
  watching = true;
  const ancestors = findAncestors();
  setInterval(() => {
    if (findAncestors() !== ancestors) process.kill(process.pid, 'SIGTERM');
  }, INTERVAL_MS).unref();
}

/** The ids of this process' parent and, under npm, which runs a script by way of a shell, of the parent's parent. */
function findAncestors(): string {
  const isUnderNpm = process.env['npm_lifecycle_event'] !== undefined;
  return isUnderNpm ? `${process.ppid} ${findParent(process.ppid)}` : String(process.ppid);
}

/** Known on Linux only. Elsewhere the shell of npm is replaced by the script, and nothing stands in between. */
function findParent(pid: number): string | undefined {
  try {
    // "pid (name) state parent ...", where the name may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')')).split(' ')[2];
  } catch {
    return undefined;
  }
}
