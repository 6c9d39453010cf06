import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { asList, asObject } from '../../../src/kube/json.ts';
import { EXPOSES, makePod, verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { CHART } from '../../support/chart.ts';
import type { ControlPlane } from '../../support/control-plane.ts';
import { type Guard, startGuard } from '../../support/guard.ts';
import { installedArguments, mountFiles, NAMESPACE, trustedBy } from '../../support/installed-servers.ts';
import { leftBehind, waitForPods } from '../../support/installation.ts';
import type { Relay } from '../../support/relay.ts';
import { type ServerProcess, startServer } from '../../support/server-process.ts';
import { startRequests } from '../../support/steady-requests.ts';
import { startServiceRoute } from '../../support/service-route.ts';
import { waitUntil } from '../../support/wait-for.ts';
import { startService } from '../../support/webhook.ts';

const RULE = 'kubelet-read-only-port';
const VALIDATING = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/scrapeguard';

const route = await startServiceRoute();
after(() => route.stop());

await ownClusterSuite(
  'the chart, installed with helm',
  { needs: ['helm', 'kubeControllerManager'], apiserver: { flags: route.flags } },
  (cluster) => {
    let guard: Guard;
    let front: Relay | undefined;
    const servers: ServerProcess[] = [];

    const helm = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await cluster.helm(args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const upgrade = (...settings: readonly string[]): Promise<string> =>
      helm('upgrade', 'scrapeguard', CHART, '--namespace', NAMESPACE, '--reuse-values', ...settings);

    before(async () => {
      guard = await startGuard();
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } };
      assert.equal((await cluster.request('/api/v1/namespaces', { method: 'POST', body })).status, 201);
    });
    after(async () => {
      front?.stop();
      await guard.end();
    });

    it('is taken where Pod Security is restricted, and says what to do next', async () => {
      const notes = await helm('install', 'scrapeguard', CHART, '--namespace', NAMESPACE);
      assert.match(notes, /mode audit, failurePolicy Ignore[^]*What to do next/);
      await waitForPods(cluster, NAMESPACE, 2);
    });

    it('its servers, with its arguments and rights, warn and refuse nothing', async () => {
      const args = await installedArguments(cluster, guard);
      const start = (name: string): Promise<ServerProcess> => startServer(guard, { name, args });
      servers.push(...(await Promise.all([start('server-1'), start('server-2')])));
      front = await startService(servers);
      route.leadTo(() => front?.port);
      await waitUntil('a verdict', async () => (await verdict(cluster)) === `warned ${RULE}`);
      const { clusterIP } = asObject(
        asObject((await cluster.request(`/api/v1/namespaces/${NAMESPACE}/services/scrapeguard`)).body)['spec'],
      );
      assert.deepEqual(route.asked(), [`${String(clusterIP)}:443`]);
    });

    it('is upgraded to enforce and to Fail, while it is asked: no write is lost, and its certificates stay', async (t) => {
      const trusted = await trustedBy(cluster);
      const requests = startRequests(t, async () => verdict(cluster));
      await upgrade('--set', 'mode=cluster-wide', '--set', 'failurePolicy=Fail');
      await mountFiles(cluster, guard);
      await waitUntil('a refusal', async () => (await verdict(cluster)) === `denied pods ${RULE}`);
      const answers = Object.keys(await requests.stop());
      const expected = new Set([`warned ${RULE}`, `denied pods ${RULE}`]);
      assert.deepEqual(new Set(answers), expected);
      assert.deepEqual(await failurePolicies(cluster), ['Fail', 'Ignore', 'Fail', 'Ignore', 'Fail']);
      assert.equal(await trustedBy(cluster), trusted);
      assert.notEqual(trusted, '');
    });

    it('is upgraded once more while it holds writes back', async () => {
      await upgrade('--set', 'logLevel=debug');
      assert.equal(await verdict(cluster), `denied pods ${RULE}`);
    });

    it('a scraper that its policy expects is bound; one that comes with the policy is refused until that is known', async () => {
      const scrapers = '[{"kind":"ServiceAccount","namespace":"monitoring","name":"prometheus"}]';
      const settings = ['--set-json', `metrics.scrapers=${scrapers}`];
      const args = ['upgrade', 'scrapeguard', CHART, '--namespace', NAMESPACE, '--reuse-values', ...settings];
      const refused = await cluster.helm(args);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /denied the request.*get.*\/metrics/);
      await mountFiles(cluster, guard);
      await waitUntil('the new policy', async () => (await cluster.helm(args)).code === 0);
    });

    it('where no server answers, the break-glass command lets writes through, and a rollback brings everything back', async () => {
      route.leadTo(() => undefined);
      route.cut();
      await waitUntil('a write to be held back', async () => /failed calling webhook/.test(await verdict(cluster)));
      const broken = await cluster.kubectl(['delete', 'validatingwebhookconfiguration', 'scrapeguard']);
      assert.equal(broken.code, 0, broken.stderr);
      await waitUntil('a write to be let through', async () => (await verdict(cluster)) === 'allowed');
      route.leadTo(() => front?.port);
      await helm('rollback', 'scrapeguard', '1', '--namespace', NAMESPACE);
      await mountFiles(cluster, guard);
      await waitUntil('a warning', async () => (await verdict(cluster)) === `warned ${RULE}`);
      assert.deepEqual(new Set(await failurePolicies(cluster)), new Set(['Ignore']));
    });

    it('nothing of all that was forbidden to it', async () => {
      for (const server of servers) {
        const text = JSON.stringify(await server.log());
        assert.doesNotMatch(text, /forbidden|may not read/i);
        assert.match(text, /certificates changed|serving/);
      }
    });

    it('leaves nothing behind', async () => {
      await helm('uninstall', 'scrapeguard', '--namespace', NAMESPACE);
      // Its servers have lost their rights, and cannot bring back what is gone.
      await waitUntil('its pods to be gone', async () => (await leftBehind(cluster, NAMESPACE)).length === 0);
      await Promise.all(servers.map((server) => server.stop()));
      assert.deepEqual(await leftBehind(cluster, NAMESPACE), []);
    });
  },
);

async function verdict(cluster: ControlPlane): Promise<string> {
  const path = '/api/v1/namespaces/default/pods?dryRun=All';
  return verdictOf(await cluster.request(path, { method: 'POST', body: makePod('exposes', EXPOSES) }));
}

async function failurePolicies(cluster: ControlPlane): Promise<readonly unknown[]> {
  const { webhooks } = asObject((await cluster.request(VALIDATING)).body);
  return asList(webhooks).map((webhook) => asObject(webhook)['failurePolicy']);
}
