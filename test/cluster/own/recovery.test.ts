import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { issueServerCertificate, lastingUntil } from '../../../src/tls/issue.ts';
import type { KeyPair } from '../../../src/tls/source.ts';
import { makeAuthority, makeServerPair, writeParts } from '../../support/certificates.ts';
import { makeKubeconfig } from '../../support/cluster-access.ts';
import { EXPOSES, makePod, verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { type Guard, startGuard } from '../../support/guard.ts';
import { makeScraper, type Series } from '../../support/own-metrics.ts';
import type { Relay } from '../../support/relay.ts';
import { type ServerProcess, startServer } from '../../support/server-process.ts';
import { waitUntil } from '../../support/wait-for.ts';
import { startService } from '../../support/webhook.ts';
import { apply, makeServerAccount, register, SERVER_ACCOUNT } from '../../support/webhook-registration.ts';

const NAMESPACE = 'scrapeguard-system';
const RULE = 'kubelet-read-only-port';
const REFUSED = `denied pods ${RULE}`;
const EXPIRY = 'scrapeguard_certificate_expiry_timestamp_seconds';
const RELOADS = 'scrapeguard_certificate_reloads_total';
const PROBLEMS = 'scrapeguard_certificate_problems_total';
const START = 'process_start_time_seconds';
const RESOURCES = ['clusterroles', 'clusterrolebindings', 'namespaces'];

/** Long enough to be taken up before it is over, and no longer than one likes to wait. */
const SHORT_LIFE_MS = 15_000;

const POLICY = { apiVersion: 'scrapeguard.io/v1alpha1', kind: 'MetricsPolicy' };

await ownClusterSuite(
  'what fails while two servers run, with failurePolicy Fail: they recover alone, and their metrics tell of it',
  { controllers: false },
  (cluster) => {
    let guard: Guard;
    let front: Relay;
    let authority: KeyPair;
    let metricsOf: (server: ServerProcess) => Promise<Series>;
    const servers: ServerProcess[] = [];
    const starts: number[] = [];

    const directoryOf = (index: number): string => join(guard.directory, `certificates-${index}`);
    const verdict = async (): Promise<string> => {
      const body = makePod('exposes', EXPOSES);
      return verdictOf(await cluster.request('/api/v1/namespaces/default/pods?dryRun=All', { method: 'POST', body }));
    };
    const metrics = (): Promise<readonly Series[]> => Promise.all(servers.map((server) => metricsOf(server)));
    const setPolicy = (policy: unknown): Promise<void> =>
      writeFile(join(guard.directory, 'policy.yaml'), JSON.stringify(policy));
    /** A certificate that is over in a moment, for a server. */
    const giveShortLife = async (index: number): Promise<void> => {
      const subject = { commonName: 'short', names: ['127.0.0.1'] };
      const now = new Date();
      const validity = lastingUntil(now, new Date(now.getTime() + SHORT_LIFE_MS));
      await writeParts(directoryOf(index), await issueServerCertificate(authority, subject, validity));
    };

    before(async () => {
      guard = await startGuard();
      authority = await makeAuthority('recovery CA');
      const home = { name: 'scrapeguard', namespace: NAMESPACE, url: '' };
      await apply(cluster, '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: NAMESPACE },
      });
      await makeServerAccount(cluster, home);
      const kubeconfig = join(guard.directory, 'kubeconfig');
      const token = await cluster.serviceAccountToken(NAMESPACE, SERVER_ACCOUNT);
      await writeFile(kubeconfig, makeKubeconfig({ url: cluster.url, ca: cluster.authority.cert }, { token }));
      await setPolicy(POLICY);
      const args = ['--kubeconfig', kubeconfig, '--policy', join(guard.directory, 'policy.yaml')];
      for (const index of [0, 1]) {
        await mkdir(directoryOf(index));
        await writeParts(directoryOf(index), await makeServerPair(authority));
        servers.push(await startServer(guard, { name: `server-${index}`, certDir: directoryOf(index), args }));
      }
      front = await startService(servers);
      metricsOf = await makeScraper(cluster, NAMESPACE);
      starts.push(...(await metrics()).map((series) => series(START)));
      const place = { ...home, url: `https://127.0.0.1:${front.port}` };
      await register(cluster, place, { failurePolicy: 'Fail', trusted: authority.cert });
      await waitUntil('a verdict', async () => (await verdict()) === REFUSED);
    });
    after(async () => {
      front?.stop();
      await guard.end();
    });

    it('one certificate expires: its server is not ready, and whoever connects gets the other one', async () => {
      const [first, second] = servers;
      assert.ok(first && second);
      await giveShortLife(0);
      await waitUntil('the server to be left out', async () => !(await first.isReady()));
      assert.ok((await metricsOf(first))(EXPIRY) * 1_000 < Date.now());
      assert.equal(await second.isReady(), true);
      // Connections that were made before go on.
      front.cut();
      await waitUntil('a verdict', async () => (await verdict()) === REFUSED);
      for (let round = 0; round < 10; round += 1) {
        front.cut();
        const answers = [await verdict(), await verdict()];
        assert.deepEqual(answers.slice(1), [REFUSED]);
      }
    });

    it('the other expires, too: no answer is believed, and the failurePolicy decides', async () => {
      await giveShortLife(1);
      for (const server of servers) {
        await waitUntil('the server to be left out', async () => !(await server.isReady()));
      }
      front.cut();
      await waitUntil('a write to be held back', async () => (await verdict()).includes('failed calling webhook'));
      for (const series of await metrics()) {
        assert.ok(series(EXPIRY) * 1_000 < Date.now());
        assert.equal(series(RELOADS), 1);
      }
      for (const server of servers) {
        await waitUntil('a complaint', async () => (await metricsOf(server))(PROBLEMS) === 1);
      }
    });

    it('somebody renews both: they are ready again without a restart', async () => {
      for (const index of [0, 1]) await writeParts(directoryOf(index), await makeServerPair(authority));
      await waitUntil('a verdict', async () => (await verdict()) === REFUSED);
      for (const server of servers) await waitUntil('the server to be ready', () => server.isReady());
      for (const series of await metrics()) {
        assert.ok(series(EXPIRY) * 1_000 > Date.now());
        assert.deepEqual([series(RELOADS), series(PROBLEMS)], [2, 1]);
      }
    });

    it('a policy that cannot be used is refused and the old one stays; the next that can is used', async () => {
      const reloads = async (outcome: string): Promise<readonly number[]> =>
        (await metrics()).map((series) => series(`scrapeguard_policy_reloads_total{outcome="${outcome}"}`));
      await setPolicy({ ...POLICY, spec: { rules: { [RULE]: { maximumMoed: 'off' } } } });
      await waitUntil('both to refuse it', async () => String(await reloads('refused')) === '1,1');
      assert.equal(await verdict(), REFUSED);
      assert.deepEqual(await Promise.all(servers.map((server) => server.isReady())), [true, true]);
      await setPolicy({ ...POLICY, spec: { rules: { [RULE]: { maximumMode: 'warn' } } } });
      await waitUntil('both to use it', async () => String(await reloads('used')) === '1,1');
      assert.equal(await verdict(), `warned ${RULE}`);
      await setPolicy(POLICY);
      await waitUntil('the first one', async () => String(await reloads('used')) === '2,2');
      assert.deepEqual(await reloads('refused'), [1, 1]);
    });

    it('the API server restarts: caches that could not be followed are followed again', async () => {
      const known = await metrics();
      await cluster.stopApiServer();
      for (const server of servers) {
        for (const resource of RESOURCES) {
          await waitUntil(`a complaint about ${resource}`, async () =>
            (await server.log()).some(({ msg }) => String(msg).endsWith(`/${resource} cannot be followed`)),
          );
        }
        assert.equal(await server.isReady(), true, 'what is known holds meanwhile');
      }
      await cluster.startApiServer();
      await waitUntil('a verdict', async () => (await verdict()) === REFUSED);
      for (const [index, server] of servers.entries()) {
        for (const resource of RESOURCES) {
          const change = async (name: string): Promise<number> => {
            const series = `${name}{resource="${resource}"}`;
            return (await metricsOf(server))(series) - (known[index]?.(series) ?? 0);
          };
          await waitUntil(`${resource} to be listed again`, async () => {
            return (await change('scrapeguard_cache_lists_total')) >= 1;
          });
          assert.ok((await change('scrapeguard_cache_failures_total')) >= 2);
          const age = `scrapeguard_cache_age_seconds{resource="${resource}"}`;
          assert.ok((await metricsOf(server))(age) < 30, 'it is young again');
        }
      }
    });

    it('and none of them was started again', async () => {
      assert.deepEqual(
        (await metrics()).map((series) => series(START)),
        starts,
      );
    });
  },
);
