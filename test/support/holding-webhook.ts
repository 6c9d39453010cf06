// A webhook of a stranger's, which keeps the API server waiting: what it is asked about is admitted by everybody else
// and not stored yet.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { asObject, asString } from '../../src/kube/json.ts';
import { makeAuthority, makeServerPair } from './certificates.ts';
import type { Cluster } from './cluster-access.ts';
import { waitUntil } from './wait-for.ts';
import { apply } from './webhook-registration.ts';

export type HoldingWebhook = {
  /** From now on nothing is answered, until `release`. */
  readonly hold: () => void;
  /** Says yes to everything that waits, and to whatever comes. */
  readonly release: () => void;
  /** The names that wait. */
  readonly waiting: () => readonly string[];
  /** Says yes to everything, and is registered no more. */
  readonly stop: () => Promise<void>;
};

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const BINDINGS = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
const NAME = 'holding';

/** Registers a webhook for new ClusterRoleBindings and waits until the API server asks it. */
export async function startHoldingWebhook(cluster: Cluster): Promise<HoldingWebhook> {
  const authority = await makeAuthority('holding webhook CA');
  const held = new Map<string, () => void>();
  const asked = new Set<string>();
  let isHolding = false;
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { uid, name } = asObject(asObject(JSON.parse(await text(request)))['request']);
    const answer = (): void => {
      const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true } };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(review));
    };
    asked.add(asString(name) ?? '');
    if (isHolding) held.set(asString(name) ?? '', answer);
    else answer();
  };
  const server = createServer(await makeServerPair(authority), (request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await apply(cluster, CONFIGURATIONS, configurationFor(port, authority.cert));
  await waitUntil('the API server to ask the holding webhook', async () => {
    await cluster.request(`${BINDINGS}?dryRun=All`, { method: 'POST', body: PROBE });
    return asked.has('is-somebody-asked');
  });
  const release = (): void => {
    isHolding = false;
    for (const answer of held.values()) answer();
    held.clear();
  };
  return {
    hold() {
      isHolding = true;
    },
    release,
    waiting: () => [...held.keys()],
    async stop() {
      release();
      await cluster.request(`${CONFIGURATIONS}/${NAME}`, { method: 'DELETE' });
      server.close();
      server.closeAllConnections();
    },
  };
}

const PROBE = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'is-somebody-asked' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'nobody' },
};

function configurationFor(port: number, trusted: string) {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: NAME },
    webhooks: [
      {
        name: 'holding.example.com',
        clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(trusted).toString('base64') },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Ignore',
        timeoutSeconds: 30,
        rules: [
          {
            apiGroups: ['rbac.authorization.k8s.io'],
            apiVersions: ['*'],
            resources: ['clusterrolebindings'],
            operations: ['CREATE'],
          },
        ],
      },
    ],
  };
}
