import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';

import { viewOf } from '../../src/policy/cluster-view.ts';
import { shutDown } from '../../src/server/shutdown.ts';
import { makeAuthority, makeClientPair, makeServerPair } from '../support/certificates.ts';
import { makePod } from '../support/rule-tester.ts';
import { call, listen, makeServer, reviewOf } from '../support/server.ts';

const body = JSON.stringify(reviewOf(makePod()));

describe('a listening server', () => {
  it('speaks HTTPS and answers a review', async (t) => {
    const server = await makeServer(t);
    const { status, body: text } = await call(await listen(server), '/validate?timeout=5s', { body, ca: server.ca });
    assert.equal(status, 200);
    assert.match(text, /"allowed":true/);
  });

  it('serves a new certificate without being restarted', async (t) => {
    const server = await makeServer(t);
    const port = await listen(server);
    const next = await makeAuthority('next CA');
    server.replaceCertificate(await makeServerPair(next));
    await assert.rejects(call(port, '/livez', { ca: server.ca }));
    assert.equal((await call(port, '/livez', { ca: next.cert })).status, 200);
  });

  it('answers only clients of the client CA, and health to everyone', async (t) => {
    const clientAuthority = await makeAuthority('client CA');
    const server = await makeServer(t, { clientCa: clientAuthority.cert });
    const port = await listen(server);
    const stranger = await makeClientPair(await makeAuthority('other CA'), 'kube-apiserver');
    const known = await makeClientPair(clientAuthority, 'kube-apiserver');
    const statusFor = async (pair: object) => (await call(port, '/validate', { body, ca: server.ca, ...pair })).status;
    assert.deepEqual([await statusFor({}), await statusFor(stranger), await statusFor(known)], [401, 401, 200]);
    assert.equal((await call(port, '/livez', { ca: server.ca })).status, 200);
  });
});

describe('shutting down', () => {
  it('answers what is in flight, tells clients to go, and is not held by connections that are kept', async (t) => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const server = await makeServer(t, {
      async viewFor() {
        entered.resolve();
        await gate.promise;
        return viewOf([]);
      },
    });
    const port = await listen(server);
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    await call(port, '/livez', { ca: server.ca, agent });
    const slow = call(port, '/validate', { body, ca: server.ca, agent });
    await entered.promise;
    const stopping = shutDown(server, 0);
    assert.equal((await server.app.inject({ method: 'GET', url: '/readyz' })).statusCode, 503);
    gate.resolve();
    const answer = await slow;
    assert.deepEqual([answer.status, answer.headers['connection']], [200, 'close']);
    await stopping;
  });

  it('is not held by a connection on which nobody has asked anything', { timeout: 20_000 }, async (t) => {
    const server = await makeServer(t);
    const socket = connect({ port: await listen(server), host: '127.0.0.1', ca: server.ca });
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    const closed = once(socket, 'close');
    await shutDown(server, 0);
    await closed;
  });
});
