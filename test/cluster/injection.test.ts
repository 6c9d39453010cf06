import assert from 'node:assert/strict';
import { it } from 'node:test';
import { asList, asObject, asString, type JsonObject } from '../../src/kube/json.ts';
import { annotationOf, metadataOf } from '../../src/kube/object.ts';
import type { Cluster } from '../support/cluster-access.ts';
import { messageIn } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { waitFor, waitUntil } from '../support/wait-for.ts';
import { useWebhook } from '../support/webhook.ts';

const ANNOTATIONS = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' };

/** What Pod Security at its level `restricted` asks of a container. */
const RESTRICTED: JsonObject = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** The template of a pod with metrics on port 9090 that the strictest namespace admits. */
function template(annotations: Readonly<Record<string, string>> = {}, spec: JsonObject = {}): JsonObject {
  const container = {
    name: 'app',
    image: 'example.com/app:1',
    args: ['--listen=127.0.0.1:9090'],
    ports: [{ name: 'metrics', containerPort: 9090 }],
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '128Mi' } },
    securityContext: RESTRICTED,
  };
  return {
    metadata: { labels: { app: 'front' }, annotations: { ...ANNOTATIONS, ...annotations } },
    spec: { containers: [container], ...spec },
  };
}

function pod(annotations: Readonly<Record<string, string>> = {}, spec: JsonObject = {}): JsonObject {
  const { metadata, spec: made } = template(annotations, spec);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...asObject(metadata), name: 'front' }, spec: made };
}

function namesIn(list: unknown): readonly string[] {
  return asList(list).map((container) => asString(asObject(container)['name']) ?? '');
}

/** The pod's containers, native sidecars behind a bar. */
function shapeOf(made: unknown): string {
  const { containers, initContainers } = asObject(asObject(made)['spec']);
  return [namesIn(containers).join(' '), ...namesIn(initContainers)].join(' | ');
}

async function create(cluster: Cluster, namespace: string, object: JsonObject, query = ''): Promise<JsonObject> {
  const path = `/api/v1/namespaces/${namespace}/pods${query}`;
  const { status, body } = await cluster.request(path, { method: 'POST', body: object });
  assert.equal(status, 201, messageIn(body));
  return asObject(body);
}

/** A namespace in which everything is in force that can refuse a pod. */
const STRICT = { 'pod-security.kubernetes.io/enforce': 'restricted', 'scrapeguard.io/enforce': 'strict' };

async function limit(cluster: Cluster, namespace: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}`;
  const hard = { 'requests.cpu': '4', 'requests.memory': '4Gi', 'limits.cpu': '8', 'limits.memory': '8Gi' };
  const limits = [{ type: 'Container', min: { cpu: '10m', memory: '16Mi' }, max: { cpu: '1', memory: '1Gi' } }];
  const made = [
    await cluster.request(`${path}/resourcequotas`, {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quota' }, spec: { hard } },
    }),
    await cluster.request(`${path}/limitranges`, {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'range' }, spec: { limits } },
    }),
  ];
  assert.deepEqual(
    made.map(({ status }) => status),
    [201, 201],
  );
}

await clusterSuite(
  'injection, where everything that can refuse a pod is in force',
  { needs: ['kubeControllerManager'] },
  (cluster) => {
    const webhook = useWebhook(cluster);

    const makeNamespace = async (): Promise<string> => {
      const namespace = await webhook().createNamespace(STRICT);
      await limit(cluster, namespace);
      return namespace;
    };

    it('a Pod gets its proxy, its token, and annotations that send Prometheus there', async () => {
      const namespace = await makeNamespace();
      const made = await create(cluster, namespace, pod());
      assert.equal(shapeOf(made), 'app kube-rbac-proxy');
      const proxy = asObject(asList(asObject(made['spec'])['containers'])[1]);
      const mounts = asList(proxy['volumeMounts']).map((mount) => asObject(mount)['mountPath']);
      assert.deepEqual(mounts, ['/var/run/secrets/kubernetes.io/serviceaccount']);
      assert.ok(asList(proxy['args']).includes('--upstream=http://127.0.0.1:9090/'));
      const told = ['prometheus.io/port', 'prometheus.io/scheme'].map((key) => annotationOf(made, key));
      assert.deepEqual(told, ['8443', 'https']);
      assert.deepEqual(JSON.parse(annotationOf(made, 'scrapeguard.io/original') ?? ''), {
        'prometheus.io/port': '9090',
        'prometheus.io/scheme': null,
      });
      const { ports } = JSON.parse(annotationOf(made, 'scrapeguard.io/status') ?? '');
      assert.deepEqual(ports, [{ port: 9090, proxyPort: 8443, container: 'kube-rbac-proxy' }]);
    });

    it('a pod that mounts no token gets one for its proxy alone', async () => {
      const namespace = await makeNamespace();
      const made = await create(cluster, namespace, pod({}, { automountServiceAccountToken: false }));
      const containers = asList(asObject(made['spec'])['containers']).map(asObject);
      assert.deepEqual(
        containers.map(({ volumeMounts }) => asList(volumeMounts).length),
        [0, 1],
      );
    });

    it('a dry run shows the same pod', async () => {
      const namespace = await makeNamespace();
      assert.equal(shapeOf(await create(cluster, namespace, pod(), '?dryRun=All')), 'app kube-rbac-proxy');
    });

    it('the audit log says so', async () => {
      const namespace = await makeNamespace();
      await create(cluster, namespace, pod(), '?fieldManager=audited');
      const path = `/api/v1/namespaces/${namespace}/pods?fieldManager=audited`;
      const [event] = await cluster.auditEvents(({ uri, verb }) => verb === 'create' && uri === path);
      assert.equal(event?.annotations['inject.scrapeguard.io/injection'], 'injected');
    });

    it('a Pod that opted out is refused where its port has to be protected', async () => {
      const namespace = await makeNamespace();
      const path = `/api/v1/namespaces/${namespace}/pods`;
      const body = pod({ 'scrapeguard.io/inject': 'false' });
      const refused = await cluster.request(path, { method: 'POST', body });
      assert.equal(refused.status, 403);
      assert.match(messageIn(refused.body), /metrics port 9090 has no kube-rbac-proxy in front of it: the pod has/);
    });

    const podsOf = (namespace: string) =>
      waitFor('a pod of the controller', async () => {
        const { body } = await cluster.request(`/api/v1/namespaces/${namespace}/pods`);
        const pods = asList(asObject(body)['items']);
        return pods.length === 0 ? undefined : pods;
      });

    const apply = async (namespace: string, object: JsonObject): Promise<void> => {
      const applied = await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], { input: JSON.stringify(object) });
      assert.equal(applied.code, 0, applied.stderr);
      assert.equal(applied.stderr, '');
    };

    it('the pods of a Deployment get it as a container', async () => {
      const namespace = await makeNamespace();
      const spec = { selector: { matchLabels: { app: 'front' } }, template: template() };
      await apply(namespace, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'front' }, spec });
      assert.deepEqual((await podsOf(namespace)).map(shapeOf), ['app kube-rbac-proxy']);
    });

    it('the pods of a Job get it as a native sidecar, which ends with them', async () => {
      const namespace = await makeNamespace();
      const spec = { template: template({}, { restartPolicy: 'Never' }) };
      await apply(namespace, { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'front' }, spec });
      const pods = await podsOf(namespace);
      assert.deepEqual(pods.map(shapeOf), ['app | kube-rbac-proxy']);
      const [sidecar] = asList(asObject(asObject(pods[0])['spec'])['initContainers']);
      assert.equal(asObject(sidecar)['restartPolicy'], 'Always');
    });

    it('so do those of a CronJob', async () => {
      const namespace = await makeNamespace();
      const jobTemplate = { spec: { template: template({}, { restartPolicy: 'OnFailure' }) } };
      const spec = { schedule: '0 0 1 1 *', jobTemplate };
      await apply(namespace, { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'front' }, spec });
      const run = await cluster.kubectl(['create', 'job', 'now', '--from=cronjob/front', '-n', namespace]);
      assert.equal(run.code, 0, run.stderr);
      assert.deepEqual((await podsOf(namespace)).map(shapeOf), ['app | kube-rbac-proxy']);
    });
  },
);

await clusterSuite('injection, as kubectl tells of it', {}, (cluster) => {
  const webhook = useWebhook(cluster);

  const applyIn = async (namespace: string, object: JsonObject): Promise<string> => {
    const args = ['apply', '--dry-run=server', '-n', namespace, '-f', '-'];
    const { code, stderr } = await cluster.kubectl(args, { input: JSON.stringify(object) });
    assert.equal(code, 0, stderr);
    return stderr;
  };
  const apply = async (object: JsonObject): Promise<string> => applyIn(await webhook().createNamespace(), object);

  it('warns of an account that may not create tokenreviews, with a command after which it is silent', async () => {
    const namespace = await webhook().createNamespace();
    const told = await waitFor('a view of the grants', async () => (await applyIn(namespace, pod())) || undefined);
    const command = `kubectl create clusterrolebinding ${namespace}-default --clusterrole=system:auth-delegator`;
    assert.equal(
      told,
      [
        `Warning: ServiceAccount ${namespace}/default may not create tokenreviews, so scrapes get 401; run:`,
        `Warning: ${command} \\`,
        `Warning: --serviceaccount=${namespace}:default\n`,
      ].join('\n'),
    );
    const words = `${command} --serviceaccount=${namespace}:default`.split(' ').slice(1);
    assert.equal((await cluster.kubectl(words)).code, 0);
    try {
      await waitUntil('the grant to be seen', async () => (await applyIn(namespace, pod())) === '');
    } finally {
      await cluster.kubectl(['delete', 'clusterrolebinding', `${namespace}-default`]);
    }
  });

  it('warns of what it could not do, and of the port that stays open', async () => {
    const told = await apply(pod({ 'prometheus.io/port': 'web' }));
    assert.match(told, /^Warning: not injected: no container declares a port named "web"$/m);
    assert.match(told, /^Warning: unprotected-metrics-port: no kube-rbac-proxy can stand in front of /m);
    assert.equal(told.trimEnd().split('\n').length, 2);
  });

  it('warns of a port that nobody declares', async () => {
    assert.match(
      await apply(pod({ 'prometheus.io/port': '9191' })),
      /^Warning: no container declares metrics port 9191/m,
    );
  });
});

await clusterSuite('injection in mode report', {}, (cluster) => {
  const policy = `
apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
spec: {injection: {mode: report}}
`;
  const webhook = useWebhook(cluster, { policy });

  it('says what it would inject, and injects nothing', async () => {
    const namespace = await webhook().createNamespace();
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const { status, body, warnings } = await cluster.request(path, { method: 'POST', body: pod() });
    assert.deepEqual([status, shapeOf(body)], [201, 'app']);
    assert.ok(
      warnings.includes('would inject kube-rbac-proxy on port 8443 in front of port 9090'),
      warnings.join('\n'),
    );
    assert.equal(Object.hasOwn(asObject(metadataOf(asObject(body))['annotations']), 'scrapeguard.io/status'), false);
  });
});

await clusterSuite('injection where namespaces opt in', {}, (cluster) => {
  const policy = `
apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
spec:
  defaults: {enforce: "off", warn: "off", audit: "off"}
  injection: {select: labelled}
`;
  const webhook = useWebhook(cluster, { policy, optIn: true });
  const INJECT = 'scrapeguard.io/inject';

  for (const { labels, shape, asked } of [
    { labels: { [INJECT]: 'enabled' }, shape: 'app kube-rbac-proxy', asked: true },
    { labels: { [INJECT]: 'disabled' }, shape: 'app', asked: false },
    { labels: { 'scrapeguard.io/enforce': 'baseline' }, shape: 'app', asked: true },
    { labels: {}, shape: 'app', asked: false },
  ]) {
    it(`${JSON.stringify(labels)}: ${shape}`, async () => {
      const namespace = await webhook().createNamespace(labels);
      assert.equal(shapeOf(await create(cluster, namespace, pod())), shape);
      const isAsked = (await webhook().reviews()).some(
        ({ kind, namespace: place }) => kind === 'Pod' && place === namespace,
      );
      assert.equal(isAsked, asked);
    });
  }
});
