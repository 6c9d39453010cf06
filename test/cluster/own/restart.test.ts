import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, it } from 'node:test';
import { manifestPath } from '../../../scripts/plain-manifests.ts';
import { asList, asObject, asString, type JsonObject } from '../../../src/kube/json.ts';
import { EXPOSES, makeDeployment, makePod, verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { type Guard, startGuard } from '../../support/guard.ts';
import { waitForPods } from '../../support/installation.ts';
import { installedArguments, NAMESPACE } from '../../support/installed-servers.ts';
import { type ServerProcess, startServer } from '../../support/server-process.ts';
import { startServiceRoute } from '../../support/service-route.ts';
import { waitUntil } from '../../support/wait-for.ts';

const PAGE = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
const MANIFEST = fileURLToPath(new URL(`../../../${manifestPath('cluster-wide')}`, import.meta.url));
const RULE = 'kubelet-read-only-port';
const DEFAULT_ROLE = '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node-proxier';
const MIRROR = { 'kubernetes.io/config.mirror': '0123456789abcdef', 'kubernetes.io/config.source': 'file' };
const NODE = 'n1';

/** What a node writes by itself before anything else can run, each with the collection. */
const OF_A_NODE: readonly (readonly [name: string, collection: string, object: JsonObject])[] = [
  ['itself', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } }],
  [
    'its Lease',
    '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases',
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: NODE }, spec: { holderIdentity: NODE } },
  ],
  [
    'the mirror of a static pod',
    '/api/v1/namespaces/kube-system/pods',
    {
      ...makePod('static', {}, { nodeName: NODE, hostNetwork: true }),
      metadata: { name: `kube-apiserver-${NODE}`, annotations: MIRROR },
    },
  ],
  [
    'an event',
    '/api/v1/namespaces/default/events',
    {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${NODE}.1` },
      involvedObject: { kind: 'Node', name: NODE },
      reason: 'Starting',
      type: 'Normal',
    },
  ],
];

const route = await startServiceRoute();
after(() => route.stop());

const needs = ['kubeControllerManager'] as const;

await ownClusterSuite(
  'everything restarts and our servers come last, after cluster-wide.yaml and the step to Fail',
  { needs, apiserver: { flags: route.flags } },
  (cluster) => {
    let guard: Guard;
    let shop = '';
    const servers: ServerProcess[] = [];

    const verdict = async (): Promise<string> => {
      const path = `/api/v1/namespaces/${shop}/pods?dryRun=All`;
      return verdictOf(await cluster.request(path, { method: 'POST', body: makePod('exposes', EXPOSES) }));
    };
    const create = async (collection: string, body: JsonObject): Promise<void> => {
      assert.equal((await cluster.request(collection, { method: 'POST', body })).status, 201, collection);
    };
    const podsOf = async (namespace: string): Promise<readonly JsonObject[]> => {
      const { body } = await cluster.request(`/api/v1/namespaces/${namespace}/pods`);
      return asList(asObject(body)['items']).map(asObject);
    };
    /** As when their nodes are gone: nothing of them is left. */
    const deletePods = async (namespace: string): Promise<void> => {
      const answer = await cluster.request(`/api/v1/namespaces/${namespace}/pods?gracePeriodSeconds=0`, {
        method: 'DELETE',
      });
      assert.equal(answer.status, 200);
    };

    before(async () => {
      guard = await startGuard();
      shop = await cluster.createNamespace();
      const applied = await cluster.kubectl(['apply', '-f', MANIFEST]);
      assert.equal(applied.code, 0, applied.stderr);
      await waitForPods(cluster, NAMESPACE, 2);
      const args = await installedArguments(cluster, guard);
      servers.push(await startServer(guard, { name: 'server', args }));
      route.leadTo(() => servers[0]?.port);
      await waitUntil('a refusal', async () => (await verdict()) === `denied pods ${RULE}`);
    });
    after(() => guard.end());

    it('the step to Fail is the command of docs/operations.md', async () => {
      const patch = /--type=strategic --patch '(\{.*\})'/.exec(PAGE)?.[1] ?? '';
      const target = ['validatingwebhookconfiguration', 'scrapeguard'];
      const patched = await cluster.kubectl(['patch', ...target, '--type=strategic', '--patch', patch]);
      assert.equal(patched.code, 0, patched.stderr);
      const { stdout } = await cluster.kubectl(['get', ...target, '-o', 'jsonpath={.webhooks[*].failurePolicy}']);
      assert.equal(stdout, 'Fail Ignore Fail Ignore Fail');
      assert.equal(await verdict(), `denied pods ${RULE}`);
    });

    it('there is a cluster at work', async () => {
      await create('/apis/apps/v1/namespaces/kube-system/daemonsets', makeNetworkDaemonSet());
      await create('/apis/apps/v1/namespaces/kube-system/deployments', makeDeployment('coredns'));
      await create(`/apis/apps/v1/namespaces/${shop}/deployments`, makeDeployment('web'));
      await waitForPods(cluster, 'kube-system', 1);
      await waitForPods(cluster, shop, 1);
      assert.equal((await cluster.request(DEFAULT_ROLE, { method: 'DELETE' })).status, 200);
    });

    it('etcd, the API server and the controller manager come back, and the API server repairs its default roles', async () => {
      await cluster.stopEverything();
      for (const server of servers) assert.equal((await server.stop()).code, 0);
      route.leadTo(() => undefined);
      route.cut();
      // Settles when the API server and the controller manager say that they are ready.
      await cluster.startEverything();
      assert.equal((await cluster.request(DEFAULT_ROLE)).status, 200);
      assert.match(await verdict(), /^500 .*failed calling webhook "pods\.validate\.scrapeguard\.io"/);
    });

    for (const [name, collection, body] of OF_A_NODE) {
      it(`a node writes ${name}`, async () => {
        const as = await cluster.userCertificate(`system:node:${NODE}`, ['system:nodes']);
        assert.equal(verdictOf(await cluster.request(collection, { method: 'POST', body, as })), 'allowed');
      });
    }

    it('the pods of kube-system and our own are made anew', async () => {
      for (const namespace of ['kube-system', NAMESPACE]) await deletePods(namespace);
      await waitForPods(cluster, NAMESPACE, 2);
      await waitUntil('a pod of the DaemonSet, and one of the Deployment', async () => {
        const names = (await podsOf('kube-system')).map((pod) => asString(asObject(pod['metadata'])['generateName']));
        return ['network-', 'coredns-'].every((begin) => names.some((name) => name?.startsWith(begin) === true));
      });
    });

    it('a pod elsewhere waits, and an event of its ReplicaSet says what for', async () => {
      await deletePods(shop);
      const refusal = /failed calling webhook "pods\.validate\.scrapeguard\.io"/;
      await waitUntil('the event', async () => {
        const { body } = await cluster.request(`/api/v1/namespaces/${shop}/events`);
        const events = asList(asObject(body)['items']).map(asObject);
        return events.some(({ reason, message }) => reason === 'FailedCreate' && refusal.test(String(message)));
      });
      assert.deepEqual(await podsOf(shop), []);
    });

    it('our servers start, and it comes up by itself', async () => {
      await Promise.all(servers.map((server) => server.start()));
      route.leadTo(() => servers[0]?.port);
      await waitUntil('a refusal', async () => (await verdict()) === `denied pods ${RULE}`);
      await waitForPods(cluster, shop, 1);
      assert.deepEqual(
        (await servers[0]?.log())?.filter(({ msg }) => /forbidden|may not read/.test(String(msg))),
        [],
      );
    });
  },
);

/** Of those without which a node does not become ready: it must not wait for that. */
function makeNetworkDaemonSet(): JsonObject {
  const { spec, ...rest } = makeDeployment('network');
  const { selector, template } = asObject(spec);
  const pod = { ...asObject(asObject(template)['spec']), tolerations: [{ operator: 'Exists' }] };
  return { ...rest, kind: 'DaemonSet', spec: { selector, template: { ...asObject(template), spec: pod } } };
}
