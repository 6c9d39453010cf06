import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { asObject, type JsonObject } from '../../src/kube/json.ts';
import type { WhoCan } from '../../src/report/who-can.ts';
import { runCli } from '../cli/run-cli.ts';
import { clusterRole, clusterRoleBinding, role, roleBinding } from '../rbac/objects.ts';
import type { Cluster } from '../support/cluster-access.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { waitUntil } from '../support/wait-for.ts';
import { apply } from '../support/webhook-registration.ts';

/** Who asks: his name and groups, and the subject by which who-can would name him. */
interface Asker {
  readonly user: string;
  readonly groups: readonly string[];
}

const account = (namespace: string, name: string): Asker => ({
  user: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
});
const person = (user: string, ...groups: string[]): Asker => ({ user, groups: [...groups, 'system:authenticated'] });

/** What is asked, in the words of who-can and as the attributes of a review. */
const QUESTIONS: readonly (readonly [words: string, attributes: JsonObject])[] = [
  ['get /metrics', { nonResourceAttributes: { verb: 'get', path: '/metrics' } }],
  ['post /metrics', { nonResourceAttributes: { verb: 'post', path: '/metrics' } }],
  ['get /metrics/slis', { nonResourceAttributes: { verb: 'get', path: '/metrics/slis' } }],
  ['get nodes/proxy', { resourceAttributes: { verb: 'get', resource: 'nodes', subresource: 'proxy', name: 'n1' } }],
  [
    'create nodes/proxy',
    { resourceAttributes: { verb: 'create', resource: 'nodes', subresource: 'proxy', name: 'n1' } },
  ],
  ['get nodes/metrics', { resourceAttributes: { verb: 'get', resource: 'nodes', subresource: 'metrics', name: 'n1' } }],
  [
    'get deployments.apps/scale',
    {
      resourceAttributes: { verb: 'get', group: 'apps', resource: 'deployments', subresource: 'scale', namespace: '' },
    },
  ],
];

await clusterSuite('who-can over a live cluster', {}, (cluster) => {
  let namespace = '';
  let prefix = '';
  before(async () => {
    namespace = await cluster.createNamespace();
    prefix = `${namespace}-`;
    await makeGrants(cluster, namespace);
  });

  /** The table of those who ask. */
  const askers = (): readonly Asker[] => [
    account(namespace, 'scraper'),
    account(namespace, 'agent'),
    account(namespace, 'other'),
    person(`${prefix}jane`),
    person(`${prefix}joe`, `${prefix}devs`),
    person(`${prefix}nobody`),
    person('root', 'system:masters'),
    person('system:kube-controller-manager'),
    { user: 'system:anonymous', groups: ['system:unauthenticated'] },
  ];

  for (const [words, attributes] of QUESTIONS) {
    it(`${words}: names exactly those whom the API server allows it`, async () => {
      const answer = await ask(cluster, words.split(' '));
      for (const asker of askers()) {
        const allowed = await review(cluster, asker, attributes);
        assert.equal(isNamed(answer, asker), allowed, `${asker.user} ${words}`);
      }
    });
  }

  it('get pods: says in which namespace', async () => {
    const answer = await ask(cluster, ['get', 'pods']);
    const places = answer.holders
      .filter(({ subject }) => subject.name === `${prefix}jane`)
      .flatMap(({ ways }) => ways.map(({ binding }) => binding.namespace));
    assert.deepEqual(places, [namespace]);
    const jane = person(`${prefix}jane`);
    const inside = { resourceAttributes: { verb: 'get', resource: 'pods', namespace } };
    assert.equal(await review(cluster, jane, inside), true);
    assert.equal(
      await review(cluster, jane, { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } }),
      false,
    );
  });

  it('says which RoleBindings give nothing and which bindings wait for a role', async () => {
    const { ineffective, dangling } = await ask(cluster, ['metrics']);
    assert.ok(ineffective.some((binding) => binding.namespace === namespace && binding.name === 'in-vain'));
    assert.deepEqual(
      dangling.filter(({ binding }) => binding.name === `${prefix}waiting`).map(({ nearest }) => nearest),
      [`${prefix}reads`],
    );
  });

  it('policy init expects them, and policy validate accepts it', async () => {
    const { code, stdout } = await runCli(['policy', 'init', '--kubeconfig', cluster.adminKubeconfig]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`namespace: "?${namespace}"?, name: scraper \\}`));
    assert.match(stdout, new RegExp(`name: "?${prefix}devs"?`));
    const file = join(cluster.directory, `${namespace}.policy.yaml`);
    await writeFile(file, stdout);
    assert.equal((await runCli(['policy', 'validate', file])).stdout, 'OK\n');
  });

  it('ends with 2 for somebody who may not list', async () => {
    const kubeconfig = await cluster.userKubeconfig(`${prefix}nobody`);
    const { code, stdout, stderr } = await runCli(['who-can', 'metrics', '--kubeconfig', kubeconfig]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /cannot list resource "clusterroles"/);
  });
});

async function makeGrants(cluster: Cluster, namespace: string): Promise<void> {
  const prefix = `${namespace}-`;
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const metrics = { verbs: ['get'], nonResourceURLs: ['/metrics'] };
  const nodes = { verbs: ['get'], apiGroups: [''], resources: ['nodes/proxy'] };
  const pods = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  const user = (name: string): JsonObject => ({
    kind: 'User',
    apiGroup: 'rbac.authorization.k8s.io',
    name: `${prefix}${name}`,
  });
  const group = (name: string): JsonObject => ({ ...user(name), kind: 'Group' });
  const selectors = [{ matchLabels: { 'scrapeguard-test/who-can': namespace } }];
  const labels = { 'scrapeguard-test/who-can': namespace };
  const objects = [
    clusterRole(`${prefix}reads`, [], { selectors }),
    clusterRole(`${prefix}part`, [metrics], { labels }),
    clusterRole(`${prefix}node`, [nodes, { ...nodes, resources: ['*/metrics'] }]),
    clusterRole(`${prefix}any`, [
      { verbs: ['*'], nonResourceURLs: ['/m*'] },
      { verbs: ['get'], apiGroups: ['*'], resources: ['*/scale'] },
    ]),
    clusterRoleBinding(`${prefix}reads`, `${prefix}reads`, [{ kind: 'ServiceAccount', namespace, name: 'scraper' }]),
    clusterRoleBinding(`${prefix}node`, `${prefix}node`, [{ kind: 'ServiceAccount', namespace, name: 'agent' }]),
    clusterRoleBinding(`${prefix}any`, `${prefix}any`, [group('devs')]),
    clusterRoleBinding(`${prefix}waiting`, `${prefix}read`, [user('jane')]),
    role(namespace, 'pods', [pods]),
    roleBinding(namespace, 'pods', 'Role pods', [user('jane')]),
    roleBinding(namespace, 'in-vain', `${prefix}reads`, [user('jane')]),
  ];
  for (const object of objects) {
    const { kind } = object;
    const plural = `${String(kind).toLowerCase()}s`;
    const place = kind === 'Role' || kind === 'RoleBinding' ? `namespaces/${namespace}/${plural}` : plural;
    await apply(cluster, `${rbac}/${place}`, withGroup(object));
  }
  await waitUntil('the aggregation of the role', () =>
    review(cluster, account(namespace, 'scraper'), { nonResourceAttributes: { verb: 'get', path: '/metrics' } }),
  );
}

function withGroup(object: JsonObject): JsonObject {
  const { roleRef } = object;
  return roleRef === undefined
    ? object
    : { ...object, roleRef: { ...asObject(roleRef), apiGroup: 'rbac.authorization.k8s.io' } };
}

async function ask(cluster: Cluster, words: readonly string[]): Promise<WhoCan> {
  const { code, stdout, stderr } = await runCli([
    'who-can',
    ...words,
    '--kubeconfig',
    cluster.adminKubeconfig,
    '-o',
    'json',
  ]);
  assert.equal(code, 0, stderr);
  // What the program itself printed.
  return JSON.parse(stdout) as WhoCan;
}

/** True when the answer names the user himself or one of his groups, by a grant without limits. */
function isNamed({ holders }: WhoCan, { user, groups }: Asker): boolean {
  return holders.some(({ subject: { kind, namespace, name } }) => {
    if (kind === 'Group') return groups.includes(name);
    return user === (kind === 'ServiceAccount' ? `system:serviceaccount:${namespace}:${name}` : name);
  });
}

async function review(cluster: Cluster, { user, groups }: Asker, attributes: JsonObject): Promise<boolean> {
  const { status, body } = await cluster.request('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    method: 'POST',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, groups, ...attributes },
    },
  });
  assert.equal(status, 201);
  return asObject(asObject(body)['status'])['allowed'] === true;
}
