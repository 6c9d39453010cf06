import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { viewOf } from '../../src/policy/cluster-view.ts';
import { MOST_IN_FLIGHT } from '../../src/server/in-flight.ts';
import { makePod } from '../support/rule-tester.ts';
import { makeServer, reviewOf } from '../support/server.ts';

const REQUEST = {
  method: 'POST',
  url: '/validate',
  payload: JSON.stringify(reviewOf(makePod())),
  headers: { 'content-type': 'application/json' },
} as const;

describe('a crowd of reviews', () => {
  it('is answered up to a number, and told to come again beyond it', async (t) => {
    const gate = Promise.withResolvers<void>();
    const server = await makeServer(t, {
      async viewFor() {
        await gate.promise;
        return viewOf([]);
      },
    });
    const waiting = Array.from({ length: MOST_IN_FLIGHT }, () => server.app.inject(REQUEST));
    while (server.inFlight() < MOST_IN_FLIGHT) await new Promise(setImmediate);
    const refused = await server.app.inject(REQUEST);
    assert.equal(refused.statusCode, 429);
    assert.equal(refused.headers['retry-after'], '1');
    assert.deepEqual(server.failures, ['OVERLOADED']);
    assert.equal((await server.app.inject('/livez')).statusCode, 200);
    gate.resolve();
    for (const { statusCode } of await Promise.all(waiting)) assert.equal(statusCode, 200);
    assert.equal((await server.app.inject(REQUEST)).statusCode, 200);
    assert.equal(server.inFlight(), 0);
  });
});
