import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { asObject, type JsonObject } from '../../src/kube/json.ts';
import { metadataOf, nameOf } from '../../src/kube/object.ts';
import type { ApiResponse } from '../support/api-request.ts';
import type { Cluster } from '../support/cluster-access.ts';
import { ASKS, EXPOSES, makePod, messageIn, verdictOf } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { waitUntil } from '../support/wait-for.ts';
import { startWebhook, useWebhook, type Webhook } from '../support/webhook.ts';
import { apply } from '../support/webhook-registration.ts';

/** What becomes of a pod that the baseline profile refuses, and of one that only the strict profile does. */
interface Row {
  readonly labels: Readonly<Record<string, string>>;
  readonly exposes: string;
  readonly asks: string;
  /** The annotation `decision` of the second one in the audit log. */
  readonly decision: string | undefined;
}

const OPT_OUT = 'posture-opt-out';
const EDITORS = 'test:namespace-editors';
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
      // Made before the webhook is asked about it, which would not let anybody write an invalid value.
      const namespace = await cluster.createNamespace(Object.fromEntries(own));
      await webhook().adoptNamespace(namespace);
      assert.equal(verdictOf(await createPod(cluster, namespace, makePod('exposes', EXPOSES))), exposes);
      assert.equal(verdictOf(await createPod(cluster, namespace, makePod('asks', ASKS))), asks);
      const [event] = await cluster.auditEvents(
        ({ namespace: place, uri }) => place === namespace && uri.endsWith('fieldManager=asks'),
      );
      assert.equal(event?.annotations['pods.validate.scrapeguard.io/decision'], decision);
    });
  }

  const WRITERS = [
    { who: 'an administrator', groups: ['system:masters'], lower: 'allowed' },
    { who: 'somebody who may edit namespaces', groups: [EDITORS], lower: `denied namespaces ${OPT_OUT}` },
  ];

  for (const { who, groups, lower } of WRITERS) {
    it(`${who} changes them: less is ${lower}, an invalid value is refused`, async () => {
      await letEditNamespaces(cluster);
      const namespace = await webhook().createNamespace();
      const as = await cluster.userCertificate('jane', groups);
      const label = async (labels: JsonObject): Promise<string> => {
        const own = Object.entries(labels).map(([key, value]) => [`scrapeguard.io/${key}`, value]);
        const body = { metadata: { labels: Object.fromEntries(own) } };
        const options = { method: 'PATCH', contentType: 'application/merge-patch+json', body, as } as const;
        return verdictOf(await cluster.request(`/api/v1/namespaces/${namespace}`, options));
      };
      assert.equal(await label({ enforce: 'loud' }), `denied namespaces ${OPT_OUT}`);
      assert.equal(await label({ inject: 'no' }), `denied namespaces ${OPT_OUT}`);
      assert.equal(await label({ enforce: 'strict' }), 'allowed');
      assert.equal(await label({ enforce: null }), lower);
      assert.equal(await label({ warn: 'off' }), lower);
      assert.equal(await label({ inject: 'disabled' }), lower);
      assert.equal(await label({ team: 'a' }), 'allowed');
    });
  }

  for (const subresource of ['status', 'finalize']) {
    it(`cannot be lowered by a write of namespaces/${subresource}`, async () => {
      await letEditNamespaces(cluster);
      const namespace = await webhook().createNamespace();
      const as = await cluster.userCertificate('jane', [EDITORS]);
      const path = `/api/v1/namespaces/${namespace}`;
      const put = async (labels: JsonObject): Promise<string> => {
        const { resourceVersion: _, ...metadata } = metadataOf(asObject((await cluster.request(path)).body));
        const own = { ...asObject(metadata['labels']), ...labels };
        const body = {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { ...metadata, labels: own },
          spec: {},
          status: {},
        };
        return verdictOf(await cluster.request(`${path}/${subresource}`, { method: 'PUT', body, as }));
      };
      assert.equal(await put({ 'scrapeguard.io/enforce': 'off' }), `denied namespaces ${OPT_OUT}`);
      assert.equal(await put({ team: 'a' }), 'allowed');
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

/** Gives a group everything that takes to change the labels of a namespace, and nothing else. */
async function letEditNamespaces(cluster: Cluster): Promise<void> {
  const name = 'test-namespace-editors';
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const resources = ['namespaces', 'namespaces/status', 'namespaces/finalize'];
  const rules = [{ apiGroups: [''], resources, verbs: ['get', 'patch', 'update'] }];
  await apply(cluster, `${rbac}/clusterroles`, { ...RBAC, kind: 'ClusterRole', metadata: { name }, rules });
  await apply(cluster, `${rbac}/clusterrolebindings`, {
    ...RBAC,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: EDITORS }],
  });
}

const RBAC = { apiVersion: 'rbac.authorization.k8s.io/v1' };

/** The field manager names the pod in the audit log, too. */
function createPod(cluster: Cluster, namespace: string, pod: JsonObject): Promise<ApiResponse> {
  const query = `dryRun=All&fieldManager=${nameOf(metadataOf(pod))}`;
  return cluster.request(`/api/v1/namespaces/${namespace}/pods?${query}`, { method: 'POST', body: pod });
}
