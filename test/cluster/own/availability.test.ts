import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { makeAuthority, makeServerPair, writeParts } from '../../support/certificates.ts';
import type { Cluster } from '../../support/cluster-access.ts';
import { ASKS, EXPOSES, makePod, verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { startRelay } from '../../support/relay.ts';
import { servedBy } from '../../support/served-by.ts';
import { startRequests, type SteadyRequests } from '../../support/steady-requests.ts';
import { waitUntil } from '../../support/wait-for.ts';
import { startWebhook, useWebhook } from '../../support/webhook.ts';

const REFUSED = 'denied pods kubelet-read-only-port';

await ownClusterSuite(
  'no request is lost while the server changes, with failurePolicy Fail',
  { controllers: false },
  (cluster) => {
    const webhook = useWebhook(cluster, { servers: 2 });

    it('both servers are restarted, one after the other', async (t) => {
      const { servers, createNamespace } = webhook();
      const requests = startVerdicts(t, cluster, await createNamespace());
      for (const server of servers) {
        await afterMore(requests, 30);
        const end = await server.stop();
        assert.deepEqual(end, { code: 0, signal: null });
        await afterMore(requests, 30);
        await server.start();
      }
      await afterMore(requests, 30);
      assert.deepEqual(Object.keys(await requests.stop()).sort(), ['allowed', REFUSED]);
      for (const server of servers) assert.ok((await server.reviews()).length > 30);
    });

    it('the certificate is replaced by one of another CA, after one that cannot be used', async (t) => {
      const { servers, certDir, authority, createNamespace, register } = webhook();
      const other = await makeAuthority('the next CA');
      const pair = await makeServerPair(other);
      const requests = startVerdicts(t, cluster, await createNamespace());
      await register({ trusted: `${authority.cert}${other.cert}` });
      await writeParts(certDir, { cert: pair.cert });
      const complaint = 'The new certificate in .* cannot be used, the old one stays in force';
      for (const server of servers) {
        await waitUntil('a complaint about a certificate without its key', async () => {
          return (await server.log()).some(({ msg }) => new RegExp(complaint).test(String(msg)));
        });
        assert.equal((await servedBy(server.port)).issuer.CN, 'webhook test CA');
      }
      await writeParts(certDir, { ...pair, ca: other.cert });
      for (const server of servers) {
        await waitUntil('the new certificate', async () => (await servedBy(server.port)).issuer.CN === 'the next CA');
      }
      await afterMore(requests, 30);
      // From here on only servers with the new certificate are believed, by whoever connects anew.
      await register({ trusted: other.cert });
      await afterMore(requests, 30);
      assert.deepEqual(Object.keys(await requests.stop()).sort(), ['allowed', REFUSED]);
    });

    it('a server gets SIGTERM while a request waits: it takes no more, and answers that one', async () => {
      const toApiServer = await startRelay(() => Number(new URL(cluster.url).port));
      const apiServerUrl = `https://127.0.0.1:${toApiServer.port}`;
      const own = await startWebhook(cluster, { apiServerUrl, timeoutSeconds: 30, args: ['--drain-seconds', '0'] });
      try {
        const [server] = own.servers;
        assert.ok(server);
        toApiServer.hold();
        // Its labels must be known before what only the strict profile refuses can be refused.
        const namespace = await own.createNamespace({ 'scrapeguard.io/enforce': 'strict' });
        const path = `/api/v1/namespaces/${namespace}/pods`;
        const answer = cluster.request(path, { method: 'POST', body: makePod('asks', ASKS), timeoutMs: 60_000 });
        await waitUntil('the server to ask for the labels', () => toApiServer.waiting() > 0);
        server.terminate();
        await waitUntil('the server to take no more', async () => !(await server.isReady()));
        toApiServer.release();
        assert.equal(verdictOf(await answer), `${REFUSED}-client`);
        assert.deepEqual(await server.ended(), { code: 0, signal: null });
      } finally {
        toApiServer.stop();
        await own.stop();
      }
    });
  },
);

/** Pods of which every other one is refused. */
function startVerdicts(t: TestContext, cluster: Cluster, namespace: string): SteadyRequests {
  return startRequests(t, async (number, agent) => {
    const body = makePod(`pod-${number}`, number % 2 === 0 ? EXPOSES : {});
    return verdictOf(
      await cluster.request(`/api/v1/namespaces/${namespace}/pods?dryRun=All`, { method: 'POST', body, agent }),
    );
  });
}

async function afterMore(requests: SteadyRequests, more: number): Promise<void> {
  const enough = requests.count() + more;
  await waitUntil(`${more} more answers`, () => requests.count() >= enough);
}
