import type { FastifyServerOptions } from 'fastify';

function refuse(): never {
  throw new Error('No route has a schema: a review is read by decodeReview.');
}

/**
 * The option by which a server compiles no JSON Schemas, for its routes have none: Fastify would load two compilers for
 * them at the start.
 */
export const NO_SCHEMAS: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: () => refuse, buildSerializer: () => refuse },
};
