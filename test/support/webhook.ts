// Our server on a real control plane: a child process or more with a ServiceAccount and a webhook configuration.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { KeyPair } from '../../src/tls/source.ts';
import { makeAuthority, makeServerPair, writeParts } from './certificates.ts';
import { type Cluster, makeKubeconfig } from './cluster-access.ts';
import { type Guard, startGuard } from './guard.ts';
import { type Relay, startRelay } from './relay.ts';
import { type Review, type ServerProcess, startServer } from './server-process.ts';
import { waitUntil } from './wait-for.ts';
import {
  apply,
  makeServerAccount,
  register,
  type Registration,
  SERVER_ACCOUNT,
  unregister,
  type WebhookPlace,
} from './webhook-registration.ts';

/** How the webhook is set up; everything has a value that suits most suites. */
export type WebhookOptions = {
  /** The text of the policy file; the default policy without it. */
  readonly policy?: string;
  /** Fail unless told, so that a request that gets no answer does not go unseen. */
  readonly failurePolicy?: Registration['failurePolicy'];
  /** The product's own unless told. */
  readonly timeoutSeconds?: number;
  /**
   * `own` unless told: only namespaces that `createNamespace` makes, and nothing outside namespaces, so that suites
   * share a control plane. `every`: the whole cluster, as it is installed, with the server in scrapeguard-system.
   */
  readonly namespaces?: 'own' | 'every';
  /** True to register it as for the policy in which namespaces opt in by the product's own labels. */
  readonly optIn?: boolean;
  /** Servers; more than one stand behind a relay that does what a Service does. One unless told. */
  readonly servers?: number;
  /** Where the servers find the API server, when something stands in between. */
  readonly apiServerUrl?: string;
  /** More of the servers' command line. */
  readonly args?: readonly string[];
};

/** A webhook that this process set up. */
export type Webhook = {
  /** The name of what it has outside namespaces. */
  readonly name: string;
  /** The namespace of the servers. */
  readonly namespace: string;
  readonly servers: readonly ServerProcess[];
  /** The folder of the servers' certificate, and what signed it. */
  readonly certDir: string;
  /** Where the policy is, if one was given; the servers follow it. */
  readonly policyFile: string;
  readonly authority: KeyPair;
  /** A namespace that the webhook is asked about, with more labels if given. */
  readonly createNamespace: (labels?: Readonly<Record<string, string>>) => Promise<string>;
  /** Makes the webhook asked about a namespace that was there before. */
  readonly adoptNamespace: (name: string) => Promise<void>;
  /** What the servers were asked about. */
  readonly reviews: () => Promise<readonly Review[]>;
  /** Changes how it is registered. */
  readonly register: (changes: Partial<Registration>) => Promise<void>;
  /** Ends the servers and removes the configuration. The API server's own namespaces and the tests' stay. */
  readonly stop: () => Promise<void>;
};

/** A webhook for all tests of the surrounding suite; call the result inside a test. */
export function useWebhook(cluster: Cluster, options: WebhookOptions = {}): () => Webhook {
  let webhook: Webhook | undefined;
  before(async () => {
    webhook = await startWebhook(cluster, options);
  });
  after(() => webhook?.stop());
  return () => {
    if (webhook === undefined) throw new Error('The webhook is there from the first test on.');
    return webhook;
  };
}

/** Starts servers, registers them and waits until the API server asks them. Whatever ends this process ends the servers. */
export async function startWebhook(cluster: Cluster, options: WebhookOptions = {}): Promise<Webhook> {
  const guard = await startGuard();
  try {
    return await assemble(cluster, guard, options);
  } catch (error) {
    await guard.end();
    throw error;
  }
}

/** The label by which one webhook's namespaces are told from those of another. */
const OWNER_LABEL = 'scrapeguard-test/webhook';

async function assemble(cluster: Cluster, guard: Guard, options: WebhookOptions): Promise<Webhook> {
  const authority = await makeAuthority('webhook test CA');
  const certDir = join(guard.directory, 'certificates');
  await mkdir(certDir);
  await writeParts(certDir, { ...(await makeServerPair(authority)), ca: authority.cert });
  const home = await makeHome(cluster, options);
  let registration: Registration = {
    failurePolicy: options.failurePolicy ?? 'Fail',
    trusted: authority.cert,
    ...(options.timeoutSeconds !== undefined && { timeoutSeconds: options.timeoutSeconds }),
  };
  await makeServerAccount(cluster, { ...home, url: '' });
  const args = await writeArguments(cluster, guard, { namespace: home.namespace, options });
  const servers: ServerProcess[] = [];
  for (let number = 1; number <= (options.servers ?? 1); number += 1) {
    servers.push(await startServer(guard, { name: `server-${number}`, certDir, args }));
  }
  const front = servers.length > 1 ? await startService(servers) : undefined;
  const place: WebhookPlace = {
    ...home,
    url: `https://127.0.0.1:${front?.port ?? servers[0]?.port}`,
    namespaces: options.optIn === true ? 'opted-in' : 'every',
  };
  const reviews = async (): Promise<readonly Review[]> => {
    return (await Promise.all(servers.map((server) => server.reviews()))).flat();
  };
  const createNamespace: Webhook['createNamespace'] = (labels = {}) =>
    cluster.createNamespace({ ...labels, ...(home.label !== undefined && { [home.label.key]: home.label.value }) });
  await register(cluster, place, registration);
  await waitUntilAsked(cluster, await createNamespace({ 'scrapeguard.io/enforce': 'off' }), reviews);
  return {
    name: home.name,
    namespace: home.namespace,
    servers,
    certDir,
    policyFile: policyFileOf(guard),
    authority,
    createNamespace,
    adoptNamespace: (name) => adopt(cluster, name, home.label),
    reviews,
    register: async (changes) => {
      registration = { ...registration, ...changes };
      await register(cluster, place, registration);
    },
    stop: async () => {
      await unregister(cluster, home.name);
      front?.stop();
      await guard.end();
    },
  };
}

async function adopt(cluster: Cluster, name: string, label: WebhookPlace['label']): Promise<void> {
  if (label === undefined) return;
  const body = { metadata: { labels: { [label.key]: label.value } } };
  const contentType = 'application/merge-patch+json';
  const { status } = await cluster.request(`/api/v1/namespaces/${name}`, { method: 'PATCH', contentType, body });
  if (status !== 200) throw new Error(`The namespace ${name} was not labelled: ${status}`);
}

/** Where the servers say that they live: nothing of them runs there, but their ServiceAccount and their name do. */
async function makeHome(cluster: Cluster, { namespaces = 'own' }: WebhookOptions): Promise<Omit<WebhookPlace, 'url'>> {
  if (namespaces === 'own') {
    const namespace = await cluster.createNamespace();
    return { name: `scrapeguard-${namespace}`, namespace, label: { key: OWNER_LABEL, value: namespace } };
  }
  const namespace = 'scrapeguard-system';
  await apply(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return { name: 'scrapeguard', namespace };
}

async function writeArguments(
  cluster: Cluster,
  guard: Guard,
  { namespace, options }: { readonly namespace: string; readonly options: WebhookOptions },
): Promise<readonly string[]> {
  const { policy, apiServerUrl = cluster.url, args = [] } = options;
  const kubeconfig = join(guard.directory, 'kubeconfig');
  const token = await cluster.serviceAccountToken(namespace, SERVER_ACCOUNT);
  const server = { url: apiServerUrl, ca: cluster.authority.cert };
  await writeFile(kubeconfig, makeKubeconfig(server, { token }), { mode: 0o600 });
  if (policy === undefined) return ['--kubeconfig', kubeconfig, ...args];
  const policyFile = policyFileOf(guard);
  await writeFile(policyFile, policy);
  return ['--kubeconfig', kubeconfig, '--policy', policyFile, ...args];
}

function policyFileOf({ directory }: Guard): string {
  return join(directory, 'policy.yaml');
}

const READINESS_MS = 100;

/** A relay to the servers that are ready, in turn. A server that has not answered yet stays what it was. */
export async function startService(servers: readonly ServerProcess[]): Promise<Relay> {
  const ready = new Set(servers);
  let turn = 0;
  let isStopped = false;
  const relay = await startRelay(() => {
    turn += 1;
    return [...ready][turn % ready.size]?.port;
  });
  const look = async (server: ServerProcess): Promise<void> => {
    if (await server.isReady()) ready.add(server);
    else ready.delete(server);
    if (!isStopped) setTimeout(() => void look(server), READINESS_MS).unref();
  };
  await Promise.all(servers.map((server) => look(server)));
  return {
    ...relay,
    stop() {
      isStopped = true;
      relay.stop();
    },
  };
}

/** The API server learns of a configuration a moment after it is written. */
async function waitUntilAsked(cluster: Cluster, namespace: string, reviews: Webhook['reviews']): Promise<void> {
  const name = 'is-somebody-asked';
  const spec = { containers: [{ name: 'main', image: 'example.com/main:1' }] };
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec };
  await waitUntil('the API server to ask the webhook', async () => {
    await cluster.request(`/api/v1/namespaces/${namespace}/pods?dryRun=All`, { method: 'POST', body });
    return (await reviews()).some((review) => review.namespace === namespace && review.name === name);
  });
}
