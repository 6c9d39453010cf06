// An API server of whose every answer a test decides: it holds each request until the test has said what to answer.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ApiClient, connect } from '../../src/cluster/api-client.ts';
import type { JsonObject } from '../../src/kube/json.ts';

/** A request that waits for its answer. */
export type HeldRequest = {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Answers with JSON. */
  readonly answer: (body: JsonObject, status?: number) => void;
  /** Answers with a Status of this code. */
  readonly fail: (code: number, message?: string) => void;
  /** Begins a streamed answer that has nothing to say yet. */
  readonly open: () => void;
  /** Sends a part of a streamed answer as it is; an object as one line. */
  readonly send: (...parts: readonly (JsonObject | string)[]) => void;
  /** Ends the streamed answer. */
  readonly end: () => void;
  /** Resets the connection. */
  readonly reset: () => void;
  /** Settles when the client has let go of the request or got its answer. */
  readonly closed: Promise<void>;
};

export type FakeApiServer = {
  readonly client: ApiClient;
  /** The next request, in the order in which they came; waits for one. */
  readonly next: () => Promise<HeldRequest>;
  /** How many requests came that `next` has not given. */
  readonly held: () => number;
  /** How many connections are open. */
  readonly connections: () => Promise<number>;
};

/** Starts a server on a port of 127.0.0.1, with a client of it; both are closed at the end of the test. */
export async function startFakeApiServer(t: TestContext): Promise<FakeApiServer> {
  const requests: HeldRequest[] = [];
  const takers: ((request: HeldRequest) => void)[] = [];
  const server = createServer((request, response) => {
    const held = hold(request, response);
    const taker = takers.shift();
    if (taker === undefined) requests.push(held);
    else taker(held);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = await connectTo(t, `http://127.0.0.1:${port}`);
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await client.close();
  });
  return {
    client,
    next() {
      const request = requests.shift();
      return request === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(request);
    },
    held: () => requests.length,
    connections: () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
  };
}

async function connectTo(t: TestContext, url: string): Promise<ApiClient> {
  const directory = await mkdtemp(join(tmpdir(), 'fake-api-server-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const kubeconfig = join(directory, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'fake', user: { token: 'fake' } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
    'current-context': 'fake',
  };
  await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return connect({ kubeconfig });
}

function hold(request: IncomingMessage, response: ServerResponse): HeldRequest {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  response.once('close', resolve);
  const answer = (body: JsonObject, status = 200): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const open = (): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  };
  return {
    path: pathname,
    query: searchParams,
    answer,
    fail: (code, message = `the code is ${code}`) => answer({ kind: 'Status', code, message }, code),
    open,
    send(...parts) {
      open();
      for (const part of parts) response.write(typeof part === 'string' ? part : `${JSON.stringify(part)}\n`);
    },
    end: () => void response.end(),
    reset: () => void request.socket.resetAndDestroy(),
    closed,
  };
}
