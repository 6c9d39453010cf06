import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { manifestPath, type ChartMode } from '../../../scripts/plain-manifests.ts';
import { asObject } from '../../../src/kube/json.ts';
import { EXPOSES, makePod, verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import type { ControlPlane } from '../../support/control-plane.ts';
import { corpusSkip } from '../../support/corpus.ts';
import { installCustomKinds } from '../../support/crds.ts';
import { type Guard, startGuard } from '../../support/guard.ts';
import { installedArguments, NAMESPACE } from '../../support/installed-servers.ts';
import { leftBehind, waitForPods } from '../../support/installation.ts';
import { type Published, publishedFor, tryAll } from '../../support/published-objects.ts';
import { type ServerProcess, startServer } from '../../support/server-process.ts';
import { startServiceRoute } from '../../support/service-route.ts';
import { waitUntil } from '../../support/wait-for.ts';

const RULE = 'kubelet-read-only-port';

const route = await startServiceRoute();
after(() => route.stop());

const needs = ['kubeControllerManager'] as const;

await ownClusterSuite('the plain manifests', { needs, apiserver: { flags: route.flags } }, (cluster) => {
  let guard: Guard;
  let server: ServerProcess | undefined;
  let namespace = '';
  let objects: readonly Published[] = [];
  let unasked: ReadonlyMap<string, number> = new Map();

  const apply = async (mode: ChartMode): Promise<void> => {
    const { code, stderr } = await cluster.kubectl(['apply', '-f', pathOf(mode)]);
    // No warning either: Pod Security's level restricted is on the namespace.
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    await waitForPods(cluster, NAMESPACE, 2);
  };
  const serve = async (mode: ChartMode): Promise<ServerProcess> => {
    // Nobody sends it anything when it is asked to end.
    const args = [...(await installedArguments(cluster, guard)), '--drain-seconds', '0'];
    const started = await startServer(guard, { name: mode, args });
    route.leadTo(() => started.port);
    server = started;
    return started;
  };
  const remove = async (mode: ChartMode): Promise<void> => {
    const { code, stderr } = await cluster.kubectl(['delete', '-f', pathOf(mode)], { timeoutMs: 120_000 });
    assert.equal(code, 0, stderr);
    await server?.stop();
    await waitUntil('nothing to be left', async () => (await leftBehind(cluster, NAMESPACE)).length === 0);
    assert.equal((await cluster.request(`/api/v1/namespaces/${NAMESPACE}`)).status, 404);
  };

  before(async () => {
    guard = await startGuard();
    await installCustomKinds(cluster);
    namespace = await cluster.createNamespace();
    if (corpusSkip !== false) return;
    objects = await publishedFor(cluster, namespace);
    unasked = (await tryAll(cluster, objects)).statuses;
  });
  after(() => guard.end());

  it('audit: is taken where Pod Security is restricted, twice', async () => {
    await apply('audit');
    await apply('audit');
  });

  it('audit: warns', async () => {
    await serve('audit');
    await waitUntil('a warning', async () => (await verdict(cluster, namespace)) === `warned ${RULE}`);
  });

  it('audit: refuses none of what others publish', { skip: corpusSkip }, async (t) => {
    const { statuses, warned } = await tryAll(cluster, objects);
    assert.deepEqual(differing(unasked, statuses), []);
    t.diagnostic(`${objects.length} objects, ${warned} warned about`);
    assert.ok(objects.length > 100 && warned > 10, `${objects.length} objects, ${warned} warned about`);
  });

  it('audit: refuses none of it while servers answer with errors', { skip: corpusSkip }, async () => {
    const { port, requests, stop } = await startBroken(cluster);
    route.leadTo(() => port);
    route.cut();
    const { statuses } = await tryAll(cluster, objects);
    assert.deepEqual(differing(unasked, statuses), []);
    assert.ok(requests() > 100, String(requests()));
    stop();
  });

  it('audit: refuses none of it while there is no server', { skip: corpusSkip }, async () => {
    route.leadTo(() => undefined);
    route.cut();
    const { statuses, warned } = await tryAll(cluster, objects);
    assert.deepEqual(differing(unasked, statuses), []);
    assert.equal(warned, 0);
  });

  it('audit: is deleted with everything', () => remove('audit'));

  it('namespace-opt-in: asks about nothing but RBAC outside namespaces, our labels, and labelled namespaces', async () => {
    await apply('namespace-opt-in');
    const { reviews } = await serve('namespace-opt-in');
    const labelled = await cluster.createNamespace({ 'scrapeguard.io/enforce': 'baseline' });
    await waitUntil('a refusal', async () => (await verdict(cluster, labelled)) === `denied pods ${RULE}`);
    assert.equal(await verdict(cluster, namespace), 'allowed');
    await tryAll(
      cluster,
      objects.filter((_, index) => index % 10 === 0),
    );
    const kinds = new Set((await reviews()).filter((review) => review.namespace !== labelled).map(({ kind }) => kind));
    for (const kind of kinds) assert.match(kind, /^(?:ClusterRole|ClusterRoleBinding|Namespace)$/);
  });

  it('namespace-opt-in: is deleted with everything', () => remove('namespace-opt-in'));

  it('cluster-wide: refuses, and lets its own deletion pass', async () => {
    await apply('cluster-wide');
    await serve('cluster-wide');
    await waitUntil('a refusal', async () => (await verdict(cluster, namespace)) === `denied pods ${RULE}`);
    await remove('cluster-wide');
    assert.equal(await verdict(cluster, namespace), 'allowed');
  });
});

function pathOf(mode: ChartMode): string {
  return fileURLToPath(new URL(`../../../${manifestPath(mode)}`, import.meta.url));
}

async function verdict(cluster: ControlPlane, namespace: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  return verdictOf(await cluster.request(path, { method: 'POST', body: makePod('exposes', EXPOSES) }));
}

/** What was answered otherwise than before. */
function differing(first: ReadonlyMap<string, number>, second: ReadonlyMap<string, number>): readonly string[] {
  return [...second].flatMap(([place, other]) => {
    const status = first.get(place);
    return other === status ? [] : [`${place}: ${status}, then ${other}`];
  });
}

/** A server with the installation's own certificate that answers 500 to everything. */
async function startBroken(cluster: ControlPlane) {
  const path = `/api/v1/namespaces/${NAMESPACE}/secrets/scrapeguard-certificates`;
  const data = asObject(asObject((await cluster.request(path)).body)['data']);
  const part = (name: string): Buffer => Buffer.from(String(data[name]), 'base64');
  let count = 0;
  const broken = createServer({ cert: part('tls.crt'), key: part('tls.key') }, (request, response) => {
    count += 1;
    request.resume();
    response.writeHead(500).end('broken');
  });
  broken.listen(0, '127.0.0.1');
  await once(broken, 'listening');
  const { port } = broken.address() as AddressInfo;
  const stop = (): void => {
    broken.close();
    broken.closeAllConnections();
  };
  return { port, requests: () => count, stop };
}
