import { TLSSocket } from 'node:tls';

import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type onRequestHookHandler,
} from 'fastify';

import { decodeReview } from '../admission/decode.ts';
import { REVIEW_ERRORS, ReviewError } from '../admission/review-error.ts';
import { mutate } from '../admission/mutate.ts';
import type { Outcome, Reply } from '../admission/reply.ts';
import { validate, type ViewFor } from '../admission/validate.ts';
import type { AdmissionRequest } from '../kube/admission-review.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import { followSource, listenerOptions } from '../tls/listener.ts';
import type { CertificateSource } from '../tls/source.ts';
import { Deadlines, waitingTime } from './deadline.ts';
import { SERVER_ERRORS, ServerError } from './errors.ts';
import { InFlight } from './in-flight.ts';
import { NO_SCHEMAS } from './no-schemas.ts';

/** Twice 7.5 MiB, for an UPDATE carries two objects, and room for the envelope. */
const BODY_LIMIT = 16 * 1024 * 1024;

/** Longer than the 90 s after which an API server drops an idle connection, so that it is never we who race it. */
const KEEP_ALIVE_MS = 120_000;

/** Everything the server is made of; it reads no file, no environment and no clock of its own. */
export interface ServerParts {
  readonly certificates: CertificateSource;
  /** CA certificates, PEM: with them only clients that they vouch for may ask for a verdict. */
  readonly clientCa?: string;
  readonly version: string;
  /** The rules under the policy in force, read anew for each request. */
  readonly ruleset: () => Ruleset;
  readonly viewFor: ViewFor;
  /** Today's date, UTC: `2027-03-31`. */
  readonly today: () => string;
  /** False until everything that a verdict needs is there. */
  readonly isReady: () => boolean;
  /** Hears of every verdict, with the milliseconds that it took. */
  readonly record: (request: AdmissionRequest, outcome: Outcome, milliseconds: number) => void;
  /** Hears of every request that got no verdict, and of errors that should not happen. */
  readonly recordFailure: (code: string, error: unknown) => void;
}

/** A server that is not listening yet. */
export interface Server {
  readonly app: FastifyInstance;
  /** From now on `/readyz` answers 503 and every answer closes its connection, so that clients go elsewhere. */
  readonly drain: () => void;
  /** How many reviews are being answered. */
  readonly inFlight: () => number;
}

/** Makes the webhook server; `app.inject` works without TLS, `app.listen` serves HTTPS over HTTP/1.1. */
export function buildServer(parts: ServerParts): Server {
  const app = makeApp(parts);
  let isDraining = false;
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isDraining) void reply.header('connection', 'close');
    done();
  });
  serveHealth(app, parts, () => isDraining);
  const inFlight = serveReviews(app, parts);
  return {
    app,
    inFlight,
    drain() {
      isDraining = true;
    },
  };
}

function makeApp({ certificates, clientCa, recordFailure }: ServerParts): FastifyInstance {
  const fixed = clientCa === undefined ? {} : { ca: clientCa };
  const app = Fastify({
    // rejectUnauthorized stays off because a kubelet probes /livez without a certificate; a review takes one.
    https: { ...listenerOptions(certificates, fixed), requestCert: clientCa !== undefined, rejectUnauthorized: false },
    schemaController: NO_SCHEMAS,
    bodyLimit: BODY_LIMIT,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 15_000,
    return503OnClosing: false,
    logger: false,
  });
  followSource(app.server, certificates, fixed);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: FastifyError, _request, reply) => refuse(error, reply, recordFailure));
  app.setNotFoundHandler((_request, reply) => refuse(new ServerError('NOT_FOUND'), reply, recordFailure));
  return app;
}

function serveHealth(app: FastifyInstance, { isReady, version }: ServerParts, isDraining: () => boolean): void {
  app.get('/livez', async () => 'ok\n');
  app.get('/readyz', async (_request, reply) => {
    if (isReady() && !isDraining()) return 'ok\n';
    return reply.code(503).send('not ready\n');
  });
  app.get('/version', async () => ({ version }));
}

/** What answers the reviews of each path; everything around it is the same. */
const ANSWERS: Readonly<Record<string, (...asked: Parameters<typeof validate>) => Promise<Reply>>> = {
  '/validate': validate,
  '/mutate': mutate,
};

/** Serves both paths; returns how many reviews are being answered. */
function serveReviews(app: FastifyInstance, parts: ServerParts): () => number {
  const deadlines = new Deadlines();
  const reviews = new InFlight();
  // Before the body is read, so that a crowd costs no memory.
  const onRequest: onRequestHookHandler = (_request, reply, done) => {
    done(reviews.enter(reply.raw) ? undefined : new ServerError('OVERLOADED'));
  };
  for (const [path, answer] of Object.entries(ANSWERS)) {
    app.post<{ Body: unknown; Querystring: { timeout?: unknown } }>(path, { onRequest }, async (request, reply) => {
      const start = performance.now();
      requireClient(request, parts.clientCa);
      const admission = decodeReview(typeof request.body === 'string' ? request.body : '');
      const judge = { ruleset: parts.ruleset(), viewFor: parts.viewFor, today: parts.today() };
      const { timeout } = request.query;
      const signal = deadlines.after(waitingTime(typeof timeout === 'string' ? timeout : undefined));
      const { review, outcome } = await answer(admission, judge, signal);
      parts.record(admission, outcome, performance.now() - start);
      void reply.header('content-type', 'application/json; charset=utf-8');
      return JSON.stringify(review);
    });
  }
  return () => reviews.count;
}

function requireClient({ socket }: FastifyRequest, clientCa: string | undefined): void {
  if (clientCa === undefined) return;
  if (!(socket instanceof TLSSocket && socket.authorized)) throw new ServerError('CLIENT_CERTIFICATE');
}

/** Fastify's own codes for what it refuses before a handler runs. */
const FASTIFY_CODES: Readonly<Record<string, ServerError['code']>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'CONTENT_TYPE',
};

function refuse(error: FastifyError, reply: FastifyReply, recordFailure: ServerParts['recordFailure']): void {
  const { code, status, sentence } = describe(error);
  recordFailure(code, error);
  if (status === 429) void reply.header('retry-after', '1');
  void reply.code(status).send({ code, message: sentence });
}

function describe(error: FastifyError): { code: string; status: number; sentence: string } {
  if (error instanceof ReviewError) return { code: error.code, ...REVIEW_ERRORS[error.code] };
  const code = error instanceof ServerError ? error.code : (FASTIFY_CODES[error.code] ?? 'INTERNAL');
  return { code, ...SERVER_ERRORS[code] };
}
