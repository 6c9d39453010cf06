import assert from 'node:assert/strict';
import { it } from 'node:test';
import { asList, asObject } from '../../../src/kube/json.ts';
import type { Cluster } from '../../support/cluster-access.ts';
import { EXPOSES, makeDeployment, makePod, makeService, verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { waitFor, waitUntil } from '../../support/wait-for.ts';
import { useWebhook } from '../../support/webhook.ts';

const RULE = 'kubelet-read-only-port';
const FINDINGS = 'workloads.validate.scrapeguard.io/findings';

const POLICY = `
apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
spec:
  breakGlass:
  - {kind: User, name: breaker}
`;

const needs = ['kubeControllerManager'] as const;

await ownClusterSuite('the webhook as it is installed, for the whole cluster', { needs }, (cluster) => {
  const webhook = useWebhook(cluster, { namespaces: 'every', policy: POLICY });

  it('kube-system is judged by the entry that is always Ignore', async () => {
    const made = await createPod(cluster, 'kube-system', 'in-kube-system');
    assert.equal(made, `denied workloads ${RULE}`);
  });

  it("prometheus-operator's Service for the kubelets is let in with a warning", async () => {
    const ports = [
      { name: 'https-metrics', port: 10250 },
      { name: 'http-metrics', port: 10255 },
    ];
    const body = {
      ...makeService('kubelet', {}, { ports, selector: {}, clusterIP: 'None' }),
      metadata: { name: 'kubelet', labels: { 'k8s-app': 'kubelet' } },
    };
    const created = await cluster.request('/api/v1/namespaces/kube-system/services', { method: 'POST', body });
    assert.equal(verdictOf(created), `warned ${RULE}`);
  });

  it('nobody is asked about the namespace of the server', async () => {
    assert.equal(await createPod(cluster, webhook().namespace, 'of-our-own'), 'allowed');
    // The next one proves that the webhook is there.
    assert.equal(await createPod(cluster, 'default', 'of-somebody'), `denied pods ${RULE}`);
    const names = new Set((await webhook().reviews()).map(({ name }) => name));
    assert.deepEqual([names.has('of-our-own'), names.has('of-somebody')], [false, true]);
  });

  it('a namespace that the policy excludes is let alone, and the audit log says so', async () => {
    assert.equal(await createPod(cluster, 'kube-node-lease', 'in-kube-node-lease'), 'allowed');
    const [event] = await cluster.auditEvents(({ uri }) => uri.endsWith('fieldManager=in-kube-node-lease'));
    assert.equal(event?.annotations['pods.validate.scrapeguard.io/exempt'], 'excluded-namespace');
  });

  it('nobody is asked about other ConfigMaps than those of node components', async () => {
    const namespace = await webhook().createNamespace();
    for (const name of ['settings', 'kubelet-config']) {
      const body = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name },
        data: { kubelet: 'readOnlyPort: 10255' },
      };
      const created = await cluster.request(`/api/v1/namespaces/${namespace}/configmaps`, { method: 'POST', body });
      assert.equal(created.status, 201);
    }
    const asked = (await webhook().reviews()).filter((review) => review.namespace === namespace);
    assert.deepEqual(
      asked.filter(({ kind }) => kind === 'ConfigMap').map(({ name }) => name),
      ['kubelet-config'],
    );
  });

  it('the EndpointSlice that a controller derives from a Service is written, and the audit log tells of it', async () => {
    const namespace = await webhook().createNamespace();
    const as = await cluster.userCertificate('breaker', ['system:masters']);
    const path = `/api/v1/namespaces/${namespace}`;
    const labels = { app: 'node-agent' };
    const pod = { ...makePod('node-agent', EXPOSES, { nodeName: 'n1' }), metadata: { name: 'node-agent', labels } };
    const service = makeService('node-agent', { port: 10255 });
    // The controller leaves out pods on nodes that it does not know.
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
    assert.equal((await cluster.request('/api/v1/nodes', { method: 'POST', body: node })).status, 201);
    const made = [
      await cluster.request(`${path}/pods`, { method: 'POST', body: pod, as }),
      await cluster.request(`${path}/services`, { method: 'POST', body: service, as }),
    ];
    assert.deepEqual(made.map(verdictOf), [`break-glass ${RULE}`, `break-glass ${RULE}`]);
    await makeReady(cluster, `${path}/pods/node-agent/status`);
    await waitFor('an EndpointSlice that leads to the port', async () => {
      const slices = await cluster.request(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`);
      const ports = asList(asObject(slices.body)['items']).flatMap((slice) => asList(asObject(slice)['ports']));
      return ports.find((port) => asObject(port)['port'] === 10255);
    });
    const [event] = await cluster.auditEvents(
      ({ resource, namespace: place, annotations }) =>
        resource === 'endpointslices' && place === namespace && Object.hasOwn(annotations, FINDINGS),
    );
    assert.equal(event?.user, 'system:serviceaccount:kube-system:endpointslice-controller');
    assert.equal(event?.annotations[FINDINGS], `${RULE}/followedObject`);
  });

  it('the server is down, failurePolicy Fail: pods wait for it, everything else goes on', async () => {
    const namespace = await webhook().createNamespace();
    const [server] = webhook().servers;
    assert.equal((await server?.stop())?.code, 0);
    const run = await cluster.kubectl(['run', 'web', '--image=example.com/web:1', '-n', namespace]);
    const call = `Post "https://127.0.0.1:${server?.port}/validate?timeout=5s"`;
    const reason = `dial tcp 127.0.0.1:${server?.port}: connect: connection refused`;
    const failure = `failed calling webhook "pods.validate.scrapeguard.io": failed to call webhook: ${call}: ${reason}`;
    const stderr = `Error from server (InternalError): Internal error occurred: ${failure}\n`;
    assert.deepEqual(run, { code: 1, stdout: '', stderr });
    assert.equal(await createPod(cluster, 'kube-system', 'meanwhile'), 'allowed');
    assert.equal(await createPod(cluster, webhook().namespace, 'meanwhile'), 'allowed');
    assert.equal(await createDeployment(cluster, namespace, 'meanwhile'), 'allowed');
    await server?.start();
    await waitUntil('a verdict', async () => (await createPod(cluster, namespace, 'later')) === `denied pods ${RULE}`);
  });

  it('the server is down, failurePolicy Ignore: everything goes on', async () => {
    const namespace = await webhook().createNamespace();
    const [server] = webhook().servers;
    await webhook().register({ failurePolicy: 'Ignore' });
    assert.equal((await server?.stop())?.code, 0);
    // The API server takes notice of the change a moment later.
    await waitUntil('a pod to be let in', async () => (await createPod(cluster, namespace, 'unseen')) === 'allowed');
    assert.equal(await createDeployment(cluster, namespace, 'unseen'), 'allowed');
    await server?.start();
    await waitUntil('a verdict', async () => (await createPod(cluster, namespace, 'seen')) === `denied pods ${RULE}`);
  });
});

/** Tries a pod that exposes the port; the field manager names it in the audit log, too. */
async function createPod(cluster: Cluster, namespace: string, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All&fieldManager=${name}`;
  return verdictOf(await cluster.request(path, { method: 'POST', body: makePod(name, EXPOSES) }));
}

async function createDeployment(cluster: Cluster, namespace: string, name: string): Promise<string> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`;
  return verdictOf(await cluster.request(path, { method: 'POST', body: makeDeployment(name, EXPOSES) }));
}

/** What a kubelet would write. */
async function makeReady(cluster: Cluster, path: string): Promise<void> {
  const body = {
    status: {
      phase: 'Running',
      podIP: '192.0.2.10',
      podIPs: [{ ip: '192.0.2.10' }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  };
  const contentType = 'application/strategic-merge-patch+json';
  assert.equal((await cluster.request(path, { method: 'PATCH', contentType, body })).status, 200);
}
