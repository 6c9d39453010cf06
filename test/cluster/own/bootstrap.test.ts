import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { asList, asObject, asStrings, type JsonObject } from '../../../src/kube/json.ts';
import { verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { waitUntil } from '../../support/wait-for.ts';
import { useWebhook } from '../../support/webhook.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const VIEW = 'clusterroles/view';
const GROUP = 'rbac.authorization.k8s.io';

/** What kubeadm binds while it sets up a cluster (cmd/kubeadm/app/phases): name, role and subject. */
const KUBEADM_BINDINGS: readonly (readonly [string, string, JsonObject])[] = [
  ['kubeadm:cluster-admins', 'cluster-admin', group('kubeadm:cluster-admins')],
  ['kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', group('system:bootstrappers:kubeadm:default-node-token')],
  [
    'kubeadm:node-autoapprove-bootstrap',
    'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    group('system:bootstrappers:kubeadm:default-node-token'),
  ],
  [
    'kubeadm:node-autoapprove-certificate-rotation',
    'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    group('system:nodes'),
  ],
  ['kubeadm:get-nodes', 'kubeadm:get-nodes', group('system:bootstrappers:kubeadm:default-node-token')],
  [
    'kubeadm:node-proxier',
    'system:node-proxier',
    { kind: 'ServiceAccount', namespace: 'kube-system', name: 'kube-proxy' },
  ],
  [
    'kubeadm:apiserver-kubelet-client',
    'system:kubelet-api-admin',
    { kind: 'User', apiGroup: GROUP, name: 'kube-apiserver-kubelet-client' },
  ],
  ['system:coredns', 'system:coredns', { kind: 'ServiceAccount', namespace: 'kube-system', name: 'coredns' }],
];

/** Default objects that are altered or deleted, and what must be as it was when the API server is ready again. */
const ALTERED = [
  'clusterroles/system:monitoring',
  'clusterroles/system:kubelet-api-admin',
  'clusterroles/system:aggregate-to-view',
];
const DELETED = [
  'clusterrolebindings/system:monitoring',
  'clusterroles/system:node-proxier',
  'clusterrolebindings/system:basic-user',
];

await ownClusterSuite('bootstrapping with our webhooks registered, failurePolicy Fail', {}, (cluster) => {
  const webhook = useWebhook(cluster, { namespaces: 'every', failurePolicy: 'Fail' });
  const original = new Map<string, readonly string[]>();

  const read = async (path: string): Promise<JsonObject> => asObject((await cluster.request(`${RBAC}/${path}`)).body);
  before(async () => {
    for (const path of [...ALTERED, ...DELETED, VIEW]) original.set(path, meaningOf(await read(path)));
  });

  for (const [name, role, subject] of KUBEADM_BINDINGS) {
    it(`kubeadm binds ${name}`, async () => {
      // kubeadm's first binding is written as system:masters, for nobody else may do anything yet.
      const kubeadm = await cluster.userCertificate('kubernetes-admin', ['kubeadm:cluster-admins']);
      const body = {
        apiVersion: `${GROUP}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: role },
        subjects: [subject],
      };
      const isFirst = name === 'kubeadm:cluster-admins';
      const path = `${RBAC}/clusterrolebindings`;
      const answer = await cluster.request(path, { method: 'POST', body, ...(isFirst ? {} : { as: kubeadm }) });
      assert.match(verdictOf(answer), /^(?:allowed|warned dangling-role-reference)$/);
    });
  }

  it('the defaults are altered while the server is there', async () => {
    for (const path of ALTERED) {
      const contentType = 'application/merge-patch+json';
      const answer = await cluster.request(`${RBAC}/${path}`, { method: 'PATCH', contentType, body: { rules: [] } });
      assert.equal(answer.status, 200);
    }
    for (const path of DELETED) {
      assert.equal((await cluster.request(`${RBAC}/${path}`, { method: 'DELETE' })).status, 200);
    }
    await waitUntil('the aggregation controller to empty what it aggregates', async () => {
      return meaningOf(await read(VIEW)).length < (original.get(VIEW)?.length ?? 0);
    });
  });

  it('the API server repairs them while the server is down, and becomes ready', async () => {
    const [server] = webhook().servers;
    await server?.stop();
    await assertNobodyElseMayWrite();
    await cluster.stopApiServer();
    // Settles when the API server says that it is ready, which takes its default roles.
    await cluster.startApiServer();
    for (const path of [...ALTERED, ...DELETED]) {
      assert.deepEqual(meaningOf(await read(path)), original.get(path), path);
    }
    await assertNobodyElseMayWrite();
  });

  it('the aggregation controller fills what it aggregates while the server is down', async () => {
    await waitUntil('the role to be as it was', async () => {
      return isDeepStrictEqual(meaningOf(await read(VIEW)), original.get(VIEW));
    });
  });

  async function assertNobodyElseMayWrite(): Promise<void> {
    const body = {
      apiVersion: `${GROUP}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'anybody-s' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    };
    await waitUntil('a write to fail for want of an answer', async () => {
      const answer = await cluster.request(`${RBAC}/clusterroles?dryRun=All`, { method: 'POST', body });
      return verdictOf(answer).includes('failed calling webhook "rbac.validate.scrapeguard.io"');
    });
  }
});

/** What a role or a binding says, in its smallest parts: the API server repairs a role by rules of one entry each. */
function meaningOf({ rules, roleRef, subjects = [] }: JsonObject): readonly string[] {
  const parts = asList(rules).flatMap((rule) => {
    const { verbs, apiGroups, resources, resourceNames = [], nonResourceURLs } = asObject(rule);
    const places = [
      ...asStrings(nonResourceURLs),
      ...asStrings(apiGroups).flatMap((api) => asStrings(resources).map((resource) => `${resource}.${api}`)),
    ];
    return asStrings(verbs).flatMap((verb) => places.map((place) => `${verb} ${place} ${String(resourceNames)}`));
  });
  return [...new Set([JSON.stringify([roleRef, subjects]), ...parts])].sort();
}

function group(name: string): JsonObject {
  return { kind: 'Group', apiGroup: GROUP, name };
}
