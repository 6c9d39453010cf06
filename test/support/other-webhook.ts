// Somebody else's mutating webhook: a server of this process that changes pods, registered before or after ours.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { json } from 'node:stream/consumers';
import { after, before } from 'node:test';
import { asObject, asString, type JsonObject } from '../../src/kube/json.ts';
import { makeAuthority, makeServerPair } from './certificates.ts';
import type { Cluster } from './cluster-access.ts';
import { waitUntil } from './wait-for.ts';
import { apply } from './webhook-registration.ts';

/** An operation of a JSON Patch. */
export type PatchOperation = { readonly op: 'add' | 'remove'; readonly path: string; readonly value?: unknown };

/** A webhook, and which pods it changes how. */
export type OtherWebhook = {
  /** The API server asks webhooks in the order of the names of their configurations. */
  readonly name: string;
  /** Only in namespaces with this label. */
  readonly label: { readonly key: string; readonly value: string };
  readonly patchFor: (pod: JsonObject) => readonly PatchOperation[];
};

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

/** The webhook for all tests of the surrounding suite, from the first test on. */
export function useOtherWebhook(cluster: Cluster, webhook: OtherWebhook): void {
  let stop: (() => Promise<void>) | undefined;
  before(async () => {
    stop = await startOther(cluster, webhook);
  });
  after(() => stop?.());
}

async function startOther(cluster: Cluster, { name, label, patchFor }: OtherWebhook): Promise<() => Promise<void>> {
  const authority = await makeAuthority(`${name} CA`);
  let isAsked = false;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { uid, object } = asObject(asObject(await json(request))['request']);
    isAsked = true;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answerTo(asString(uid), patchFor(asObject(object)))));
  };
  const server = createServer(await makeServerPair(authority), (request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await apply(cluster, CONFIGURATIONS, configurationFor({ name, label }, port, authority.cert));
  const namespace = await cluster.createNamespace({ [label.key]: label.value });
  await waitUntil(`the API server to ask ${name}`, async () => {
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { containers: [PROBE] } };
    await cluster.request(`/api/v1/namespaces/${namespace}/pods?dryRun=All`, { method: 'POST', body });
    return isAsked;
  });
  return async () => {
    await cluster.request(`${CONFIGURATIONS}/${name}`, { method: 'DELETE' });
    server.close();
    server.closeAllConnections();
  };
}

const PROBE = { name: 'main', image: 'example.com/main:1' };

function answerTo(uid: string | undefined, patch: readonly PatchOperation[]): JsonObject {
  const change = { patch: Buffer.from(JSON.stringify(patch)).toString('base64'), patchType: 'JSONPatch' };
  const response = { uid, allowed: true, ...(patch.length > 0 && change) };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}

function configurationFor({ name, label }: Omit<OtherWebhook, 'patchFor'>, port: number, ca: string): JsonObject {
  const rule = {
    apiGroups: [''],
    apiVersions: ['v1'],
    resources: ['pods'],
    operations: ['CREATE'],
    scope: 'Namespaced',
  };
  const webhook = {
    name: 'other.example.com',
    clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(ca).toString('base64') },
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    namespaceSelector: { matchExpressions: [{ key: label.key, operator: 'In', values: [label.value] }] },
    rules: [rule],
  };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [webhook],
  };
}
