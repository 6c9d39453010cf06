import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, it } from 'node:test';

import { certificatePermissions, type Permissions } from '../../../src/cluster/certificate-permissions.ts';
import { asList, asObject, asString, asStrings, type JsonObject } from '../../../src/kube/json.ts';
import { issueAuthority, issueServerCertificate } from '../../../src/tls/issue.ts';
import { runCli } from '../../cli/run-cli.ts';
import { requestApi } from '../../support/api-request.ts';
import { makeKubeconfig } from '../../support/cluster-access.ts';
import { EXPOSES, makePod, verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import type { ControlPlane } from '../../support/control-plane.ts';
import { type Guard, startGuard } from '../../support/guard.ts';
import type { Relay } from '../../support/relay.ts';
import { type ServerProcess, startServer } from '../../support/server-process.ts';
import { servedBy } from '../../support/served-by.ts';
import { startRequests, type SteadyRequests } from '../../support/steady-requests.ts';
import { waitUntil } from '../../support/wait-for.ts';
import { startService } from '../../support/webhook.ts';
import { apply, makeServerAccount, register, SERVER_ACCOUNT } from '../../support/webhook-registration.ts';

const NAMESPACE = 'scrapeguard-system';
const SECRET = 'scrapeguard-certificates';
const SECRET_PATH = `/api/v1/namespaces/${NAMESPACE}/secrets/${SECRET}`;
const REFUSED = 'denied pods kubelet-read-only-port';
const RBAC = 'rbac.authorization.k8s.io';
const CONFIGURATIONS = ['validating', 'mutating'].map(
  (kind) => `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/scrapeguard`,
);
/** One object of each kind that there is a right to. */
const PATHS = [SECRET_PATH, `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${SECRET}`, ...CONFIGURATIONS];
const WRITERS = 20;

/** Lives so short that a leaf is renewed, and its CA replaced, while one watches. */
const ARGS = ['--cert-secret', `${NAMESPACE}/${SECRET}`, '--cert-name', '127.0.0.1'];
const SHORT_LIVES = ['--cert-duration', '60s', '--ca-duration', '90s'];

await ownClusterSuite(
  'certificates that two servers keep in a Secret, with failurePolicy Fail',
  { controllers: false },
  (cluster) => {
    let guard: Guard;
    let front: Relay;
    let args: readonly string[];
    const servers: ServerProcess[] = [];
    const start = (name: string): Promise<ServerProcess> =>
      startServer(guard, { name, ca: () => bundleOf(cluster), args });

    before(async () => {
      guard = await startGuard();
      await prepare(cluster);
      const kubeconfig = join(guard.directory, 'kubeconfig');
      const token = await cluster.serviceAccountToken(NAMESPACE, SERVER_ACCOUNT);
      const server = { url: cluster.url, ca: cluster.authority.cert };
      await writeFile(kubeconfig, makeKubeconfig(server, { token }), { mode: 0o600 });
      args = ['--kubeconfig', kubeconfig, ...ARGS, ...SHORT_LIVES];
      servers.push(...(await Promise.all([start('server-1'), start('server-2')])));
      front = await startService(servers);
      await pointTo(cluster, `https://127.0.0.1:${front.port}`);
      await waitUntil('the API server to ask', async () => (await judged(cluster, 1)) === REFUSED);
    });
    after(async () => {
      front.stop();
      await guard.end();
    });

    it('leaf and CA are renewed under 20 writers, and no admission is lost', async () => {
      const first = await secretOf(cluster);
      const requests = startVerdicts(cluster);
      const probes = startProbes(cluster, servers);
      const leaves = new Set([first['tls.crt']]);
      await waitUntil('a renewed leaf of the first CA, and then one of another', async () => {
        const secret = await secretOf(cluster);
        leaves.add(secret['tls.crt']);
        return isOtherAuthority(secret, first) && leaves.size >= 3;
      });
      const secret = await secretOf(cluster);
      await waitUntilServed(servers, secret['tls.crt']);
      const enough = requests.count() + 200;
      await waitUntil('200 more answers', () => requests.count() >= enough);
      assert.deepEqual(Object.keys(await requests.stop()).sort(), ['allowed', REFUSED]);
      assert.deepEqual(Object.keys(await probes.stop()), ['believed']);
      assert.equal(await bundleOf(cluster), secret['ca.crt']);
      assert.ok((secret['ca.crt'] ?? '').includes(first['ca.crt'] ?? '-'), 'the CA before it is still trusted');
    });

    it('a deleted Secret is made anew, and no admission is lost', async () => {
      const old = await secretOf(cluster);
      const requests = startVerdicts(cluster);
      const probes = startProbes(cluster, servers);
      assert.equal((await cluster.request(SECRET_PATH, { method: 'DELETE' })).status, 200);
      await waitUntil('another leaf', async () => {
        const { 'tls.crt': cert = '' } = await secretOf(cluster);
        return cert !== '' && cert !== old['tls.crt'];
      });
      await waitUntilServed(servers, (await secretOf(cluster))['tls.crt']);
      assert.deepEqual(Object.keys(await requests.stop()).sort(), ['allowed', REFUSED]);
      assert.deepEqual(Object.keys(await probes.stop()), ['believed']);
      assert.notEqual((await secretOf(cluster))['ca.key'], old['ca.key']);
    });

    it('caBundles that somebody emptied are set again', async () => {
      await editBundles(cluster, '');
      await waitUntil('the bundles', async () => {
        const { 'ca.crt': ca } = await secretOf(cluster);
        return (await bundlesOf(cluster)).every((bundle) => bundle === ca);
      });
      await waitUntil('a verdict', async () => (await judged(cluster, 1)) === REFUSED);
    });

    it('nothing of it was forbidden', async () => {
      for (const server of servers) assert.doesNotMatch(JSON.stringify(await server.log()), /forbidden/);
    });

    it('certs inspect finds nothing wrong in the cluster', async () => {
      const flags = ['--kubeconfig', cluster.adminKubeconfig, '--name', '127.0.0.1', '--within', '0'];
      const { code, stdout } = await runCli(['certs', 'inspect', ...flags], { now: () => new Date() });
      assert.equal(code, 0, stdout);
      assert.match(
        stdout,
        /caBundle 0 of the ValidatingWebhookConfiguration[^]*caBundle 0 of the MutatingWebhookConfig/,
      );
    });

    it('an API server that was away is no reason to end, and certificates are kept up again', async () => {
      const old = await secretOf(cluster);
      await cluster.stopApiServer();
      for (const server of servers) {
        await waitUntil('a complaint', async () =>
          (await server.log()).some(({ msg }) => msg === 'the certificate cannot be kept up'),
        );
      }
      await cluster.startApiServer();
      await waitUntil('a verdict', async () => (await judged(cluster, 1)) === REFUSED);
      await waitUntil('another leaf', async () => (await secretOf(cluster))['tls.crt'] !== old['tls.crt']);
      await waitUntilServed(servers, (await secretOf(cluster))['tls.crt']);
    });

    it('an expired certificate and an expired CA at the start are replaced', async () => {
      for (const server of servers) assert.deepEqual(await server.stop(), { code: 0, signal: null });
      const past = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2020-02-01T00:00:00Z') };
      const authority = await issueAuthority('long ago', past);
      const leaf = await issueServerCertificate(authority, { commonName: 'x', names: ['127.0.0.1'] }, past);
      await writeSecret(cluster, {
        'tls.crt': leaf.cert,
        'tls.key': leaf.key,
        'ca.crt': authority.cert,
        'ca.key': authority.key,
      });
      await editBundles(cluster, authority.cert);
      await Promise.all(servers.map((server) => server.start()));
      await waitUntil('a verdict', async () => (await judged(cluster, 1)) === REFUSED);
      assert.equal((await bundleOf(cluster)).includes(authority.cert), false);
    });

    it('no key and no certificate is in a log', async () => {
      const text = JSON.stringify(await Promise.all(servers.map((server) => server.log())));
      assert.doesNotMatch(text, /PRIVATE KEY|BEGIN CERTIFICATE/);
      assert.match(text, /certificates changed/);
    });

    const { namespaced, clusterWide } = certificatePermissions(SECRET);
    for (const rule of [...namespaced, ...clusterWide]) {
      const kinds = asStrings(rule['resources']);
      const [kind = ''] = kinds;
      it(`a server that may do nothing with ${kind} ends, and says so`, async () => {
        await setFailurePolicy(cluster, 'Ignore');
        for (const server of servers) await server.stop();
        await waitUntil('nobody to be asked', async () => (await judged(cluster, 1)) === 'allowed');
        const others = (rules: readonly JsonObject[]): readonly JsonObject[] => rules.filter((other) => other !== rule);
        await allow(cluster, { namespaced: others(namespaced), clusterWide: others(clusterWide) });
        await cluster.request(SECRET_PATH, { method: 'DELETE' });
        const path = PATHS.find((each) => each.includes(`/${kind}/`)) ?? '';
        const as = { token: await cluster.serviceAccountToken(NAMESPACE, SERVER_ACCOUNT) };
        await waitUntil('the right to be gone', async () => (await cluster.request(path, { as })).status === 403);
        await assert.rejects(
          start(`without-${kind}`),
          new RegExp(`There is no certificate: (?:${kinds.join('|')})\\b.* is forbidden`),
        );
        await allow(cluster, { namespaced, clusterWide });
      });
    }
  },
);

/** The namespace, the rights, and the registration as it is installed: nobody is trusted yet. */
async function prepare(cluster: ControlPlane): Promise<void> {
  await apply(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const home = { name: 'scrapeguard', namespace: NAMESPACE, url: '' };
  await makeServerAccount(cluster, home);
  await allow(cluster, certificatePermissions(SECRET));
  // Nothing listens there until the servers do.
  await register(cluster, { ...home, url: 'https://127.0.0.1:1' }, { failurePolicy: 'Ignore', trusted: '' });
}

async function allow(cluster: ControlPlane, { namespaced, clusterWide }: Permissions): Promise<void> {
  const metadata = { name: 'scrapeguard-certificates' };
  const subjects = [{ kind: 'ServiceAccount', name: SERVER_ACCOUNT, namespace: NAMESPACE }];
  const head = { apiVersion: `${RBAC}/v1`, metadata };
  for (const [kind, rules, collection] of [
    ['Role', namespaced, `/apis/${RBAC}/v1/namespaces/${NAMESPACE}/`],
    ['ClusterRole', clusterWide, `/apis/${RBAC}/v1/`],
  ] as const) {
    const roleRef = { apiGroup: RBAC, kind, name: metadata.name };
    await apply(cluster, `${collection}${kind.toLowerCase()}s`, { ...head, kind, rules });
    await apply(cluster, `${collection}${kind.toLowerCase()}bindings`, {
      ...head,
      kind: `${kind}Binding`,
      roleRef,
      subjects,
    });
  }
}

async function configurationsOf(cluster: ControlPlane): Promise<readonly JsonObject[]> {
  return Promise.all(CONFIGURATIONS.map(async (path) => asObject((await cluster.request(path)).body)));
}

/** Changes every entry of both configurations as somebody with an editor does. */
async function edit(cluster: ControlPlane, change: (clientConfig: JsonObject) => JsonObject): Promise<void> {
  for (const [index, configuration] of (await configurationsOf(cluster)).entries()) {
    const operations = asList(configuration['webhooks']).map((webhook, entry) => ({
      op: 'replace',
      path: `/webhooks/${entry}/clientConfig`,
      value: change(asObject(asObject(webhook)['clientConfig'])),
    }));
    const contentType = 'application/json-patch+json';
    const request = { method: 'PATCH', contentType, body: operations } as const;
    assert.equal((await cluster.request(CONFIGURATIONS[index] ?? '', request)).status, 200);
  }
}

async function editBundles(cluster: ControlPlane, bundle: string): Promise<void> {
  await edit(cluster, (clientConfig) => ({ ...clientConfig, caBundle: Buffer.from(bundle).toString('base64') }));
}

/** From here on the API server asks the servers, and takes no answer for no. */
async function pointTo(cluster: ControlPlane, url: string): Promise<void> {
  await edit(cluster, (clientConfig) => ({
    ...clientConfig,
    url: `${url}${new URL(String(clientConfig['url'])).pathname}`,
  }));
  await setFailurePolicy(cluster, 'Fail');
}

/** Of every entry that validates. */
async function setFailurePolicy(cluster: ControlPlane, failurePolicy: 'Fail' | 'Ignore'): Promise<void> {
  const [path = ''] = CONFIGURATIONS;
  const entries = asList((await configurationsOf(cluster))[0]?.['webhooks']);
  const body = entries.map((_, entry) => ({
    op: 'replace',
    path: `/webhooks/${entry}/failurePolicy`,
    value: failurePolicy,
  }));
  const answer = await cluster.request(path, { method: 'PATCH', contentType: 'application/json-patch+json', body });
  assert.equal(answer.status, 200);
}

async function bundlesOf(cluster: ControlPlane): Promise<readonly string[]> {
  const webhooks = (await configurationsOf(cluster)).flatMap(({ webhooks: entries }) => asList(entries));
  return webhooks.map((webhook) => {
    const { caBundle } = asObject(asObject(webhook)['clientConfig']);
    return Buffer.from(asString(caBundle) ?? '', 'base64').toString();
  });
}

/** What is trusted by every entry. */
async function bundleOf(cluster: ControlPlane): Promise<string> {
  const [bundle = '', ...others] = await bundlesOf(cluster);
  return others.every((other) => other === bundle) ? bundle : '';
}

async function secretOf(cluster: ControlPlane): Promise<Readonly<Record<string, string>>> {
  const data = asObject(asObject((await cluster.request(SECRET_PATH)).body)['data']);
  const texts = Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), 'base64').toString()]);
  return Object.fromEntries(texts);
}

async function writeSecret(cluster: ControlPlane, stringData: Readonly<Record<string, string>>): Promise<void> {
  const contentType = 'application/merge-patch+json';
  const { status } = await cluster.request(SECRET_PATH, { method: 'PATCH', contentType, body: { stringData } });
  assert.equal(status, 200);
}

function isOtherAuthority(secret: Readonly<Record<string, string>>, first: Readonly<Record<string, string>>): boolean {
  const [leaf, authority] = [secret['tls.crt'], first['ca.crt']];
  if (!leaf || !authority) return false;
  return !new X509Certificate(leaf).verify(new X509Certificate(authority).publicKey);
}

/** A pod, every other one of which is to be refused. */
async function judged(cluster: ControlPlane, number: number): Promise<string> {
  const body = makePod(`pod-${number}`, number % 2 === 1 ? EXPOSES : {});
  return verdictOf(await cluster.request('/api/v1/namespaces/default/pods?dryRun=All', { method: 'POST', body }));
}

function startVerdicts(cluster: ControlPlane): SteadyRequests {
  return startRequests((number) => judged(cluster, number), WRITERS);
}

/** New connections to each server, believed by what both configurations say at that moment, or not. */
function startProbes(cluster: ControlPlane, servers: readonly ServerProcess[]): SteadyRequests {
  return startRequests(async () => {
    const bundles = new Set(await bundlesOf(cluster));
    const asked = servers.flatMap(({ port }) => [...bundles].map((ca) => ({ url: `https://127.0.0.1:${port}`, ca })));
    const answers = await Promise.all(asked.map((server) => requestApi(server, 'anonymous', '/readyz')));
    return answers.every(({ status }) => status === 200) ? 'believed' : 'not ready';
  }, 1);
}

async function waitUntilServed(servers: readonly ServerProcess[], pem: string | undefined): Promise<void> {
  const { serialNumber } = new X509Certificate(pem ?? '');
  for (const server of servers) {
    await waitUntil('the pair to be served', async () => (await servedBy(server.port)).serialNumber === serialNumber);
  }
}
