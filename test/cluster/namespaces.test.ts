import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { JsonObject } from '../../src/kube/json.ts';
import { metadataOf, nameOf } from '../../src/kube/object.ts';
import type { ApiResponse } from '../support/api-request.ts';
import type { Cluster } from '../support/cluster-access.ts';
import { ASKS, EXPOSES, makePod, messageIn, verdictOf } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { waitUntil } from '../support/wait-for.ts';
import { startWebhook, useWebhook, type Webhook } from '../support/webhook.ts';

/** What becomes of a pod that the baseline profile refuses, and of one that only the strict profile does. */
interface Row {
  readonly labels: Readonly<Record<string, string>>;
  readonly exposes: string;
  readonly asks: string;
  /** The annotation `decision` of the second one in the audit log. */
  readonly decision: string | undefined;
}

const DENIED = 'denied pods kubelet-read-only-port';
const WARNED = 'warned kubelet-read-only-port';
const OFF = { enforce: 'off', warn: 'off', audit: 'off' };

const ROWS: readonly Row[] = [
  { labels: {}, exposes: DENIED, asks: `${WARNED}-client`, decision: 'warned' },
  { labels: { enforce: 'strict' }, exposes: DENIED, asks: `${DENIED}-client`, decision: 'denied' },
  { labels: { enforce: 'off' }, exposes: WARNED, asks: `${WARNED}-client`, decision: 'warned' },
  { labels: { enforce: 'off', warn: 'baseline' }, exposes: WARNED, asks: 'allowed', decision: 'audited' },
  { labels: { enforce: 'off', warn: 'off' }, exposes: 'allowed', asks: 'allowed', decision: 'audited' },
  { labels: { ...OFF, audit: 'strict' }, exposes: 'allowed', asks: 'allowed', decision: 'audited' },
  { labels: { ...OFF, warn: 'strict' }, exposes: WARNED, asks: `${WARNED}-client`, decision: 'warned' },
  { labels: { ...OFF, audit: 'baseline' }, exposes: 'allowed', asks: 'allowed', decision: undefined },
  { labels: OFF, exposes: 'allowed', asks: 'allowed', decision: undefined },
  { labels: { enforce: 'loud' }, exposes: DENIED, asks: `${WARNED}-client`, decision: 'warned' },
  { labels: { ...OFF, enforce: 'Strict' }, exposes: DENIED, asks: 'allowed', decision: undefined },
];

await clusterSuite('the labels of a namespace, under the default policy', {}, (cluster) => {
  const webhook = useWebhook(cluster);

  for (const { labels, exposes, asks, decision } of ROWS) {
    it(`${JSON.stringify(labels)}: ${exposes}, ${asks}`, async () => {
      const own = Object.entries(labels).map(([mode, profile]) => [`scrapeguard.io/${mode}`, profile]);
      const namespace = await webhook().createNamespace(Object.fromEntries(own));
      assert.equal(verdictOf(await createPod(cluster, namespace, makePod('exposes', EXPOSES))), exposes);
      assert.equal(verdictOf(await createPod(cluster, namespace, makePod('asks', ASKS))), asks);
      const [event] = await cluster.auditEvents(
        ({ namespace: place, uri }) => place === namespace && uri.endsWith('fieldManager=asks'),
      );
      assert.equal(event?.annotations['pods.validate.scrapeguard.io/decision'], decision);
    });
  }

  it('count as soon as they are changed', async () => {
    const namespace = await webhook().createNamespace();
    const verdict = async (): Promise<string> =>
      verdictOf(await createPod(cluster, namespace, makePod('exposes', EXPOSES)));
    assert.equal(await verdict(), DENIED);
    const label = (word: string) => cluster.kubectl(['label', 'namespace', namespace, word]);
    assert.equal((await label('scrapeguard.io/enforce=off')).code, 0);
    await waitUntil('a warning instead of a refusal', async () => (await verdict()) === WARNED);
    assert.equal((await label('scrapeguard.io/enforce-')).code, 0);
    await waitUntil('a refusal', async () => (await verdict()) === DENIED);
  });
});

await clusterSuite('the labels of a namespace that cannot be read', {}, (cluster) => {
  let toApiServer: Relay | undefined;
  let webhook: Webhook | undefined;
  before(async () => {
    toApiServer = await startRelay(() => Number(new URL(cluster.url).port));
    const apiServerUrl = `https://127.0.0.1:${toApiServer.port}`;
    // Twice as long as by default: the server waits for most of it.
    webhook = await startWebhook(cluster, { apiServerUrl, timeoutSeconds: 10 });
  });
  after(async () => {
    toApiServer?.stop();
    await webhook?.stop();
  });

  it('what nothing is found in passes, what would be refused is to be tried again', async () => {
    assert.ok(webhook !== undefined && toApiServer !== undefined);
    toApiServer.hold();
    const namespace = await webhook.createNamespace({ 'scrapeguard.io/enforce': 'off' });
    const [asks, harmless] = await Promise.all([
      createPod(cluster, namespace, makePod('asks', ASKS)),
      createPod(cluster, namespace, makePod('harmless')),
    ]);
    assert.equal(asks.status, 503);
    assert.match(messageIn(asks.body), /could not be read: container "main" .* Try again in a moment\.$/);
    assert.equal(verdictOf(harmless), 'allowed');
    const [event] = await cluster.auditEvents(({ namespace: place, status }) => place === namespace && status === 503);
    assert.equal(event?.annotations['pods.validate.scrapeguard.io/error'], 'unknown');
    toApiServer.release();
    await waitUntil('a verdict', async () => {
      return verdictOf(await createPod(cluster, namespace, makePod('asks', ASKS))) === `${WARNED}-client`;
    });
  });
});

/** The field manager names the pod in the audit log, too. */
function createPod(cluster: Cluster, namespace: string, pod: JsonObject): Promise<ApiResponse> {
  const query = `dryRun=All&fieldManager=${nameOf(metadataOf(pod))}`;
  return cluster.request(`/api/v1/namespaces/${namespace}/pods?${query}`, { method: 'POST', body: pod });
}
