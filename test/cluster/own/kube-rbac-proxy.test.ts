import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, it } from 'node:test';

import { applyPlan } from '../../../src/inject/apply.ts';
import { planInjection } from '../../../src/inject/plan.ts';
import { asList, asObject, asStrings, type JsonObject } from '../../../src/kube/json.ts';
import type { Cluster } from '../../support/cluster-access.ts';
import { makePod } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { findFreePorts } from '../../support/free-ports.ts';
import { startGuard, type Guard } from '../../support/guard.ts';
import { rulesetOf } from '../../support/rulesets.ts';
import { waitUntil } from '../../support/wait-for.ts';

// The real kube-rbac-proxy, started with the arguments that are injected, in front of an application of the test's own.

const AUDIENCE = 'metrics.example.com';

interface Proxied {
  readonly application: Application;
  readonly url: string;
}

await ownClusterSuite(
  'the real kube-rbac-proxy with the arguments that are injected',
  { controllers: false, needs: ['kubeRbacProxy'] },
  (cluster) => {
    const tokens = { scraper: '', stranger: '', audience: '' };
    const guards: Guard[] = [];
    const applications: Application[] = [];
    let namespace = '';
    let proxied: Proxied;
    let narrow: Proxied;
    let unable: Proxied;

    const start = async (account: string, audiences: readonly string[] = []): Promise<Proxied> => {
      const application = await startApplication();
      applications.push(application);
      const guard = await startGuard();
      guards.push(guard);
      return startProxy({
        cluster,
        guard,
        application,
        kubeconfig: await cluster.serviceAccountKubeconfig(namespace, account),
        audiences,
      });
    };

    before(async () => {
      namespace = await cluster.createNamespace();
      for (const name of ['able', 'unable', 'scraper', 'stranger']) await createAccount(cluster, namespace, name);
      await bind(cluster, 'system:auth-delegator', namespace, 'able');
      await create(cluster, '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
        metadata: { name: 'metrics-reader' },
        rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
      });
      await bind(cluster, 'metrics-reader', namespace, 'scraper');
      tokens.scraper = await cluster.serviceAccountToken(namespace, 'scraper');
      tokens.stranger = await cluster.serviceAccountToken(namespace, 'stranger');
      tokens.audience = await cluster.serviceAccountToken(namespace, 'scraper', [AUDIENCE]);
      proxied = await start('able');
      narrow = await start('able', [AUDIENCE]);
      unable = await start('unable');
    });

    after(async () => {
      for (const guard of guards) await guard.end();
      for (const application of applications) await application.stop();
    });

    it('answers 401 to a request without a token, and to one with a token that is none', async () => {
      assert.equal((await ask(proxied, '/metrics')).status, 401);
      assert.equal((await ask(proxied, '/metrics', { token: 'none' })).status, 401);
      assert.deepEqual(proxied.application.seen, []);
    });

    it('answers 403 to an account without the grant, and names it', async () => {
      const answer = await ask(proxied, '/metrics', { token: tokens.stranger });
      assert.equal(answer.status, 403);
      assert.match(answer.body, new RegExp(`system:serviceaccount:${namespace}:stranger`));
      assert.deepEqual(proxied.application.seen, []);
    });

    it('lets an account with the grant through, and the application sees no token', async () => {
      const answer = await ask(proxied, '/metrics', { token: tokens.scraper });
      assert.deepEqual({ status: answer.status, body: answer.body }, { status: 200, body: 'up 1\n' });
      const [seen, ...more] = proxied.application.seen;
      assert.equal(seen?.url, '/metrics');
      assert.equal(seen.headers.authorization, undefined);
      assert.deepEqual(more, []);
    });

    it('has nothing at any other path, whoever asks', async () => {
      for (const path of ['/debug/pprof', '/', '/metrics/more', '/metricsx', '/healthz']) {
        assert.equal((await ask(proxied, path, { token: tokens.scraper })).status, 404, path);
        assert.equal((await ask(proxied, path)).status, 404, path);
      }
    });

    it('sends back whoever asks for a path that is not clean, so that it never reaches the application', async () => {
      const reached = proxied.application.seen.length;
      for (const path of ['//metrics', '/metrics/../debug/pprof', '/debug/../metrics', '/%6Detrics/..']) {
        assert.equal((await ask(proxied, path, { token: tokens.scraper })).status, 307, path);
      }
      assert.equal(proxied.application.seen.length, reached);
    });

    it('takes the method for the verb: get lets neither HEAD nor POST nor OPTIONS through', async () => {
      for (const method of ['HEAD', 'POST', 'OPTIONS', 'DELETE']) {
        assert.equal((await ask(proxied, '/metrics', { token: tokens.scraper, method })).status, 403, method);
      }
    });

    it('takes a token for its audience alone where the policy names one', async () => {
      assert.equal((await ask(narrow, '/metrics', { token: tokens.scraper })).status, 401);
      assert.equal((await ask(narrow, '/metrics', { token: tokens.audience })).status, 200);
      assert.equal((await ask(proxied, '/metrics', { token: tokens.audience })).status, 401);
    });

    it('answers 401 to everybody when its own account may not ask who they are', async () => {
      assert.equal((await ask(unable, '/metrics', { token: tokens.scraper })).status, 401);
    });

    it('answers 502 when the application is down', async () => {
      await proxied.application.stop();
      assert.equal((await ask(proxied, '/metrics', { token: tokens.scraper })).status, 502);
    });
  },
);

/** A program with metrics on loopback. */
interface Application {
  readonly port: number;
  /** The requests that reached it. */
  readonly seen: readonly { readonly url: string; readonly headers: IncomingHttpHeaders }[];
  readonly stop: () => Promise<void>;
}

async function startApplication(): Promise<Application> {
  const seen: { url: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    seen.push({ url, headers });
    response.end('up 1\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: portOf(server), seen, stop: () => close(server) };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

interface Start {
  readonly cluster: Cluster;
  readonly guard: Guard;
  readonly application: Application;
  readonly kubeconfig: string;
  readonly audiences: readonly string[];
}

/** Starts the proxy that a pod with the application would get; in a pod its token stands for the kubeconfig. */
async function startProxy({ cluster, guard, application, kubeconfig, audiences }: Start): Promise<Proxied> {
  const [port = 0] = await findFreePorts(1);
  const args = injectedArguments(application.port, port, audiences).map((arg) =>
    arg.replace('--secure-listen-address=:', '--secure-listen-address=127.0.0.1:'),
  );
  const logFile = join(guard.directory, 'proxy.log');
  const program = await guard.start({
    command: process.env['KUBE_RBAC_PROXY'] ?? '',
    args: [...args, `--kubeconfig=${kubeconfig}`],
    env: { PATH: process.env['PATH'] ?? '', HOME: cluster.directory },
    cwd: guard.directory,
    logFile,
  });
  const proxied = { application, url: `https://127.0.0.1:${port}` };
  await waitUntil('the proxy to listen', async () => {
    assert.equal(program.end(), undefined, 'the proxy ended');
    return (await ask(proxied, '/healthz').catch(() => undefined)) !== undefined;
  });
  return proxied;
}

/** The arguments of the container that is injected into a pod with these annotations. */
function injectedArguments(port: number, proxyPort: number, audiences: readonly string[]): readonly string[] {
  const pod = {
    ...makePod('app', { ports: [{ containerPort: port }] }),
    metadata: {
      name: 'app',
      annotations: {
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': String(port),
        'scrapeguard.io/proxy-port': String(proxyPort),
      },
    },
  };
  const injection = planInjection(pod, {
    injection: rulesetOf({ injection: { audiences } }).policy.injection,
    namespace: 'default',
    namespaceLabels: {},
    isMirrorPod: false,
  });
  assert.equal(injection.kind, 'plan');
  const containers = asList(asObject(applyPlan(pod, injection.plan)['spec'])['containers']);
  return asStrings(asObject(containers.at(-1))['args']);
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One request as a scraper makes it: the certificate is the proxy's own. */
async function ask(
  { url }: Pick<Proxied, 'url'>,
  path: string,
  { token, method = 'GET' }: { readonly token?: string; readonly method?: string } = {},
): Promise<Answer> {
  const { port, hostname } = new URL(url);
  const request = httpsRequest({
    hostname,
    port,
    path,
    method,
    agent: false,
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(30_000),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  request.once('error', reject).once('response', (response) => {
    text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
  });
  request.end();
  return promise;
}

async function createAccount(cluster: Cluster, namespace: string, name: string): Promise<void> {
  await create(cluster, `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
}

async function bind(cluster: Cluster, role: string, namespace: string, name: string): Promise<void> {
  await create(cluster, '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: `${namespace}-${name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', namespace, name }],
  });
}

async function create(cluster: Cluster, path: string, body: JsonObject): Promise<void> {
  assert.equal((await cluster.request(path, { method: 'POST', body })).status, 201, path);
}
