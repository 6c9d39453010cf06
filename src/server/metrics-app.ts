import Fastify, { type FastifyInstance } from 'fastify';

import { followSource, listenerOptions } from '../tls/listener.ts';
import type { CertificateSource } from '../tls/source.ts';
import type { Admittance, Gate } from './gate.ts';
import { NO_SCHEMAS } from './no-schemas.ts';

/** What the server of our own metrics is made of. */
export interface MetricsParts {
  readonly certificates: CertificateSource;
  readonly gate: Gate;
  /** All metrics in the text format of Prometheus, and the media type of that text. */
  readonly render: () => Promise<string>;
  readonly contentType: string;
}

const REFUSALS: Readonly<Record<Exclude<Admittance, 200>, string>> = {
  401: 'Send a bearer token that the API server knows.\n',
  403: 'The token is good, but its owner may not get /metrics.\n',
  503: 'The API server did not say whether you may get /metrics.\n',
};

/**
 * The server of our own metrics, not listening yet: GET and HEAD of `/metrics` over HTTPS for whoever the gate lets in.
 * Like every metrics endpoint that we ask others to protect.
 */
export function buildMetricsServer({ certificates, gate, render, contentType }: MetricsParts): FastifyInstance {
  const app = Fastify({
    https: listenerOptions(certificates, {}),
    schemaController: NO_SCHEMAS,
    requestTimeout: 15_000,
    logger: false,
  });
  followSource(app.server, certificates, {});
  app.get('/metrics', async (request, reply) => {
    const admittance = await gate(request.headers.authorization, request.method.toLowerCase());
    if (admittance === 200) return reply.type(contentType).send(await render());
    if (admittance === 401) void reply.header('www-authenticate', 'Bearer');
    return reply.code(admittance).type('text/plain; charset=utf-8').send(REFUSALS[admittance]);
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('Only /metrics is served.\n'));
  return app;
}
