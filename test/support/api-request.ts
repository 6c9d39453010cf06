import type { ClientRequest, IncomingMessage } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';

/** Where a server is, and what it is trusted by; without `ca` whoever is there is believed. */
export type ApiServer = { readonly url: string; readonly ca?: string };

/** Who asks: a client certificate, a bearer token, or nobody. PEM texts. */
export type Credentials = { readonly cert: string; readonly key: string } | { readonly token: string } | 'anonymous';

/** `body` is sent as JSON unless it is a string; `contentType` is application/json unless told. */
export type ApiRequest = {
  readonly method?: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Keeps connections from one request to the next; without it each request makes its own. */
  readonly agent?: Agent;
};

/** `body` is the parsed JSON, or the text where it is none; `warnings` are the texts of the Warning headers. */
export type ApiResponse = { readonly status: number; readonly body: unknown; readonly warnings: readonly string[] };

const TIMEOUT_MS = 30_000;

/** One request to an API server. Throws an Error when there is no answer in time (30 s unless told). */
export async function requestApi(
  server: ApiServer,
  credentials: Credentials,
  path: string,
  { method = 'GET', body, contentType = 'application/json', headers, timeoutMs = TIMEOUT_MS, agent }: ApiRequest = {},
): Promise<ApiResponse> {
  const request = httpsRequest(new URL(path, server.url), {
    method,
    agent: agent ?? false,
    ...(server.ca === undefined ? { rejectUnauthorized: false } : { ca: server.ca }),
    ...clientCertificate(credentials),
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': contentType }),
      ...authorization(credentials),
      ...headers,
    },
  });
  request.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
  const response = await waitForResponse(request);
  return {
    status: response.statusCode ?? 0,
    body: parseBody(await text(response)),
    warnings: (response.headersDistinct['warning'] ?? []).flatMap((value) => parseWarnings(value)),
  };
}

function clientCertificate(credentials: Credentials): { readonly cert: string; readonly key: string } | undefined {
  return typeof credentials === 'object' && 'cert' in credentials ? credentials : undefined;
}

function authorization(credentials: Credentials): { readonly authorization: string } | undefined {
  if (typeof credentials !== 'object' || !('token' in credentials)) return undefined;
  return { authorization: `Bearer ${credentials.token}` };
}

async function waitForResponse(request: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once('response', resolve).once('error', reject);
  return promise;
}

function parseBody(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}

/** A warning is sent as: 299 - "text", with `"` and `\\` escaped by a backslash. */
function parseWarnings(value: string): readonly string[] {
  const quoted = value.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g);
  return Array.from(quoted, ([, inside = '']) => inside.replaceAll(/\\(.)/g, '$1'));
}
