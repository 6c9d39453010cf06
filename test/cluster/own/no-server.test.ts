import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { CHART } from '../../support/chart.ts';
import { makePod, verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { leftBehind, waitForPods } from '../../support/installation.ts';
import { NAMESPACE } from '../../support/installed-servers.ts';
import type { CommandResult } from '../../support/run-command.ts';
import { startServiceRoute } from '../../support/service-route.ts';
import { waitUntil } from '../../support/wait-for.ts';

const HELD_BACK = /failed calling webhook "rbac\.validate\.scrapeguard\.io"/;

const route = await startServiceRoute();
after(() => route.stop());

const needs = ['helm', 'kubeControllerManager'] as const;

await ownClusterSuite(
  'the chart under Fail while no server answers',
  { needs, apiserver: { flags: route.flags } },
  (cluster) => {
    const helm = (command: string, ...args: readonly string[]): Promise<CommandResult> =>
      cluster.helm([command, 'scrapeguard', ...args, '--namespace', NAMESPACE]);
    const upgrade = (...settings: readonly string[]): Promise<CommandResult> =>
      helm('upgrade', CHART, '--reuse-values', ...settings);
    const verdict = async (): Promise<string> => {
      const path = '/api/v1/namespaces/default/pods?dryRun=All';
      return verdictOf(await cluster.request(path, { method: 'POST', body: makePod('any') }));
    };
    const waitUntilHeldBack = (): Promise<void> =>
      waitUntil('a pod to be held back', async () => (await verdict()).includes('failed calling webhook'));
    const breakGlass = async (): Promise<void> => {
      const broken = await cluster.kubectl(['delete', 'validatingwebhookconfiguration', 'scrapeguard']);
      assert.equal(broken.code, 0, broken.stderr);
      await waitUntil('a pod to be let in', async () => (await verdict()) === 'allowed');
    };
    const logLevel = async (): Promise<string> => {
      const path = 'jsonpath={.spec.template.spec.containers[0].env[?(@.name=="LOG_LEVEL")].value}';
      const deployment = ['get', 'deployment', 'scrapeguard', '--namespace', NAMESPACE, '-o', path];
      return (await cluster.kubectl(deployment)).stdout;
    };

    before(async () => {
      const created = await helm(
        'install',
        CHART,
        '--create-namespace',
        '--set',
        'mode=cluster-wide,failurePolicy=Fail',
      );
      assert.equal(created.code, 0, created.stderr);
      await waitForPods(cluster, NAMESPACE, 2);
      await waitUntilHeldBack();
    });

    it('an upgrade is held back, although it grants nothing new', async () => {
      const refused = await upgrade('--set', 'logLevel=debug');
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, HELD_BACK);
    });

    it('a rollback is held back', async () => {
      const refused = await helm('rollback', '1');
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, HELD_BACK);
    });

    it('after the break-glass command an upgrade passes, and brings back what holds writes back', async () => {
      await breakGlass();
      const passed = await upgrade('--set', 'logLevel=debug');
      assert.equal(passed.code, 0, passed.stderr);
      assert.equal(await logLevel(), 'debug');
      await waitUntilHeldBack();
    });

    it('after it a rollback passes, too', async () => {
      await breakGlass();
      const passed = await helm('rollback', '1');
      assert.equal(passed.code, 0, passed.stderr);
      assert.equal(await logLevel(), 'info');
      await waitUntilHeldBack();
    });

    it('an uninstall passes without it, and leaves nothing behind', async () => {
      const passed = await helm('uninstall');
      assert.equal(passed.code, 0, passed.stderr);
      await waitUntil('its pods to be gone', async () => (await leftBehind(cluster, NAMESPACE)).length === 0);
      await waitUntil('a pod to be let in', async () => (await verdict()) === 'allowed');
    });
  },
);
