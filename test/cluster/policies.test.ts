import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { it } from 'node:test';
import type { JsonObject } from '../../src/kube/json.ts';
import { ASKS, EXPOSES, makeDeployment, makePod, verdictOf } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { useWebhook } from '../support/webhook.ts';

const POLICIES = new URL('../../policies/', import.meta.url);

const OBJECTS = {
  exposes: { collection: 'api/v1/namespaces/NAMESPACE/pods', object: makePod('exposes', EXPOSES) },
  asks: { collection: 'api/v1/namespaces/NAMESPACE/pods', object: makePod('asks', ASKS) },
  template: { collection: 'apis/apps/v1/namespaces/NAMESPACE/deployments', object: makeDeployment('bad', EXPOSES) },
} as const satisfies Readonly<Record<string, { readonly collection: string; readonly object: JsonObject }>>;

/** The labels of a namespace and what becomes of each object there. */
type Row = { readonly labels: Readonly<Record<string, string>> } & Readonly<Record<keyof typeof OBJECTS, string>>;

const DENIED = 'denied pods kubelet-read-only-port';
const WARNED = 'warned kubelet-read-only-port';

/** Each policy that is shipped. */
const SHIPPED: Readonly<Record<string, readonly Row[]>> = {
  'audit.yaml': [
    { labels: {}, exposes: WARNED, asks: `${WARNED}-client`, template: WARNED },
    { labels: { enforce: 'strict' }, exposes: WARNED, asks: `${WARNED}-client`, template: WARNED },
    { labels: { enforce: 'off', warn: 'off' }, exposes: 'allowed', asks: 'allowed', template: 'allowed' },
  ],
  'cluster-wide.yaml': [
    { labels: {}, exposes: DENIED, asks: `${WARNED}-client`, template: WARNED },
    { labels: { enforce: 'strict' }, exposes: DENIED, asks: `${DENIED}-client`, template: WARNED },
    { labels: { enforce: 'off', warn: 'off' }, exposes: 'allowed', asks: 'allowed', template: 'allowed' },
  ],
  'namespace-opt-in.yaml': [
    { labels: {}, exposes: 'allowed', asks: 'allowed', template: 'allowed' },
    { labels: { warn: 'baseline' }, exposes: WARNED, asks: 'allowed', template: WARNED },
    { labels: { enforce: 'baseline' }, exposes: DENIED, asks: 'allowed', template: WARNED },
    { labels: { enforce: 'strict' }, exposes: DENIED, asks: `${DENIED}-client`, template: WARNED },
  ],
};

for (const file of readdirSync(POLICIES).filter((name) => name.endsWith('.yaml'))) {
  await clusterSuite(`policies/${file}`, {}, (cluster) => {
    const webhook = useWebhook(cluster, { policy: readFileSync(new URL(file, POLICIES), 'utf8') });

    it('has its verdicts written down here', () => assert.ok(SHIPPED[file]));

    for (const { labels, ...verdicts } of SHIPPED[file] ?? []) {
      it(`where the namespace has ${JSON.stringify(labels)}`, async () => {
        const own = Object.entries(labels).map(([mode, profile]) => [`scrapeguard.io/${mode}`, profile]);
        const namespace = await webhook().createNamespace(Object.fromEntries(own));
        const seen = Object.entries(OBJECTS).map(async ([name, { collection, object }]) => {
          const path = `/${collection.replace('NAMESPACE', namespace)}?dryRun=All`;
          return [name, verdictOf(await cluster.request(path, { method: 'POST', body: object }))];
        });
        assert.deepEqual(Object.fromEntries(await Promise.all(seen)), verdicts);
      });
    }
  });
}
