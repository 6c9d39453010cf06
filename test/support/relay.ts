import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay on a port of 127.0.0.1 of its own. */
export type Relay = {
  readonly port: number;
  /** From now on nothing goes through in either direction, until `release`. */
  readonly hold: () => void;
  readonly release: () => void;
  /** How many clients have sent something that is held back. */
  readonly waiting: () => number;
  /** Ends every connection; new ones are taken. */
  readonly cut: () => void;
  /** Ends every connection, and takes no new one. */
  readonly stop: () => void;
};

/**
 * Stands between clients and servers of 127.0.0.1, where a Service or a slow network would: each new connection goes to
 * the port that `choosePort` names, or is ended when it names none.
 */
export async function startRelay(choosePort: () => number | undefined): Promise<Relay> {
  const links = new Set<Link>();
  let isHeld = false;
  const server = createServer((client) => {
    const port = choosePort();
    if (port === undefined) return void client.destroy();
    const link = new Link(client, port, isHeld);
    links.add(link);
    client.once('close', () => links.delete(link));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    hold() {
      isHeld = true;
      for (const link of links) link.hold();
    },
    release() {
      isHeld = false;
      for (const link of links) link.release();
    },
    waiting: () => [...links].filter((link) => link.isWaiting()).length,
    cut() {
      for (const link of links) link.end();
    },
    stop() {
      server.close();
      for (const link of links) link.end();
    },
  };
}

/** One connection through the relay. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  #held: { readonly to: Socket; readonly chunk: Buffer }[] | undefined;

  constructor(client: Socket, port: number, isHeld: boolean) {
    this.#client = client;
    this.#server = connect(port, '127.0.0.1');
    this.#held = isHeld ? [] : undefined;
    client.on('data', (chunk: Buffer) => this.#pass(this.#server, chunk));
    this.#server.on('data', (chunk: Buffer) => this.#pass(client, chunk));
    // An end that breaks takes the other one with it, as it would without a relay.
    for (const socket of [client, this.#server]) socket.on('error', () => this.end());
    client.on('close', () => this.#server.destroy());
    this.#server.on('close', () => client.destroySoon());
  }

  #pass(to: Socket, chunk: Buffer): void {
    if (this.#held === undefined) to.write(chunk);
    else this.#held.push({ to, chunk });
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { to, chunk } of held) to.write(chunk);
  }

  isWaiting(): boolean {
    return this.#held?.some(({ to }) => to === this.#server) ?? false;
  }

  end(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}
