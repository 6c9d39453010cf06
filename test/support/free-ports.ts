import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports of 127.0.0.1 that were free a moment ago, all different. Another process may take one before it is used, so
 * the user starts again with others when a program finds its port taken.
 */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    const ports: number[] = [];
    for (const server of servers) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      if (typeof address === 'object' && address !== null) ports.push(address.port);
    }
    return ports;
  } finally {
    for (const server of servers) server.close();
  }
}
