import type { KubeConfig } from '@kubernetes/client-node';
import type undiciModule from 'undici';
import type { Dispatcher } from 'undici';

import { asObject, asString, type JsonObject } from '../kube/json.ts';

/** An answer of the API server that is no success. */
export class ApiError extends Error {
  /** The HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** Longer than any object that an API server stores; what has no line breaks is no stream of objects. */
const LONGEST_LINE = 16 * 1024 * 1024;

/** A request to the API server; the path begins with `/` and carries its own query. */
export interface ApiRequest {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: JsonObject | readonly JsonObject[];
  /** The media type of the body; JSON unless said. */
  readonly contentType?: string;
}

/** Talks to one API server; objects come back as raw JSON. */
export interface ApiClient {
  /** The decoded answer of a successful request. Rejects with an ApiError otherwise, and with what fetch throws. */
  readonly request: (request: ApiRequest) => Promise<JsonObject>;
  /**
   * The lines of a streamed answer, as they come, from the moment that the server has begun to answer. They end when the
   * server ends them. Rejects like `request`.
   */
  readonly lines: (request: ApiRequest) => Promise<AsyncIterable<string>>;
  /** Closes the connections that are kept open. */
  readonly close: () => Promise<void>;
}

/** How a cluster is reached: by a kubeconfig file and one of its contexts, or as a pod of it. */
export interface Connection {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/**
 * Connects to the cluster of a kubeconfig, or to the one that this process runs in. Nothing is sent yet. Throws an Error
 * with one sentence when there is no cluster to connect to.
 */
export async function connect({ kubeconfig, context }: Connection): Promise<ApiClient> {
  // The libraries take half a second to load, which the standalone server and the command line need not wait for.
  // undici is CommonJS, of which a bundle has no named exports.
  const [{ KubeConfig }, { default: undici }] = await Promise.all([
    import('@kubernetes/client-node'),
    import('undici'),
  ]);
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromCluster();
  else config.loadFromFile(kubeconfig);
  if (context !== undefined) config.setCurrentContext(context);
  return clientOf(config, undici);
}

type Undici = typeof undiciModule;

function clientOf(config: KubeConfig, undici: Undici): ApiClient {
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error('The kubeconfig names no cluster for its current context.');
  let known: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;
  // One dispatcher for all requests, for the library's own would open a connection for each; a new one when the
  // credentials on disk change.
  const dispatcherFor = async (tls: Tls): Promise<Dispatcher> => {
    const key = JSON.stringify([tls.ca, tls.cert, tls.key, tls.servername]);
    if (known?.key === key) return known.dispatcher;
    await known?.dispatcher.close();
    known = { key, dispatcher: makeDispatcher(undici, config, tls) };
    return known.dispatcher;
  };
  const send = async ({ path, signal, method = 'GET', body, contentType }: ApiRequest): Promise<Response> => {
    const tls: Tls = {};
    await config.applyToHTTPSOptions(tls);
    const response = await undici.fetch(`${server}${path}`, {
      method,
      signal,
      dispatcher: await dispatcherFor(tls),
      headers: { ...headersOf(tls), accept: 'application/json', 'content-type': contentType ?? 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    const status = asObject(await response.json().catch(() => undefined));
    throw new ApiError(response.status, asString(status['message']) ?? `${method} ${path}: HTTP ${response.status}`);
  };
  return {
    async request(request) {
      const response = await send(request);
      return asObject(await response.json());
    },
    async lines(request) {
      const { body } = await send(request);
      return linesOf(body ?? []);
    },
    async close() {
      await known?.dispatcher.close();
    },
  };
}

type Tls = Exclude<Parameters<KubeConfig['applyToHTTPSOptions']>[0], undefined>;
type Response = Awaited<ReturnType<Undici['fetch']>>;

function headersOf({ headers, auth }: Tls): Record<string, string> {
  const given = Object.entries(asObject(headers)).map(([name, value]) => [name, String(value)]);
  const basic = typeof auth === 'string' ? [['authorization', `Basic ${btoa(auth)}`]] : [];
  return Object.fromEntries([...given, ...basic]);
}

function makeDispatcher({ Agent, ProxyAgent }: Undici, config: KubeConfig, given: Tls): Dispatcher {
  const { ca, cert, key, rejectUnauthorized, servername } = given;
  const proxyUrl = config.getCurrentCluster()?.proxyUrl;
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
  if (proxyUrl === undefined) return new Agent({ connect: tls });
  if (!/^https?:/.test(proxyUrl)) throw new Error(`The proxy-url ${proxyUrl} of the kubeconfig is not http or https.`);
  return new ProxyAgent({ uri: proxyUrl, requestTls: tls });
}

async function* linesOf(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw new Error('A line of the answer has no end.');
    yield* parts.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}
