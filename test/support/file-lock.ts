import { open, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const BEAT_MS = 3_000;
const STALE_MS = 20_000;
const POLL_MS = 300;
const MAX_WAIT_MS = 45 * 60_000;

/** How patient a lock is, in milliseconds; only a test changes it. */
export type LockTiming = { readonly beatMs: number; readonly staleMs: number; readonly pollMs: number };

const TIMING: LockTiming = { beatMs: BEAT_MS, staleMs: STALE_MS, pollMs: POLL_MS };

/**
 * Runs `work` while holding the lock file at `path`; whoever else asks for it meanwhile waits, `onWait` being called once.
 * The holder keeps touching the file: one left behind by a killed process is taken over after 20 seconds, whatever
 * machine or container it ran on. Two waiters may take over at the same moment, so the work must be safe to do twice.
 * Throws when the lock is still held after 45 minutes.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  { onWait, timing = TIMING }: { readonly onWait?: () => void; readonly timing?: LockTiming } = {},
): Promise<T> {
  const deadline = Date.now() + MAX_WAIT_MS;
  for (let waits = 0; !(await tryCreate(path)); waits += 1) {
    if (waits === 0) onWait?.();
    if (Date.now() > deadline) throw new Error(`The lock ${path} is still held after 45 minutes.`);
    if (await isStale(path, timing.staleMs)) await rm(path, { force: true });
    else await sleep(timing.pollMs);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, timing.beatMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function tryCreate(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(`held by process ${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(path: string, staleMs: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > staleMs;
}
