import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Agent } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { certificatePermissions, type Permissions } from '../../../src/cluster/certificate-permissions.ts';
import { asList, asObject, asString, asStrings, type JsonObject } from '../../../src/kube/json.ts';
import { issueAuthority, issueServerCertificate, lastingUntil, type Validity } from '../../../src/tls/issue.ts';
import { serviceNames } from '../../../src/tls/service-names.ts';
import { readableCertificates } from '../../../src/tls/validity.ts';
import { runCli } from '../../cli/run-cli.ts';
import { requestApi } from '../../support/api-request.ts';
import { makeKubeconfig } from '../../support/cluster-access.ts';
import { EXPOSES, makePod, verdictOf } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import type { ControlPlane } from '../../support/control-plane.ts';
import { type Guard, startGuard } from '../../support/guard.ts';
import { makeScraper, type Series } from '../../support/own-metrics.ts';
import type { Relay } from '../../support/relay.ts';
import { type ServerProcess, startServer } from '../../support/server-process.ts';
import { servedBy } from '../../support/served-by.ts';
import { type Pace, startRequests, type SteadyRequests } from '../../support/steady-requests.ts';
import { waitFor, waitUntil } from '../../support/wait-for.ts';
import { startService } from '../../support/webhook.ts';
import { apply, makeServerAccount, register, SERVER_ACCOUNT } from '../../support/webhook-registration.ts';

const NAMESPACE = 'scrapeguard-system';
const SECRET = 'scrapeguard-certificates';
const SECRET_PATH = `/api/v1/namespaces/${NAMESPACE}/secrets/${SECRET}`;
const ACCOUNTS = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
const REFUSED = 'denied pods kubelet-read-only-port';
const RBAC = 'rbac.authorization.k8s.io';
const CONFIGURATIONS = ['validating', 'mutating'].map(
  (kind) => `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/scrapeguard`,
);
/** Fifty requests a second altogether. */
const WRITERS: Pace = { senders: 20, restMs: 400 };
const PROBES: Pace = { senders: 1, restMs: 200 };

/** Long enough to be taken up before it is over. */
const BRIEF_MS = 15_000;
const EXPIRY = 'scrapeguard_certificate_expiry_timestamp_seconds';
const PROBLEMS = 'scrapeguard_certificate_problems_total';

/** The kinds of objects that there is a right to, as the rights name them. */
const { namespaced: IN_NAMESPACE, clusterWide: CLUSTER_WIDE } = certificatePermissions(SECRET);
const KINDS = [...IN_NAMESPACE, ...CLUSTER_WIDE].map(({ resources }) => asStrings(resources));

/** Lives so short that a leaf is renewed while one watches, and API servers are waited for briefly. */
const SHORT_LIVES = ['--cert-duration', '60s', '--ca-duration', '1h'];

/** When the leaf that is there at first is due, and when its CA is: after the servers have started. */
const DUE = { leafMs: 18_000, caMs: 24_000 };
const HOUR_MS = 3_600_000;
const NAMES = [...serviceNames(NAMESPACE), '127.0.0.1'];

await ownClusterSuite(
  'certificates that two servers keep in a Secret, with failurePolicy Fail',
  { controllers: false },
  (cluster) => {
    let guard: Guard;
    let front: Relay;
    let metricsOf: (server: ServerProcess) => Promise<Series>;
    const servers: ServerProcess[] = [];
    /** A server that logs in as a ServiceAccount and keeps its certificates in a Secret. */
    const start = async (
      name: string,
      account: string,
      { secret, args = [] }: { readonly secret: string; readonly args?: readonly string[] },
    ): Promise<ServerProcess> => {
      const kubeconfig = join(guard.directory, `${name}.kubeconfig`);
      const token = await cluster.serviceAccountToken(NAMESPACE, account);
      const server = { url: cluster.url, ca: cluster.authority.cert };
      await writeFile(kubeconfig, makeKubeconfig(server, { token }), { mode: 0o600 });
      const flags = ['--cert-secret', `${NAMESPACE}/${secret}`, '--cert-name', '127.0.0.1'];
      return startServer(guard, { name, args: ['--kubeconfig', kubeconfig, ...flags, ...args] });
    };

    before(async () => {
      guard = await startGuard();
      await prepare(cluster);
      const body = await secretThatIsDue();
      assert.equal(
        (await cluster.request(SECRET_PATH.slice(0, -SECRET.length - 1), { method: 'POST', body })).status,
        201,
      );
      const both = ['server-1', 'server-2'].map((name) =>
        start(name, SERVER_ACCOUNT, { secret: SECRET, args: SHORT_LIVES }),
      );
      servers.push(...(await Promise.all(both)));
      front = await startService(servers);
      metricsOf = await makeScraper(cluster, NAMESPACE);
      await pointTo(cluster, `https://127.0.0.1:${front.port}`);
      await waitUntil('the API server to ask', async () => (await judged(cluster, 1)) === REFUSED);
    });
    after(async () => {
      front.stop();
      await guard.end();
    });

    /** How often one of them has made a CA, and how often each of them has served another certificate. */
    const counted = async (): Promise<{ readonly staged: number; readonly reloads: readonly number[] }> => {
      const all = await Promise.all(servers.map((server) => metricsOf(server)));
      const staged = all.map((series) => series('scrapeguard_certificate_steps_total{step="stage"}'));
      return {
        staged: staged.reduce((sum, count) => sum + count, 0),
        reloads: all.map((series) => series('scrapeguard_certificate_reloads_total')),
      };
    };

    it('leaf and CA are renewed under 20 writers, and no admission is lost', async (t) => {
      const first = await secretOf(cluster);
      const requests = startVerdicts(t, cluster);
      const probes = startProbes(t, cluster, servers);
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

    it('a deleted Secret is made anew, and no admission is lost', async (t) => {
      const old = await secretOf(cluster);
      const known = await counted();
      const requests = startVerdicts(t, cluster);
      const probes = startProbes(t, cluster, servers);
      assert.equal((await cluster.request(SECRET_PATH, { method: 'DELETE' })).status, 200);
      await waitUntilServed(servers, await otherLeaf(cluster, old));
      assert.deepEqual(Object.keys(await requests.stop()).sort(), ['allowed', REFUSED]);
      assert.deepEqual(Object.keys(await probes.stop()), ['believed']);
      assert.notEqual((await secretOf(cluster))['ca.key'], old['ca.key']);
      const { staged, reloads } = await counted();
      assert.equal(staged, known.staged + 1, 'one replica made it');
      for (const [index, count] of reloads.entries()) assert.ok(count > (known.reloads[index] ?? 0), 'each served it');
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

    it('a certificate that nobody may renew expires, and is renewed as soon as somebody may', async () => {
      const known = await counted();
      const { namespaced } = certificatePermissions(SECRET);
      await setRules(cluster, namespaced.map(readingOnly));
      const { 'ca.crt': cert = '', 'ca.key': key = '' } = await secretOf(cluster);
      const authority = readableCertificates(cert).find((one) => one.checkPrivateKey(createPrivateKey(key)));
      const now = new Date();
      const leaf = await issueServerCertificate(
        { cert: String(authority), key },
        { commonName: 'x', names: NAMES },
        lastingUntil(now, new Date(now.getTime() + BRIEF_MS)),
      );
      await writeSecret(cluster, { 'tls.crt': leaf.cert, 'tls.key': leaf.key });
      for (const server of servers) {
        await waitUntil('the server to be left out', async () => !(await server.isReady()));
        const series = await metricsOf(server);
        assert.ok(series(EXPIRY) * 1_000 < Date.now());
      }
      // Connections that were made before go on.
      front.cut();
      await waitUntil('a write to be held back', async () =>
        (await judged(cluster, 1)).includes('failed calling webhook'),
      );
      for (const server of servers) {
        await waitUntil('a complaint', async () => (await metricsOf(server))(PROBLEMS) > 0);
      }
      await setRules(cluster, namespaced);
      await waitUntil('a verdict', async () => (await judged(cluster, 1)) === REFUSED);
      for (const server of servers) {
        await waitUntil('the server to be ready', () => server.isReady());
        assert.ok((await metricsOf(server))(EXPIRY) * 1_000 > Date.now());
      }
      assert.ok((await counted()).reloads.every((count, index) => count >= (known.reloads[index] ?? 0) + 2));
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
      assert.equal((await cluster.request(SECRET_PATH, { method: 'DELETE' })).status, 200);
      await waitUntilServed(servers, await otherLeaf(cluster, old));
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

    describe('a server without one of the rights ends, and says so', { concurrency: true }, () => {
      for (const kinds of KINDS) {
        it(kinds.join(' and '), async () => {
          // With a Secret and a lease of its own: nobody else makes what it may not.
          const name = `without-${kinds[0]}`;
          const metadata = { name };
          await apply(cluster, ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
          await allow(cluster, name, permissionsWithout(name, kinds));
          await assert.rejects(
            start(name, name, { secret: name }),
            new RegExp(`There is no certificate: (?:${kinds.join('|')})\\b.* is forbidden`),
          );
        });
      }
    });
  },
);

/** The namespace, the rights, and the registration as it is installed: nobody is trusted yet. */
async function prepare(cluster: ControlPlane): Promise<void> {
  await apply(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const home = { name: 'scrapeguard', namespace: NAMESPACE, url: '' };
  await makeServerAccount(cluster, home);
  await allow(cluster, SERVER_ACCOUNT, certificatePermissions(SECRET));
  // Nothing listens there until the servers do.
  await register(cluster, { ...home, url: 'https://127.0.0.1:1' }, { failurePolicy: 'Ignore', trusted: '' });
}

function permissionsWithout(secret: string, kinds: readonly string[]): Permissions {
  const { namespaced, clusterWide } = certificatePermissions(secret);
  const others = (rules: readonly JsonObject[]): readonly JsonObject[] =>
    rules.filter(({ resources }) => !isDeepStrictEqual(resources, kinds));
  return { namespaced: others(namespaced), clusterWide: others(clusterWide) };
}

async function allow(cluster: ControlPlane, account: string, permissions: Permissions): Promise<void> {
  const { namespaced, clusterWide } = permissions;
  const metadata = { name: `certificates-of-${account}` };
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace: NAMESPACE }];
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

/** Secrets may be read and not written. */
function readingOnly(rule: JsonObject): JsonObject {
  if (!isDeepStrictEqual(rule['resources'], ['secrets'])) return rule;
  return { ...rule, verbs: asStrings(rule['verbs']).filter((verb) => verb === 'get') };
}

/** What the servers' ServiceAccount may do in its namespace. */
async function setRules(cluster: ControlPlane, rules: readonly JsonObject[]): Promise<void> {
  await apply(cluster, `/apis/${RBAC}/v1/namespaces/${NAMESPACE}/roles`, {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: { name: `certificates-of-${SERVER_ACCOUNT}` },
    rules: rules.filter(({ verbs }) => asStrings(verbs).length > 0),
  });
}

async function configurationsOf(cluster: ControlPlane, agent?: Agent): Promise<readonly JsonObject[]> {
  const request = agent === undefined ? {} : { agent };
  return Promise.all(CONFIGURATIONS.map(async (path) => asObject((await cluster.request(path, request)).body)));
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

async function bundlesOf(cluster: ControlPlane, agent?: Agent): Promise<readonly string[]> {
  const webhooks = (await configurationsOf(cluster, agent)).flatMap(({ webhooks: entries }) => asList(entries));
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

/** The certificate that comes after one, as soon as it is there. */
async function otherLeaf(cluster: ControlPlane, old: Readonly<Record<string, string>>): Promise<string> {
  return waitFor('another leaf', async () => {
    const { 'tls.crt': cert = '' } = await secretOf(cluster);
    return cert === '' || cert === old['tls.crt'] ? undefined : cert;
  });
}

/** What servers made two hours ago, with a life of which two thirds are over in a moment. */
async function secretThatIsDue(): Promise<JsonObject> {
  const now = Date.now();
  const made = new Date(now - 2 * HOUR_MS);
  const dueIn = (milliseconds: number): Validity =>
    lastingUntil(made, new Date(made.getTime() + (2 * HOUR_MS + milliseconds) * 1.5));
  const authority = await issueAuthority('scrapeguard CA', dueIn(DUE.caMs));
  const leaf = await issueServerCertificate(authority, { commonName: 'x', names: NAMES }, dueIn(DUE.leafMs));
  const stringData = { 'tls.crt': leaf.cert, 'tls.key': leaf.key, 'ca.crt': authority.cert, 'ca.key': authority.key };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: SECRET }, type: 'kubernetes.io/tls', stringData };
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
async function judged(cluster: ControlPlane, number: number, agent?: Agent): Promise<string> {
  const body = makePod(`pod-${number}`, number % 2 === 1 ? EXPOSES : {});
  const request = { method: 'POST', body, ...(agent !== undefined && { agent }) };
  return verdictOf(await cluster.request('/api/v1/namespaces/default/pods?dryRun=All', request));
}

function startVerdicts(t: TestContext, cluster: ControlPlane): SteadyRequests {
  return startRequests(t, (number, agent) => judged(cluster, number, agent), WRITERS);
}

/** New connections to each server, believed by what both configurations say at that moment, or not. */
function startProbes(t: TestContext, cluster: ControlPlane, servers: readonly ServerProcess[]): SteadyRequests {
  const probe = async (_: number, agent: Agent): Promise<string> => {
    const bundles = new Set(await bundlesOf(cluster, agent));
    const asked = servers.flatMap(({ port }) => [...bundles].map((ca) => ({ url: `https://127.0.0.1:${port}`, ca })));
    const answers = await Promise.all(asked.map((server) => requestApi(server, 'anonymous', '/readyz')));
    return answers.every(({ status }) => status === 200) ? 'believed' : 'not ready';
  };
  return startRequests(t, probe, PROBES);
}

async function waitUntilServed(servers: readonly ServerProcess[], pem: string | undefined): Promise<void> {
  const { serialNumber } = new X509Certificate(pem ?? '');
  for (const server of servers) {
    await waitUntil('the pair to be served', async () => (await servedBy(server.port)).serialNumber === serialNumber);
  }
}
