import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { asList, asObject, asString, type JsonObject } from '../../../src/kube/json.ts';
import { metadataOf } from '../../../src/kube/object.ts';
import type { KeyPair } from '../../../src/tls/source.ts';
import { clusterRole, clusterRoleBinding, roleBinding } from '../../rbac/objects.ts';
import type { ApiResponse } from '../../support/api-request.ts';
import type { Cluster } from '../../support/cluster-access.ts';
import { messageIn, verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { waitUntil } from '../../support/wait-for.ts';
import { useWebhook } from '../../support/webhook.ts';

// Ways to hand a capability to somebody whom nobody expects, past a check that looks at ClusterRoleBindings alone. Each
// is a write by a member of system:masters on a real API server where everything is enforced. What is refused is then
// written with break-glass: the authorizer has to say that it gives the capability, or the row proves nothing. What is
// let in must give nothing, whoever asks.

const POLICY = `
apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
spec:
  clusterScoped: {enforce: strict, warn: strict, audit: strict}
  breakGlass:
  - {kind: User, name: breaker}
  expectedSubjects:
  - capabilities: [metrics, nodes/proxy]
    subjects: [{kind: ServiceAccount, namespace: monitoring, name: prometheus}]
    reason: the scraper of this cluster
`;

const BAD = { kind: 'ServiceAccount', namespace: 'team-a', name: 'app' };
const API = '/apis/rbac.authorization.k8s.io/v1';
const GROUP = 'rbac.authorization.k8s.io';

/** Who asks the authorizer, and for what: an attribute of a resource request, or the path of another one. */
interface Access {
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly resource?: string;
  readonly verb?: string;
  readonly path?: string;
  readonly group?: string;
  readonly namespace?: string;
  readonly name?: string;
}

interface Row {
  readonly name: string;
  /** Written before, with break-glass. */
  readonly state?: readonly JsonObject[];
  readonly write: Write | JsonObject;
  /** What the write is to give; nodes/proxy for the account unless told. */
  readonly gives?: Access;
  /** The rule that refuses it; undefined: it is let in and gives nothing, or what the row says is expected. */
  readonly refusedBy?: string;
  readonly isExpected?: true;
}

interface Write {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly contentType?: string;
}

const NODES_PROXY = 'nodes-proxy-grant';
const METRICS = 'metrics-grant';
const INDIRECT = 'indirect-grant';

/** Every role gives this besides, so that a test knows when the authorizer has seen it. */
const MARKER = { verbs: ['get'], apiGroups: ['markers.example.com'], resources: ['markers'] };
const onNodes = (resource = 'nodes/proxy', verb = 'get', fields: JsonObject = {}): JsonObject => {
  return { verbs: [verb], apiGroups: [''], resources: [resource], ...fields };
};
const onUrl = (url = '/metrics', verb = 'get'): JsonObject => ({ verbs: [verb], nonResourceURLs: [url] });
const role = (rule: JsonObject, parts = {}): JsonObject => clusterRole('evasion', [rule, MARKER], parts);
const harmless = role(onNodes('configmaps'));
const np = role(onNodes());
const bound = (...subjects: JsonObject[]): JsonObject => qualify(clusterRoleBinding('evasion', 'evasion', subjects));
const boundTo = (name: string, ...subjects: JsonObject[]): JsonObject =>
  qualify(clusterRoleBinding('evasion', name, subjects));
const user = (name: string, fields: JsonObject = {}): JsonObject => ({
  kind: 'User',
  name,
  apiGroup: GROUP,
  ...fields,
});
const group = (name: string, fields: JsonObject = {}): JsonObject => ({
  kind: 'Group',
  name,
  apiGroup: GROUP,
  ...fields,
});
const agg = (...selectors: unknown[]): JsonObject => clusterRole('evasion-agg', [], { selectors });
const M1 = { matchLabels: { 'example.com/m': '1' } };
const LABELLED = { labels: { 'example.com/m': '1' } };

const put = (object: JsonObject): Write => ({ method: 'PUT', path: pathOf(object), body: object });
const patch = (object: JsonObject, body: unknown, kind = 'merge-patch+json'): Write => {
  return { method: 'PATCH', path: pathOf(object), body, contentType: `application/${kind}` };
};
const applied = (object: JsonObject): Write => ({
  ...patch(object, object, 'apply-patch+yaml'),
  path: `${pathOf(object)}?fieldManager=somebody&force=true`,
});

/** The one rule of a role that is bound to the account. */
const ruled = (name: string, rule: JsonObject, refusedBy: string | undefined, gives: Access = {}): Row => ({
  name,
  state: [role(rule)],
  write: bound(BAD),
  gives,
  ...(refusedBy !== undefined && { refusedBy }),
});
const url = (path: string, verb = 'get'): Access => ({ path, verb });

const ROWS: readonly Row[] = [
  {
    name: 'E01 rules are added to a role that is bound',
    state: [harmless, bound(BAD)],
    write: put(np),
    refusedBy: NODES_PROXY,
  },
  {
    name: 'E01 the same by a JSON patch',
    state: [harmless, bound(BAD)],
    write: patch(harmless, [{ op: 'add', path: '/rules/-', value: onUrl() }], 'json-patch+json'),
    gives: url('/metrics'),
    refusedBy: METRICS,
  },
  { name: 'E02 the role comes after its binding', state: [bound(BAD)], write: np, refusedBy: NODES_PROXY },
  {
    name: 'E04 only a label is added',
    state: [np, agg(M1), boundTo('evasion-agg', BAD)],
    write: patch(np, { metadata: LABELLED }),
    refusedBy: NODES_PROXY,
  },
  {
    name: 'E05 an aggregationRule is added to a role that is bound',
    state: [role(onNodes(), LABELLED), clusterRole('evasion-agg', []), boundTo('evasion-agg', BAD)],
    write: patch(agg(), { aggregationRule: { clusterRoleSelectors: [M1] } }),
    refusedBy: NODES_PROXY,
  },
  {
    name: 'E05 a selector that takes in every role',
    state: [clusterRole('evasion-agg', []), boundTo('evasion-agg', BAD)],
    write: patch(agg(), { aggregationRule: { clusterRoleSelectors: [{}] } }),
    refusedBy: INDIRECT,
  },
  {
    name: 'E05 a selector of what has not a label',
    state: [np, clusterRole('evasion-agg', []), boundTo('evasion-agg', BAD)],
    write: patch(agg(), {
      aggregationRule: {
        clusterRoleSelectors: [
          {
            matchExpressions: [
              { key: 'example.com/none', operator: 'DoesNotExist' },
              { key: 'kubernetes.io/bootstrapping', operator: 'DoesNotExist' },
            ],
          },
        ],
      },
    }),
    refusedBy: NODES_PROXY,
  },
  {
    name: 'E06 through view and edit into admin',
    state: [boundTo('admin', BAD)],
    write: role(onNodes(), { labels: { [`${GROUP}/aggregate-to-view`]: 'true' } }),
    refusedBy: NODES_PROXY,
  },
  {
    name: 'E07 the aggregated role is bound before the controller has filled it',
    state: [role(onNodes(), LABELLED), agg(M1)],
    write: boundTo('evasion-agg', BAD),
    refusedBy: NODES_PROXY,
  },
  ruled('E09 the resource *', onNodes('*'), INDIRECT),
  ruled('E09 */proxy', onNodes('*/proxy'), INDIRECT),
  ruled('E09 the group *', onNodes('nodes/proxy', 'get', { apiGroups: ['*'] }), NODES_PROXY),
  ...['*', '**', '/*', '/m*', '/metrics*'].map((written) =>
    ruled(`E09 the URL ${written}`, onUrl(written), METRICS, url('/metrics')),
  ),
  ...['create', 'update', 'patch', 'delete', '*'].map((verb) =>
    ruled(`E10 ${verb} on nodes/proxy`, onNodes('nodes/proxy', verb), NODES_PROXY, {
      verb: verb === '*' ? 'get' : verb,
    }),
  ),
  ...['post', 'put', 'create', 'head', 'delete', '*'].map((verb) =>
    ruled(`E10 ${verb} on /metrics`, onUrl('/metrics', verb), METRICS, url('/metrics', verb === '*' ? 'get' : verb)),
  ),
  ruled('E11 /metrics/', onUrl('/metrics/'), METRICS, url('/metrics/')),
  ruled('E11 /metrics/cadvisor', onUrl('/metrics/cadvisor'), METRICS, url('/metrics/cadvisor')),
  ruled('E11 /metrics/*', onUrl('/metrics/*'), METRICS, url('/metrics/slis')),
  ...['//metrics', '/./metrics', '/Metrics', '/%6Detrics', 'metrics', '*/metrics'].map((written) =>
    ruled(`E12 ${written}`, onUrl(written), undefined, url('/metrics')),
  ),
  ...['nodes/*', '*/*', 'Nodes/proxy', 'nodes'].map((written) => ruled(`E13 ${written}`, onNodes(written), undefined)),
  ruled('E13 the group core', onNodes('nodes/proxy', 'get', { apiGroups: ['core'] }), undefined),
  ruled('E13 list and watch', onNodes('nodes/proxy', 'list'), undefined),
  ...['system:serviceaccounts', 'system:serviceaccounts:team-a', 'system:authenticated', 'system:unauthenticated'].map(
    (name): Row => ({
      name: `E14 ${name}`,
      state: [np],
      write: bound(group(name)),
      gives: { user: 'somebody', groups: [name] },
      refusedBy: NODES_PROXY,
    }),
  ),
  {
    name: 'E15 the account by its user name',
    state: [np],
    write: bound(user('system:serviceaccount:team-a:app')),
    refusedBy: NODES_PROXY,
  },
  {
    name: 'E15 the expected account by its user name',
    state: [np],
    write: bound(user('system:serviceaccount:monitoring:prometheus')),
    gives: { user: 'system:serviceaccount:monitoring:prometheus' },
    isExpected: true,
  },
  {
    name: 'E16 a group with the namespace of an expected account',
    state: [np],
    write: bound(group('prometheus', { namespace: 'monitoring' })),
    gives: { user: 'somebody', groups: ['prometheus'] },
    refusedBy: NODES_PROXY,
  },
  {
    name: 'E16 a user with the namespace of an expected account',
    state: [np],
    write: bound(user('prometheus', { namespace: 'monitoring' })),
    gives: { user: 'prometheus' },
    refusedBy: NODES_PROXY,
  },
  {
    name: 'E17 a user who is called like an expected account',
    state: [np],
    write: bound(user('monitoring/prometheus')),
    gives: { user: 'monitoring/prometheus' },
    refusedBy: NODES_PROXY,
  },
  ...(['json-patch+json', 'merge-patch+json', 'apply-patch+yaml'] as const).map((kind): Row => {
    const expected = { kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus' };
    const writes = {
      'json-patch+json': patch(bound(), [{ op: 'add', path: '/subjects/-', value: BAD }], kind),
      'merge-patch+json': patch(bound(), { subjects: [expected, BAD] }, kind),
      'apply-patch+yaml': applied(bound(expected, BAD)),
    };
    return {
      name: `E18 a subject more by ${kind}`,
      state: [np, bound(expected)],
      write: writes[kind],
      refusedBy: NODES_PROXY,
    };
  }),
  {
    name: 'E19 a subject more in a default binding',
    write: patch(
      qualify(clusterRoleBinding('system:monitoring', 'system:monitoring', [])),
      [{ op: 'add', path: '/subjects/-', value: BAD }],
      'json-patch+json',
    ),
    gives: url('/metrics'),
    refusedBy: METRICS,
  },
  {
    name: 'E19 a rule more in a default role',
    write: patch(
      clusterRole('system:discovery', []),
      [{ op: 'add', path: '/rules/-', value: onUrl() }],
      'json-patch+json',
    ),
    gives: { path: '/metrics', verb: 'get', groups: ['system:authenticated'] },
    refusedBy: METRICS,
  },
  {
    name: 'E20 labels and annotations of Kubernetes and of Helm',
    state: [np],
    write: {
      ...bound(BAD),
      metadata: {
        name: 'evasion',
        labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { [`${GROUP}/autoupdate`]: 'false' },
      },
    },
    refusedBy: NODES_PROXY,
  },
  {
    name: 'E21 a RoleBinding',
    state: [np],
    write: qualify(roleBinding('default', 'evasion', 'evasion', [BAD])),
  },
  ruled('E22 pods/proxy', onNodes('pods/proxy'), INDIRECT, { resource: 'pods/proxy', namespace: 'kube-system' }),
  ruled('E22 services/proxy', onNodes('services/proxy'), INDIRECT, { resource: 'services/proxy', namespace: 'a' }),
  {
    name: 'E22 edit in the whole cluster',
    write: boundTo('edit', BAD),
    gives: { resource: 'services/proxy', namespace: 'kube-system' },
    refusedBy: INDIRECT,
  },
  ruled('E24 impersonate', onNodes('serviceaccounts', 'impersonate'), INDIRECT, {
    resource: 'serviceaccounts',
    verb: 'impersonate',
    namespace: 'monitoring',
  }),
  ruled('E25 constrained impersonation', onNodes('nodes/proxy', 'impersonate-on:serviceaccount:get'), NODES_PROXY, {
    verb: 'impersonate-on:serviceaccount:get',
  }),
  ...['escalate', 'bind'].map((verb) =>
    ruled(`E26 ${verb}`, { verbs: [verb], apiGroups: [GROUP], resources: ['clusterroles'] }, INDIRECT, {
      resource: 'clusterroles',
      verb,
      group: GROUP,
    }),
  ),
  {
    name: 'E31 an apply of a binding that is not there',
    state: [np],
    write: applied(bound(BAD)),
    refusedBy: NODES_PROXY,
  },
  {
    name: 'E31 a name that the API server makes',
    state: [np],
    write: { ...bound(BAD), metadata: { generateName: 'evasion-' } },
    refusedBy: NODES_PROXY,
  },
  { name: 'E37 cluster-admin', write: boundTo('cluster-admin', BAD), refusedBy: INDIRECT },
  {
    name: 'E38 a subject behind five thousand that are expected',
    state: [np],
    write: bound(...Array.from({ length: 5000 }, () => user('system:serviceaccount:monitoring:prometheus')), BAD),
    refusedBy: NODES_PROXY,
  },
];

await ownClusterSuite(
  'the catalogue of evasions, where everything is enforced',
  { needs: ['kubeControllerManager'] },
  (cluster) => {
    useWebhook(cluster, { policy: POLICY, namespaces: 'every' });
    let breaker: KeyPair | undefined;
    before(async () => {
      breaker = await cluster.userCertificate('breaker', ['system:masters']);
    });
    const withBreakGlass = async ({ method, path, body, contentType }: Write): Promise<ApiResponse> => {
      assert.ok(breaker !== undefined);
      return cluster.request(path, { method, body, as: breaker, ...(contentType !== undefined && { contentType }) });
    };

    for (const { name, state = [], write, gives = {}, refusedBy, isExpected } of ROWS) {
      it(`${name}: ${refusedBy ?? (isExpected ? 'expected' : 'gives nothing')}`, async (t) => {
        const request = asWrite(write);
        const original = await cluster.request(request.path.split('?', 1)[0] ?? '');
        t.after(async () => {
          await restoreDefault(original, withBreakGlass);
          await removeOwn(cluster, gives);
        });
        for (const object of state) assertDone(await withBreakGlass(asWrite(object)));
        assert.equal(await isAllowed(cluster, gives), false, 'it was allowed before');
        const { method, path, body, contentType } = request;
        const answer = await cluster.request(path, { method, body, ...(contentType !== undefined && { contentType }) });
        if (refusedBy !== undefined) {
          assert.equal(verdictOf(answer), `denied rbac ${refusedBy}`);
          assert.equal(await isAllowed(cluster, gives), false, 'it is allowed although it was refused');
          assertDone(await withBreakGlass(request));
          await waitUntil('the authorizer to allow it', () => isAllowed(cluster, gives));
          return;
        }
        assertDone(answer);
        if (isExpected) return waitUntil('the authorizer to allow it', () => isAllowed(cluster, gives));
        const marker = { resource: 'markers', group: 'markers.example.com', namespace: 'default' };
        await waitUntil('the authorizer to know the binding', () => isAllowed(cluster, marker));
        assert.equal(await isAllowed(cluster, gives), false, 'it was let in and gives the capability');
      });
    }

    it('E03 a role is deleted and made anew with other rules', async (t) => {
      t.after(() => removeOwn(cluster));
      for (const object of [harmless, bound(BAD)]) assertDone(await withBreakGlass(asWrite(object)));
      assertDone(await cluster.request(pathOf(harmless), { method: 'DELETE' }));
      const answer = await cluster.request(`${API}/clusterroles`, { method: 'POST', body: np });
      assert.equal(verdictOf(answer), `denied rbac ${NODES_PROXY}`);
    });

    it('E31 kubectl create, replace --force and auth reconcile', async (t) => {
      t.after(() => removeOwn(cluster));
      assertDone(await withBreakGlass(asWrite(np)));
      const input = JSON.stringify(bound(BAD));
      const account = '--serviceaccount=team-a:app';
      for (const [args, options] of [
        [['create', 'clusterrolebinding', 'evasion', '--clusterrole=evasion', account], {}],
        [['create', '-f', '-'], { input }],
        [['apply', '-f', '-'], { input }],
        [['apply', '--server-side', '-f', '-'], { input }],
        [['replace', '--force', '-f', '-'], { input }],
      ] as const) {
        const { code, stderr } = await cluster.kubectl(args, options);
        assert.notEqual(code, 0, args.join(' '));
        assert.match(
          stderr,
          /rbac\.validate\.scrapeguard\.io" denied the request: ServiceAccount team-a\/app gets nodes/,
        );
      }
      assert.equal(await isAllowed(cluster, {}), false);
    });

    it('E31 a dry run is refused, too', async (t) => {
      t.after(() => removeOwn(cluster));
      assertDone(await withBreakGlass(asWrite(np)));
      const path = `${API}/clusterrolebindings?dryRun=All`;
      const answer = await cluster.request(path, { method: 'POST', body: bound(BAD) });
      assert.equal(verdictOf(answer), `denied rbac ${NODES_PROXY}`);
    });

    it('E32 there is no other version of the API', async () => {
      for (const version of ['v1beta1', 'v1alpha1']) {
        const path = `/apis/${GROUP}/${version}/clusterrolebindings`;
        assert.equal((await cluster.request(path, { method: 'POST', body: bound(BAD) })).status, 404);
      }
    });

    it('E39 the refusal names the one subject that nobody expects', async (t) => {
      t.after(() => removeOwn(cluster));
      assertDone(await withBreakGlass(asWrite(np)));
      const expected = Array.from({ length: 20 }, () => user('system:serviceaccount:monitoring:prometheus'));
      const body = bound(...expected, BAD, ...expected);
      const answer = await cluster.request(`${API}/clusterrolebindings`, { method: 'POST', body });
      assert.match(messageIn(answer.body), /ServiceAccount team-a\/app gets .*\(\/subjects\/20\)/);
    });
  },
);

/** As the API server wants it. */
function qualify(binding: JsonObject): JsonObject {
  return { ...binding, roleRef: { apiGroup: GROUP, ...asObject(binding['roleRef']) } };
}

function collectionOf(object: JsonObject): string {
  const namespace = asString(metadataOf(object)['namespace']);
  const resource = `${String(object['kind']).toLowerCase()}s`;
  return namespace === undefined ? `${API}/${resource}` : `${API}/namespaces/${namespace}/${resource}`;
}

function pathOf(object: JsonObject): string {
  return `${collectionOf(object)}/${String(metadataOf(object)['name'])}`;
}

function asWrite(write: Write | JsonObject): Write {
  return isWrite(write) ? write : { method: 'POST', path: collectionOf(write), body: write };
}

function isWrite(write: Write | JsonObject): write is Write {
  return 'method' in write;
}

function assertDone({ status, body }: ApiResponse): void {
  assert.ok(status === 200 || status === 201, `${status} ${messageIn(body)}`);
}

async function isAllowed(cluster: Cluster, access: Access): Promise<boolean> {
  const {
    user: name = 'system:serviceaccount:team-a:app',
    groups = [],
    verb = 'get',
    path,
    group: apiGroup = '',
  } = access;
  const [resource, subresource = ''] = (access.resource ?? 'nodes/proxy').split('/', 2);
  const attributes =
    path === undefined
      ? {
          resourceAttributes: {
            verb,
            group: apiGroup,
            resource,
            subresource,
            namespace: access.namespace ?? '',
            name: access.name ?? 'x',
          },
        }
      : { nonResourceAttributes: { verb, path } };
  const { status, body } = await cluster.request('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    method: 'POST',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: name, groups, ...attributes },
    },
  });
  assert.equal(status, 201);
  return asObject(asObject(body)['status'])['allowed'] === true;
}

/** Gives an object of Kubernetes' own, which is never deleted, its content back. */
async function restoreDefault(
  { status, body }: ApiResponse,
  write: (request: Write) => Promise<ApiResponse>,
): Promise<void> {
  const object = asObject(body);
  const { resourceVersion: _, ...metadata } = metadataOf(object);
  if (status !== 200 || asString(metadata['name'])?.startsWith('system:') !== true) return;
  assertDone(await write(put({ ...object, metadata })));
}

/** Removes whatever a test wrote, and waits until nobody is allowed anything by it. */
async function removeOwn(cluster: Cluster, gives: Access = {}): Promise<void> {
  for (const resource of ['clusterrolebindings', 'clusterroles', 'namespaces/default/rolebindings']) {
    const { body } = await cluster.request(`${API}/${resource}`);
    const names = asList(asObject(body)['items']).map((item) => String(metadataOf(asObject(item))['name']));
    for (const name of names.filter(isOwn)) await cluster.request(`${API}/${resource}/${name}`, { method: 'DELETE' });
  }
  await waitUntil('the authorizer to forget', async () => !(await isAllowed(cluster, gives)));
}

function isOwn(name: string): boolean {
  return name.startsWith('evasion');
}
