import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ASKS, EXPOSES, makeDeployment, makePod } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { waitFor } from '../support/wait-for.ts';
import { useWebhook } from '../support/webhook.ts';

const REFUSAL =
  'admission webhook "pods.validate.scrapeguard.io" denied the request: container "web" declares port 10255, ' +
  "the kubelet's unauthenticated read-only port (/spec/containers/0/ports/0/containerPort). Use another port; to read " +
  'the kubelet, ask https://<node>:10250/metrics with a token that may get nodes/metrics. ' +
  'See https://scrapeguard.io/rules/kubelet-read-only-port.';

const WARNING =
  'Warning: kubelet-read-only-port: container "web" declares port 10255, the kubelet\'s unauthenticated read-only port';

const PODS_REFUSAL =
  /^Error from server \(Forbidden\): admission webhook "pods\.validate\.scrapeguard\.io" denied the request: .* See https:\/\/scrapeguard\.io\/rules\/kubelet-read-only-port-client\.\n$/;

const URL = 'http://10.0.0.1:10255/pods';

await clusterSuite('kubectl, under the default policy', { needs: ['kubeControllerManager'] }, (cluster) => {
  const webhook = useWebhook(cluster);

  it('run: prints the refusal, and nothing is made', async () => {
    const namespace = await webhook().createNamespace();
    const run = await cluster.kubectl(['run', 'web', '--image=nginx', '--port=10255', '-n', namespace]);
    assert.deepEqual(run, { code: 1, stdout: '', stderr: `Error from server (Forbidden): ${REFUSAL}\n` });
    assert.equal((await cluster.request(`/api/v1/namespaces/${namespace}/pods/web`)).status, 404);
  });

  it('apply: refuses the bad object of a file, and makes the good one', async () => {
    const namespace = await webhook().createNamespace();
    const items = [makePod('bad', { ...EXPOSES, name: 'web' }), makePod('good')];
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const applied = await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], { input });
    const stderr = `Error from server (Forbidden): error when creating "STDIN": ${REFUSAL}\n`;
    assert.deepEqual(applied, { code: 1, stdout: 'pod/good created\n', stderr });
  });

  it('apply --dry-run=server: refuses and warns as without it, and nothing is made', async () => {
    const namespace = await webhook().createNamespace();
    const apply = (object: object) =>
      cluster.kubectl(['apply', '--dry-run=server', '-n', namespace, '-f', '-'], { input: JSON.stringify(object) });
    const pod = await apply(makePod('bad', { ...EXPOSES, name: 'web' }));
    const stderr = `Error from server (Forbidden): error when creating "STDIN": ${REFUSAL}\n`;
    assert.deepEqual(pod, { code: 1, stdout: '', stderr });
    const deployment = await apply(makeDeployment('bad', { ...EXPOSES, name: 'web' }));
    const stdout = 'deployment.apps/bad created (server dry run)\n';
    assert.deepEqual(deployment, { code: 0, stdout, stderr: `${WARNING}\n` });
    const { stdout: made } = await cluster.kubectl(['get', 'pods,deployments', '-n', namespace, '-o', 'name']);
    assert.equal(made, '');
  });

  it('create deployment: warns, and the ReplicaSet tells in its events why there are no pods', async () => {
    const namespace = await webhook().createNamespace();
    const args = ['create', 'deployment', 'web', '--image=example.com/web:1', '--port=10255', '-n', namespace];
    const created = await cluster.kubectl(args);
    assert.deepEqual(created, { code: 0, stdout: 'deployment.apps/web created\n', stderr: `${WARNING}\n` });
    const events = await waitFor('an event of the ReplicaSet', async () => {
      const { stdout } = await cluster.kubectl(['describe', 'replicasets', '-n', namespace]);
      return stdout.includes('FailedCreate  ') ? stdout : undefined;
    });
    assert.ok(events.includes(`replicaset-controller  Error creating: ${REFUSAL}`), events);
    const { stdout: pods } = await cluster.kubectl(['get', 'pods', '-n', namespace, '-o', 'name']);
    assert.equal(pods, '');
  });

  it('create deployment --warnings-as-errors: fails', async () => {
    const namespace = await webhook().createNamespace();
    const image = '--image=example.com/web:1';
    const args = ['create', 'deployment', 'web', image, '--port=10255', '--warnings-as-errors', '-n', namespace];
    const { code, stderr } = await cluster.kubectl(args);
    assert.equal(code, 1);
    assert.equal(stderr, `${WARNING}\nerror: 1 warning received\n`);
  });

  it('apply: prints a warning of what only the strict profile would refuse', async () => {
    const namespace = await webhook().createNamespace();
    const input = JSON.stringify(makePod('asks', ASKS));
    const applied = await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], { input });
    assert.deepEqual([applied.code, applied.stdout], [0, 'pod/asks created\n']);
    assert.match(applied.stderr, /^Warning: kubelet-read-only-port-client: container "main" .{10,100}\n$/);
  });
});

await clusterSuite('kubectl debug, where everything is enforced', {}, (cluster) => {
  const webhook = useWebhook(cluster);
  const debug = (namespace: string, args: readonly string[]) =>
    cluster.kubectl(['debug', 'web', '-n', namespace, '--profile=general', ...args]);

  const makeNamespace = async (): Promise<string> => {
    const namespace = await webhook().createNamespace({ 'scrapeguard.io/enforce': 'strict' });
    const path = `/api/v1/namespaces/${namespace}/pods`;
    assert.equal((await cluster.request(path, { method: 'POST', body: makePod('web') })).status, 201);
    return namespace;
  };

  it('refuses an ephemeral container that asks the port', async () => {
    const namespace = await makeNamespace();
    for (const words of [
      ['--', 'wget', URL],
      ['--arguments-only', '--', URL],
    ]) {
      const { code, stderr } = await debug(namespace, ['--image=busybox', '--container=look', ...words]);
      assert.equal(code, 1);
      assert.match(stderr, PODS_REFUSAL);
      assert.match(stderr, /container "look" .* \(\/spec\/ephemeralContainers\/0\/(command\/1|args\/0)\)\. /);
    }
  });

  it('lets in one that does something else', async () => {
    const namespace = await makeNamespace();
    const { code, stderr } = await debug(namespace, ['--image=busybox', '--container=look', '--', 'ps']);
    assert.deepEqual([code, stderr], [0, '']);
    const body = JSON.stringify((await cluster.request(`/api/v1/namespaces/${namespace}/pods/web`)).body);
    assert.match(body, /"ephemeralContainers":\[\{"name":"look"/);
  });

  it('--copy-to: refuses a copy that asks the port', async () => {
    const namespace = await makeNamespace();
    const { code, stderr } = await debug(namespace, ['--copy-to=copy', '--container=main', '--', 'wget', URL]);
    assert.equal(code, 1);
    assert.match(stderr, PODS_REFUSAL);
    assert.match(stderr, /container "main" .* \(\/spec\/containers\/0\/command\/1\)\. /);
  });

  it('--copy-to: lets in another image', async () => {
    const namespace = await makeNamespace();
    const { code, stderr } = await debug(namespace, ['--copy-to=copy', '--set-image=main=example.com/main:2']);
    assert.deepEqual([code, stderr], [0, '']);
  });
});
