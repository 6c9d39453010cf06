// A webhook server for tests: real parts, the default policy, a log that is kept, and a loopback listener on demand.

import { request as httpsRequest, type Agent } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

import type { Outcome } from '../../src/admission/reply.ts';
import { readPolicy } from '../../src/config/policy-file.ts';
import type { AdmissionRequest } from '../../src/kube/admission-review.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { makeRuleset } from '../../src/policy/ruleset.ts';
import { RULES } from '../../src/rules/index.ts';
import { buildServer, type Server, type ServerParts } from '../../src/server/app.ts';
import { holdPair, type ServingPair } from '../../src/tls/source.ts';
import { makeAuthority, makeServerPair } from './certificates.ts';

/** What a server told while it answered. */
export interface Told {
  readonly verdicts: { request: AdmissionRequest; outcome: Outcome }[];
  readonly failures: string[];
}

/** A server with its CA, closed at the end of the test. */
export interface TestServer extends Server, Told {
  readonly ca: string;
  readonly replaceCertificate: (pair: ServingPair) => void;
}

/** Builds a server of real parts under the default policy; any part can be given instead. */
export async function makeServer(t: TestContext, parts: Partial<ServerParts> = {}): Promise<TestServer> {
  const authority = await makeAuthority();
  const held = holdPair({ ...(await makeServerPair(authority)), ca: authority.cert });
  const policy = await readPolicy(undefined, RULES);
  const ruleset = makeRuleset(RULES, policy.spec);
  const view = viewOf([]);
  const told: Told = { verdicts: [], failures: [] };
  const server = buildServer({
    certificates: held.source,
    version: '0.0.0-test',
    ruleset: () => ruleset,
    viewFor: () => view,
    today: () => '2026-01-01',
    isReady: () => true,
    record: (request, outcome) => void told.verdicts.push({ request, outcome }),
    recordFailure: (code) => void told.failures.push(code),
    ...parts,
  });
  t.after(() => server.app.close());
  return { ...server, ...told, ca: authority.cert, replaceCertificate: held.replace };
}

/** The review of a CREATE of an object by an ordinary user. */
export function reviewOf(object: JsonObject, request: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace: 'default',
      name: 'app',
      operation: 'CREATE',
      userInfo: { username: 'jane', groups: ['system:authenticated'] },
      object,
      ...request,
    },
  };
}

/** Makes the server listen on a free loopback port and gives the port. */
export async function listen({ app }: Server): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

/** One answer of a listening server. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Posts a body to a listening server, or gets a path when there is no body. */
export function call(
  port: number,
  path: string,
  options: { body?: string; agent?: Agent; ca: string; cert?: string; key?: string },
): Promise<Answer> {
  const { body, ...tls } = options;
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        ...tls,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
