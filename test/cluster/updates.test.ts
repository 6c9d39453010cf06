import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { JsonObject } from '../../src/kube/json.ts';
import type { Cluster } from '../support/cluster-access.ts';
import { ASKS, EXPOSES, makeDeployment, makePod, makeService, verdictOf } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { useWebhook } from '../support/webhook.ts';

const POLICY = `
apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
spec:
  defaults: {enforce: strict, warn: strict, audit: strict}
  enforceTemplates: true
  # Its own findings would hide whether the port's are compared.
  rules: {unprotected-metrics-port: {maximumMode: audit}}
  breakGlass:
  - {kind: User, name: breaker}
`;

/** An object that was bad before the rules were there, and what somebody does to it now. */
interface Row {
  readonly name: string;
  readonly collection: string;
  readonly object: JsonObject;
  readonly rule: string;
  /** Strategic merge patches. */
  readonly unrelated: JsonObject;
  readonly worse: JsonObject;
  readonly mended: JsonObject;
}

const MAIN = { name: 'main' };
const template = (container: JsonObject): JsonObject => ({
  spec: { template: { spec: { containers: [{ ...MAIN, ...container }] } } },
});

const ROWS: readonly Row[] = [
  {
    name: 'a Deployment',
    collection: 'apis/apps/v1/namespaces/NAMESPACE/deployments',
    object: makeDeployment('old', EXPOSES),
    rule: 'workloads kubelet-read-only-port',
    unrelated: { spec: { replicas: 3, ...(template({ image: 'example.com/main:2' }).spec as JsonObject) } },
    worse: template({ ports: [{ containerPort: 10255, hostPort: 10255 }] }),
    mended: template({ ports: [{ $patch: 'replace' }, { containerPort: 8080 }] }),
  },
  {
    name: 'a Deployment that gets a second container',
    collection: 'apis/apps/v1/namespaces/NAMESPACE/deployments',
    object: makeDeployment('old', EXPOSES),
    rule: 'workloads kubelet-read-only-port',
    unrelated: { metadata: { labels: { touched: 'yes' } } },
    worse: template({ ...EXPOSES, name: 'second', image: 'example.com/second:1' }),
    mended: template({ ports: [{ $patch: 'replace' }] }),
  },
  {
    name: 'a Service',
    collection: 'api/v1/namespaces/NAMESPACE/services',
    object: makeService('old', { port: 10255 }),
    rule: 'workloads kubelet-read-only-port',
    unrelated: { spec: { selector: { tier: 'front' } } },
    worse: { spec: { type: 'NodePort' } },
    mended: { spec: { ports: [{ port: 10255, $patch: 'delete' }, { port: 80 }] } },
  },
  {
    name: 'a Pod',
    collection: 'api/v1/namespaces/NAMESPACE/pods',
    object: makePod('old', { ...EXPOSES, ...ASKS }),
    rule: 'workloads kubelet-read-only-port-client',
    unrelated: {
      metadata: { labels: { touched: 'yes' } },
      spec: { containers: [{ ...MAIN, image: 'example.com/main:2' }] },
    },
    worse: { metadata: { annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '10255' } } },
    mended: { metadata: { annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9100' } } },
  },
];

await clusterSuite('an UPDATE of an object that was bad before', {}, (cluster) => {
  const webhook = useWebhook(cluster, { policy: POLICY });

  for (const { name, collection, object, rule, unrelated, worse, mended } of ROWS) {
    it(`${name}: an unrelated change passes, a worse one is refused, a better one passes`, async () => {
      const path = await makeBefore(cluster, await webhook().createNamespace(), { collection, object });
      assert.equal(await patch(cluster, path, unrelated), 'allowed');
      assert.equal(await patch(cluster, path, worse), `denied ${rule}`);
      assert.equal(await patch(cluster, path, mended), 'allowed');
    });
  }

  it('a Deployment that was mended may not be made bad again', async () => {
    const namespace = await webhook().createNamespace();
    const collection = 'apis/apps/v1/namespaces/NAMESPACE/deployments';
    const path = await makeBefore(cluster, namespace, { collection, object: makeDeployment('old', EXPOSES) });
    assert.equal(await patch(cluster, path, template({ ports: [{ $patch: 'replace' }] })), 'allowed');
    assert.equal(await patch(cluster, path, template(EXPOSES)), 'denied workloads kubelet-read-only-port');
  });

  it('a Pod: an ephemeral container is judged by itself', async () => {
    const namespace = await webhook().createNamespace();
    const collection = 'api/v1/namespaces/NAMESPACE/pods';
    const path = await makeBefore(cluster, namespace, { collection, object: makePod('old', { ...EXPOSES, ...ASKS }) });
    const look = (name: string, container: JsonObject): JsonObject => ({
      spec: { ephemeralContainers: [{ name, image: 'example.com/look:1', ...container }] },
    });
    const subresource = `${path}/ephemeralcontainers`;
    assert.equal(await patch(cluster, subresource, look('harmless', {})), 'allowed');
    assert.equal(await patch(cluster, subresource, look('asks', ASKS)), 'denied pods kubelet-read-only-port-client');
  });
});

/** Creates an object as a writer whose writes are let through; returns its path. */
async function makeBefore(
  cluster: Cluster,
  namespace: string,
  { collection, object }: Pick<Row, 'collection' | 'object'>,
): Promise<string> {
  const path = `/${collection.replace('NAMESPACE', namespace)}`;
  const as = await cluster.userCertificate('breaker', ['system:masters']);
  assert.match(verdictOf(await cluster.request(path, { method: 'POST', body: object, as })), /^break-glass /);
  return `${path}/old`;
}

async function patch(cluster: Cluster, path: string, body: JsonObject): Promise<string> {
  const contentType = 'application/strategic-merge-patch+json';
  return verdictOf(await cluster.request(path, { method: 'PATCH', contentType, body }));
}
