// What a test does with a running control plane, whichever process started it.
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asObject, asString } from '../../src/kube/json.ts';
import { type ClientSubject, issueClientCertificate, lasting } from '../../src/tls/issue.ts';
import type { KeyPair } from '../../src/tls/source.ts';
import { type ApiRequest, type ApiResponse, type Credentials, requestApi } from './api-request.ts';
import { type AuditEvent, waitForAuditEvents } from './audit-log.ts';
import { type CommandOptions, type CommandResult, runCommand } from './run-command.ts';
import type { KubernetesLine, Toolchain } from './toolchain.ts';

/** A running control plane as one process tells another: plain data. The certificates are PEM texts. */
export type ClusterDescription = {
  readonly line: KubernetesLine;
  readonly url: string;
  readonly authority: KeyPair;
  readonly admin: KeyPair;
  readonly auditLog: string;
  /** A folder for kubeconfigs and caches that is removed with the control plane. */
  readonly directory: string;
  readonly toolchain: Toolchain;
};

/** Options of kubectl and helm: `kubeconfig` is the administrator's unless told. */
export type ClientOptions = Pick<CommandOptions, 'input' | 'timeoutMs' | 'cwd'> & { readonly kubeconfig?: string };

/** A running control plane as a test uses it. */
export type Cluster = ClusterDescription & {
  /** The path of a kubeconfig of a member of system:masters. */
  readonly adminKubeconfig: string;
  /** The path of a new kubeconfig for a user in the given groups, by client certificate. */
  readonly userKubeconfig: (user: string, groups?: readonly string[]) => Promise<string>;
  /** A client certificate for a user in the given groups, for `request`. */
  readonly userCertificate: (user: string, groups?: readonly string[]) => Promise<KeyPair>;
  /** The path of a new kubeconfig for an existing ServiceAccount, by token. */
  readonly serviceAccountKubeconfig: (namespace: string, name: string) => Promise<string>;
  /** A token of an existing ServiceAccount, valid for an hour, for the given audiences or the API server's own. */
  readonly serviceAccountToken: (namespace: string, name: string, audiences?: readonly string[]) => Promise<string>;
  /** Runs kubectl to its end; killed after a minute unless told. */
  readonly kubectl: (args: readonly string[], options?: ClientOptions) => Promise<CommandResult>;
  /** Runs helm to its end; killed after a minute unless told. */
  readonly helm: (args: readonly string[], options?: ClientOptions) => Promise<CommandResult>;
  /** One request to the API server, as the administrator unless told. */
  readonly request: (path: string, options?: ApiRequest & { readonly as?: Credentials }) => Promise<ApiResponse>;
  /** Creates a namespace of a new name with the labels, and its ServiceAccount `default`; returns its name. */
  readonly createNamespace: (labels?: Readonly<Record<string, string>>) => Promise<string>;
  /** The matching events of the audit log, as soon as there is one; an Error after ten seconds. */
  readonly auditEvents: (matches: (event: AuditEvent) => boolean) => Promise<readonly AuditEvent[]>;
};

/** The means to use a control plane from its description. Makes the administrator's kubeconfig. */
export async function openCluster(description: ClusterDescription): Promise<Cluster> {
  const { url, authority, admin, directory, toolchain, auditLog } = description;
  const server = { url, ca: authority.cert };
  const home = join(directory, 'home');
  await mkdir(home, { recursive: true });
  const writeKubeconfig = async (credentials: Credentials): Promise<string> => {
    const file = join(directory, `${makeName()}.kubeconfig`);
    await writeFile(file, makeKubeconfig(server, credentials), { mode: 0o600 });
    return file;
  };
  const adminKubeconfig = await writeKubeconfig(admin);
  const request: Cluster['request'] = (path, { as = admin, ...options } = {}) => requestApi(server, as, path, options);
  const userCertificate: Cluster['userCertificate'] = (user, groups = []) => issueFor(authority, { user, groups });
  const serviceAccountToken: Cluster['serviceAccountToken'] = (namespace, name, audiences = []) =>
    requestToken(request, { namespace, name, audiences });
  const client =
    (command: string | undefined): Cluster['kubectl'] =>
    (args, { kubeconfig = adminKubeconfig, ...options } = {}) => {
      if (command === undefined) throw new Error('The toolchain in use lacks this program.');
      return runCommand(command, args, { ...options, env: clientEnvironment(home, kubeconfig) });
    };
  return {
    ...description,
    adminKubeconfig,
    userCertificate,
    userKubeconfig: async (user, groups) => writeKubeconfig(await userCertificate(user, groups)),
    serviceAccountToken,
    serviceAccountKubeconfig: async (namespace, name) =>
      writeKubeconfig({ token: await serviceAccountToken(namespace, name) }),
    kubectl: client(toolchain.kubectl),
    helm: client(toolchain.helm),
    request,
    createNamespace: (labels = {}) => createNamespace(request, `test-${makeName()}`, labels),
    auditEvents: (matches) => waitForAuditEvents(auditLog, matches),
  };
}

/** Reads back a description that one process wrote for another as JSON. */
export function readDescription(file: string): ClusterDescription {
  const description: ClusterDescription = JSON.parse(readFileSync(file, 'utf8'));
  return description;
}

/** A client certificate of the authority for a day. */
export async function issueFor(authority: KeyPair, client: ClientSubject): Promise<KeyPair> {
  return issueClientCertificate(authority, client, lasting(new Date(), 1));
}

/** A kubeconfig's content; JSON is YAML. */
export function makeKubeconfig(
  server: { readonly url: string; readonly ca: string },
  credentials: Credentials,
): string {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  const user =
    typeof credentials === 'object' && 'cert' in credentials
      ? { 'client-certificate-data': base64(credentials.cert), 'client-key-data': base64(credentials.key) }
      : credentials;
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: server.url, 'certificate-authority-data': base64(server.ca) } }],
    users: [{ name: 'test', user: user === 'anonymous' ? {} : user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}

/** Nothing of the person's own kubectl and helm settings reaches a test, and no proxy stands between. */
function clientEnvironment(home: string, kubeconfig: string): NodeJS.ProcessEnv {
  // A program that ends in a second need not collect garbage as often as Go does.
  return { PATH: process.env['PATH'] ?? '', HOME: home, KUBECONFIG: kubeconfig, TMPDIR: home, GOGC: '400' };
}

let namesMade = 0;

/** A name that no other process that uses the same control plane makes. */
function makeName(): string {
  namesMade += 1;
  return `${process.pid}-${namesMade}`;
}

async function requestToken(
  request: Cluster['request'],
  account: { readonly namespace: string; readonly name: string; readonly audiences: readonly string[] },
): Promise<string> {
  const path = `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`;
  const response = await request(path, {
    method: 'POST',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: account.audiences } },
  });
  const token = asString(asObject(asObject(response.body)['status'])['token']);
  if (token === undefined) throw new Error(`No token for ${account.namespace}/${account.name}: ${describe(response)}`);
  return token;
}

async function createNamespace(
  request: Cluster['request'],
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<string> {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  const created = await request('/api/v1/namespaces', { method: 'POST', body });
  if (created.status !== 201) throw new Error(`The namespace ${name} was not made: ${describe(created)}`);
  await ensureServiceAccount(request, name);
  return name;
}

/** Makes the ServiceAccount `default` of a namespace, without which no pod is admitted, unless a controller was first. */
export async function ensureServiceAccount(request: Cluster['request'], namespace: string): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  const made = await request(`/api/v1/namespaces/${namespace}/serviceaccounts`, { method: 'POST', body });
  if (made.status !== 201 && made.status !== 409) {
    throw new Error(`The namespace ${namespace} got no ServiceAccount: ${describe(made)}`);
  }
}

function describe({ status, body }: ApiResponse): string {
  return `${status} ${JSON.stringify(body)}`;
}
