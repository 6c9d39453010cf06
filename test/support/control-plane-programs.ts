// The command lines of a control plane's programs, and the files they read.
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueAuthority, issueServerCertificate, lasting } from '../../src/tls/issue.ts';
import type { KeyPair } from '../../src/tls/source.ts';
import { AUDIT_POLICY } from './audit-log.ts';
import { issueFor, makeKubeconfig } from './cluster-access.ts';

/** Ports of 127.0.0.1, one a purpose. */
export type Ports = {
  readonly etcdClient: number;
  readonly etcdPeer: number;
  readonly apiserver: number;
  readonly controllers: number;
};

/** A command line's flags without their dashes. */
export type Flags = Readonly<Record<string, string>>;

/** The paths of what a control plane reads and writes, all in one folder. */
export type Files = ReturnType<typeof filesIn>;

/** The folder's paths by purpose. */
export function filesIn(directory: string) {
  const at = (name: string): string => join(directory, name);
  return {
    etcdData: at('etcd-data'),
    authority: at('ca.crt'),
    serverCertificate: at('apiserver.crt'),
    serverKey: at('apiserver.key'),
    accountPublicKey: at('service-accounts.pub'),
    accountPrivateKey: at('service-accounts.key'),
    auditPolicy: at('audit-policy.json'),
    auditLog: at('audit.log'),
    controllersKubeconfig: at('controllers.kubeconfig'),
    etcdOutput: at('etcd.output'),
    apiserverOutput: at('kube-apiserver.output'),
    controllersOutput: at('kube-controller-manager.output'),
  } as const;
}

/** The first address of the Services' range, which the API server gives to its own Service. */
const API_SERVICE_ADDRESS = '10.0.0.1';
const SERVER_NAMES = ['localhost', 'kubernetes', 'kubernetes.default.svc', '127.0.0.1', API_SERVICE_ADDRESS];

/** The controllers that the tests see the work of; a node's own, the scheduler's and the clouds' have nothing to do here. */
const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'daemonset-controller',
  'statefulset-controller',
  'job-controller',
  'cronjob-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'root-ca-certificate-publisher-controller',
  'namespace-controller',
  'garbage-collector-controller',
  'clusterrole-aggregation-controller',
  'endpointslice-controller',
  'resourcequota-controller',
];

/** The address of the API server. */
export function apiServerUrl({ apiserver }: Ports): string {
  return `https://127.0.0.1:${apiserver}`;
}

/** What signs every certificate of a control plane, and the administrator's own certificate. */
export type Identities = { readonly authority: KeyPair; readonly admin: KeyPair };

/** Makes certificates and keys, and writes whatever the programs read. */
export async function writeFiles(files: Files, ports: Ports): Promise<Identities> {
  const authority = await issueAuthority('scrapeguard test CA', lasting(new Date(), 2));
  const subject = { commonName: 'kube-apiserver', names: SERVER_NAMES };
  const server = await issueServerCertificate(authority, subject, lasting(new Date(), 1));
  const accounts = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const controllers = await issueFor(authority, { user: 'system:kube-controller-manager', groups: [] });
  const contents = [
    [files.authority, authority.cert],
    [files.serverCertificate, server.cert],
    [files.serverKey, server.key],
    [files.accountPublicKey, accounts.publicKey],
    [files.accountPrivateKey, accounts.privateKey],
    [files.auditPolicy, JSON.stringify(AUDIT_POLICY)],
    [files.auditLog, ''],
    [files.controllersKubeconfig, makeKubeconfig({ url: apiServerUrl(ports), ca: authority.cert }, controllers)],
  ] as const;
  for (const [file, content] of contents) await writeFile(file, content, { mode: 0o600 });
  await mkdir(files.etcdData, { mode: 0o700 });
  return { authority, admin: await issueFor(authority, { user: 'administrator', groups: ['system:masters'] }) };
}

/** etcd without fsync: its data are thrown away in any case. */
export function etcdFlags(files: Files, { etcdClient, etcdPeer }: Ports): Flags {
  const client = `http://127.0.0.1:${etcdClient}`;
  const peer = `http://127.0.0.1:${etcdPeer}`;
  return {
    'data-dir': files.etcdData,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
    'unsafe-no-fsync': 'true',
  };
}

/** The API server with its default admission plugins (ServiceAccount and PodSecurity among them), RBAC and an audit log. */
export function apiserverFlags(files: Files, ports: Ports): Flags {
  return {
    'advertise-address': '127.0.0.1',
    'bind-address': '127.0.0.1',
    'secure-port': String(ports.apiserver),
    'etcd-servers': `http://127.0.0.1:${ports.etcdClient}`,
    'endpoint-reconciler-type': 'none',
    'tls-cert-file': files.serverCertificate,
    'tls-private-key-file': files.serverKey,
    'client-ca-file': files.authority,
    'authorization-mode': 'Node,RBAC',
    'allow-privileged': 'true',
    'service-cluster-ip-range': '10.0.0.0/24',
    'service-account-issuer': `${apiServerUrl(ports)}/`,
    'service-account-key-file': files.accountPublicKey,
    'service-account-signing-key-file': files.accountPrivateKey,
    'audit-policy-file': files.auditPolicy,
    'audit-log-path': files.auditLog,
  };
}

/** The controller manager with the controllers that need neither nodes nor a cloud. */
export function controllerFlags(files: Files, { controllers }: Ports): Flags {
  const kubeconfig = files.controllersKubeconfig;
  return {
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': '127.0.0.1',
    'secure-port': String(controllers),
    'tls-cert-file': files.serverCertificate,
    'tls-private-key-file': files.serverKey,
    'leader-elect': 'false',
    'use-service-account-credentials': 'true',
    'service-account-private-key-file': files.accountPrivateKey,
    'root-ca-file': files.authority,
    controllers: CONTROLLERS.join(','),
    // Its own pace of twenty requests a second makes the deletion of a namespace take as long as there are kinds.
    'kube-api-qps': '300',
    'kube-api-burst': '600',
  };
}
