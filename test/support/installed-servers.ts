// The servers of an installation, as its Deployment says and with the rights of its ServiceAccount, on this machine.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asList, asObject, asString, asStrings, type JsonObject } from '../../src/kube/json.ts';
import { type Cluster, makeKubeconfig } from './cluster-access.ts';
import type { Guard } from './guard.ts';

/** The namespace of every installation here. */
export const NAMESPACE = 'scrapeguard-system';

const IN_NAMESPACE = `/api/v1/namespaces/${NAMESPACE}`;
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/scrapeguard`;
const MOUNT = '/etc/scrapeguard/';

/** Options that whoever starts a server here gives by itself. */
const PORTS: ReadonlySet<string> = new Set(['--port=9443', '--metrics-port=8443']);

/** The text of what every entry of the validating configuration trusts; empty before anybody has set it. */
export async function trustedBy(cluster: Cluster): Promise<string> {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/scrapeguard';
  const webhooks = asList((await read(cluster, path))['webhooks']).map((webhook) => {
    return asString(asObject(asObject(webhook)['clientConfig'])['caBundle']) ?? '';
  });
  const [bundle = '', ...others] = webhooks;
  return others.every((other) => other === bundle) ? Buffer.from(bundle, 'base64').toString() : '';
}

/** The files that the ConfigMap brings, written as a kubelet does; again to bring what has changed. */
export async function mountFiles(cluster: Cluster, { directory }: Guard): Promise<void> {
  const { data } = await read(cluster, `${IN_NAMESPACE}/configmaps/scrapeguard`);
  mkdirSync(join(directory, 'mounted'), { recursive: true });
  for (const [name, text] of Object.entries(asObject(data))) {
    writeFileSync(join(directory, 'mounted', name), String(text));
  }
}

/**
 * The Deployment's own arguments, without its ports, with its files in places of this machine, and a kubeconfig in place of what
 * a pod finds by itself: a token of its ServiceAccount.
 */
export async function installedArguments(cluster: Cluster, guard: Guard): Promise<readonly string[]> {
  await mountFiles(cluster, guard);
  const spec = asObject((await read(cluster, DEPLOYMENT))['spec']);
  const pod = asObject(asObject(spec['template'])['spec']);
  const token = await cluster.serviceAccountToken(NAMESPACE, String(pod['serviceAccountName']));
  const kubeconfig = join(guard.directory, 'kubeconfig');
  const server = { url: cluster.url, ca: cluster.authority.cert };
  writeFileSync(kubeconfig, makeKubeconfig(server, { token }), { mode: 0o600 });
  const [command, ...options] = asStrings(asObject(asList(pod['containers'])[0])['args']);
  assert.equal(command, 'serve');
  const local = options
    .filter((option) => !PORTS.has(option))
    .map((option) => option.replace(`=${MOUNT}`, `=${guard.directory}/mounted/`));
  return [...local, '--kubeconfig', kubeconfig];
}

async function read(cluster: Cluster, path: string): Promise<JsonObject> {
  const { status, body } = await cluster.request(path);
  assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
  return asObject(body);
}
