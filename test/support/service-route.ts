// The way from an API server to a Service, on a machine where nothing routes addresses of Services.
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Flags } from './control-plane-programs.ts';

/** A route, and the flags by which an API server takes it to whatever is in the cluster. */
export type ServiceRoute = {
  readonly flags: Flags;
  /** The addresses that were asked for, each once. */
  readonly asked: () => readonly string[];
  /** From now on connections go to the port of 127.0.0.1 that this names; they are refused when it names none. */
  readonly leadTo: (choosePort: () => number | undefined) => void;
  /** Ends every connection, as when the pods behind a Service are gone. */
  readonly cut: () => void;
  readonly stop: () => void;
};

/**
 * Stands where a tunnel to the pod network stands in other installations (an EgressSelectorConfiguration), so that
 * webhooks are called by their Service, with its name in TLS. Does not keep the process alive.
 */
export async function startServiceRoute(): Promise<ServiceRoute> {
  const directory = mkdtempSync(join(tmpdir(), 'scrapeguard-route-'));
  const socketFile = join(directory, 'tunnel.sock');
  const configuration = join(directory, 'egress.json');
  writeFileSync(configuration, JSON.stringify(egressThrough(socketFile)));
  const asked = new Set<string>();
  const open = new Set<Duplex>();
  let choosePort: () => number | undefined = () => undefined;
  const server = createServer();
  server.on('connect', ({ url = '' }, client: Socket) => {
    asked.add(url);
    const port = choosePort();
    if (port === undefined) return void client.end('HTTP/1.1 503 Nobody is ready\r\n\r\n');
    const pod = connect(port, '127.0.0.1', () => client.write('HTTP/1.1 200 Connected\r\n\r\n'));
    for (const [socket, other] of [
      [client, pod],
      [pod, client],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(socketFile);
  await once(server, 'listening');
  server.unref();
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    flags: { 'egress-selector-config-file': configuration },
    asked: () => [...asked],
    leadTo(choose) {
      choosePort = choose;
    },
    cut,
    stop() {
      server.close();
      cut();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function egressThrough(udsName: string) {
  return {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [
      { name: 'cluster', connection: { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName } } } },
    ],
  };
}
