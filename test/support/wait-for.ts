import { setTimeout as sleep } from 'node:timers/promises';

const ATTEMPTS = 900;
const PAUSE_MS = 100;

/**
 * What `look` finds, as soon as it finds something. Throws an Error that says what was waited for when there is nothing
 * after 900 looks, which is a minute and a half at least: far longer than anything takes on a busy machine.
 */
export async function waitFor<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(PAUSE_MS);
  }
  throw new Error(`Waited in vain for ${what}.`);
}

/** Settles as soon as `isSo` says true; otherwise like `waitFor`. */
export async function waitUntil(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  await waitFor(what, async () => ((await isSo()) ? true : undefined));
}
