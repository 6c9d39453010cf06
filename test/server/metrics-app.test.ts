import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import type { FastifyInstance } from 'fastify';

import type { Admittance } from '../../src/server/gate.ts';
import { buildMetricsServer } from '../../src/server/metrics-app.ts';
import { selfSignedSource } from '../../src/tls/self-signed.ts';

async function makeApp(t: TestContext, admittance: Admittance): Promise<FastifyInstance> {
  const app = buildMetricsServer({
    certificates: await selfSignedSource([], new Date()),
    gate: async () => admittance,
    render: async () => 'up 1\n',
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
  });
  t.after(() => app.close());
  return app;
}

describe('the server of our own metrics', () => {
  it('shows them to whoever the gate lets in', async (t) => {
    const { statusCode, body, headers } = await (await makeApp(t, 200)).inject('/metrics');
    assert.deepEqual([statusCode, body], [200, 'up 1\n']);
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  });

  for (const status of [401, 403, 503] as const) {
    it(`shows nothing of them at ${status}`, async (t) => {
      const { statusCode, body, headers } = await (await makeApp(t, status)).inject('/metrics');
      assert.equal(statusCode, status);
      assert.doesNotMatch(body, /up 1/);
      assert.equal(headers['www-authenticate'], status === 401 ? 'Bearer' : undefined);
    });
  }

  it('serves nothing else', async (t) => {
    const app = await makeApp(t, 200);
    for (const url of ['/', '/metrics/', '/Metrics', '/validate', '/livez', '/debug/pprof']) {
      assert.equal((await app.inject(url)).statusCode, 404, url);
    }
    assert.equal((await app.inject({ method: 'POST', url: '/metrics' })).statusCode, 404);
  });
});
