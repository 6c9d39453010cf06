import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { asList, asObject, asString } from '../../src/kube/json.ts';
import type { Cluster } from '../support/cluster-access.ts';
import { clusterSuite } from '../support/cluster-suite.ts';

const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'example.com/web:1' }] },
    },
  },
};

await clusterSuite('the shared control plane', { needs: ['kubeControllerManager'] }, (cluster) => {
  it('is of the wanted version', async () => {
    const version = asObject((await cluster.request('/version')).body);
    assert.equal(`${asString(version['major'])}.${asString(version['minor'])}`, cluster.line);
  });

  it('makes a ReplicaSet and Pods from a Deployment', async () => {
    const namespace = await cluster.createNamespace();
    const applied = await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], { input: JSON.stringify(DEPLOYMENT) });
    assert.deepEqual(applied, { code: 0, stdout: 'deployment.apps/web created\n', stderr: '' });
    const pods = await waitForItems(cluster, `/api/v1/namespaces/${namespace}/pods`, 2);
    const owners = pods.map(
      (pod) => asObject(asList(asObject(asObject(pod)['metadata'])['ownerReferences'])[0])['kind'],
    );
    assert.deepEqual(owners, ['ReplicaSet', 'ReplicaSet']);
  });

  it('gives a new namespace its ServiceAccount', async () => {
    const name = 'made-by-kubectl';
    assert.equal((await cluster.kubectl(['create', 'namespace', name])).code, 0);
    const [account] = await waitForItems(cluster, `/api/v1/namespaces/${name}/serviceaccounts`, 1);
    assert.equal(asObject(asObject(account)['metadata'])['name'], 'default');
  });

  it('knows a user by certificate, who may do nothing without a grant', async () => {
    const kubeconfig = await cluster.userKubeconfig('jane', ['team a', 'O=odd,"group"']);
    const whoAmI = await cluster.kubectl(['auth', 'whoami', '-o', 'json'], { kubeconfig });
    const { username, groups } = asObject(asObject(asObject(JSON.parse(whoAmI.stdout))['status'])['userInfo']);
    assert.deepEqual([username, groups], ['jane', ['team a', 'O=odd,"group"', 'system:authenticated']]);
    const refused = await cluster.kubectl(['get', 'pods'], { kubeconfig });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /pods is forbidden: User "jane" cannot list resource "pods"/);
    const as = await cluster.userCertificate('jane');
    assert.equal((await cluster.request('/api/v1/nodes', { as })).status, 403);
  });

  it('knows a ServiceAccount by token', async () => {
    const namespace = await cluster.createNamespace();
    const kubeconfig = await cluster.serviceAccountKubeconfig(namespace, 'default');
    const whoAmI = await cluster.kubectl(['auth', 'whoami'], { kubeconfig });
    assert.match(whoAmI.stdout, new RegExp(`system:serviceaccount:${namespace}:default`));
    const token = await cluster.serviceAccountToken(namespace, 'default', ['somebody-else']);
    assert.equal((await cluster.request('/api/v1/namespaces', { as: { token } })).status, 401);
  });

  it('hands over the warnings of the API server', async () => {
    const namespace = await cluster.createNamespace({ 'pod-security.kubernetes.io/warn': 'restricted' });
    const body = { ...DEPLOYMENT.spec.template, apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' } };
    const created = await cluster.request(`/api/v1/namespaces/${namespace}/pods`, { method: 'POST', body });
    assert.equal(created.status, 201);
    assert.match(created.warnings.join(), /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation/);
  });

  it('writes an audit log with annotations', async () => {
    const namespace = await cluster.createNamespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const { code } = await cluster.kubectl(['run', 'web', '--image=example.com/web:1', '-n', namespace]);
    assert.equal(code, 1);
    const [event] = await cluster.auditEvents((one) => one.namespace === namespace && one.resource === 'pods');
    assert.deepEqual([event?.verb, event?.status], ['create', 403]);
    assert.equal(event?.annotations['pod-security.kubernetes.io/enforce-policy'], 'restricted:latest');
  });
});

await clusterSuite('helm on the shared control plane', { needs: ['helm'] }, (cluster) => {
  it('lists no release in a new namespace', async () => {
    const namespace = await cluster.createNamespace();
    const listed = await cluster.helm(['list', '-n', namespace, '-o', 'json']);
    assert.deepEqual(listed, { code: 0, stdout: '[]\n', stderr: '' });
  });
});

async function waitForItems(cluster: Cluster, path: string, count: number): Promise<readonly unknown[]> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const items = asList(asObject((await cluster.request(path)).body)['items']);
    if (items.length >= count) return items;
    await sleep(100);
  }
  throw new Error(`${path} has fewer than ${count} items after 30 seconds.`);
}
