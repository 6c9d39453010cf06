import { setTimeout as sleep } from 'node:timers/promises';

import type { Server } from './app.ts';

/** How often connections that have nothing left to answer are closed while the last requests end. */
const SWEEP_MS = 50;

/**
 * Ends a server without losing a request: not ready first, then `drainMs` for clients to notice, then no new
 * connections, and resolved when the last answer is sent. Kept-alive connections are closed as they fall idle.
 */
export async function shutDown({ app, drain }: Server, drainMs: number): Promise<void> {
  drain();
  await sleep(drainMs);
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
  }
}
