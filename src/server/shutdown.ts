import { setTimeout as sleep } from 'node:timers/promises';

import type { Server } from './app.ts';

/** How often connections that have nothing left to answer are closed while the last requests end. */
const SWEEP_MS = 50;

/** A second without a request: whoever is still connected has never asked, and does not count as idle to Node. */
const QUIET_SWEEPS = 20;

/**
 * Ends a server without losing a request: not ready first, then `drainMs` for clients to notice, then no new
 * connections, and resolved when the last answer is sent. Kept-alive connections are closed as they fall idle, and those
 * that API servers opened in advance and never used when there has been nothing to answer for a second.
 */
export async function shutDown({ app, drain, inFlight }: Server, drainMs: number): Promise<void> {
  drain();
  await sleep(drainMs);
  let quiet = 0;
  const sweep = setInterval(() => {
    app.server.closeIdleConnections();
    quiet = inFlight() === 0 ? quiet + 1 : 0;
    if (quiet >= QUIET_SWEEPS) app.server.closeAllConnections();
  }, SWEEP_MS);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
  }
}
