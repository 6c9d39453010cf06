// What an administrator sets up for the server in a cluster: its ServiceAccount with the rights that it needs, and the
// product's own webhook configurations.
import { mutatingConfiguration, validatingConfiguration } from '../../src/admission/webhook-configurations.ts';
import { FOLLOWING, REVIEWING } from '../../src/cluster/permissions.ts';
import { asList, asObject, type JsonObject } from '../../src/kube/json.ts';
import { RULES } from '../../src/rules/index.ts';
import type { Cluster } from './cluster-access.ts';

/** The name of the server's ServiceAccount in its namespace. */
export const SERVER_ACCOUNT = 'scrapeguard';

/** What can be chosen about the webhook configuration, and changed while it is registered. */
export type Registration = {
  /** What the API server does when nobody answers an entry that can refuse a write. */
  readonly failurePolicy: 'Fail' | 'Ignore';
  /** What the API server trusts the servers by, PEM. */
  readonly trusted: string;
  /** The product's own unless told. */
  readonly timeoutSeconds?: number;
};

/** Where a webhook configuration points to, and whom it is about. */
export type WebhookPlace = {
  /** The name of the configuration and of everything else of it that lives outside namespaces. */
  readonly name: string;
  /** The namespace of the server. */
  readonly namespace: string;
  readonly url: string;
  /** Only namespaces with this label, and nothing outside namespaces; all of them and everything without it. */
  readonly label?: { readonly key: string; readonly value: string };
  /** Whether namespaces opt in by the product's own labels; they need not unless told. */
  readonly namespaces?: 'every' | 'opted-in';
};

/** Makes the server's ServiceAccount with the rights that it needs. */
export async function makeServerAccount(cluster: Cluster, { name, namespace }: WebhookPlace): Promise<void> {
  await apply(cluster, `/api/v1/namespaces/${namespace}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: SERVER_ACCOUNT },
  });
  await apply(cluster, CLUSTER_ROLES, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [...FOLLOWING, ...REVIEWING],
  });
  await apply(cluster, CLUSTER_ROLE_BINDINGS, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: SERVER_ACCOUNT, namespace }],
  });
}

/** Registers the webhook, or changes how it is registered. The API server takes notice a moment later. */
export async function register(cluster: Cluster, place: WebhookPlace, registration: Registration): Promise<void> {
  for (const { collection, configuration } of configurationsFor(place, registration)) {
    await apply(cluster, collection, configuration);
  }
}

/** Removes everything that the webhook has outside namespaces. */
export async function unregister(cluster: Cluster, name: string): Promise<void> {
  for (const collection of [VALIDATING, MUTATING, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES]) {
    await remove(cluster, `${collection}/${name}`);
  }
}

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const CLUSTER_ROLES = `${RBAC}/clusterroles`;
const CLUSTER_ROLE_BINDINGS = `${RBAC}/clusterrolebindings`;
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const VALIDATING = `${ADMISSION}/validatingwebhookconfigurations`;
const MUTATING = `${ADMISSION}/mutatingwebhookconfigurations`;

/** The product's configurations with a URL in place of the Service, which nothing routes here. */
function configurationsFor(
  place: WebhookPlace,
  registration: Registration,
): readonly { readonly collection: string; readonly configuration: JsonObject }[] {
  const { namespace, namespaces = 'every' } = place;
  const options = { namespace, failurePolicy: registration.failurePolicy, bootstrapNamespaces: [], namespaces };
  return [
    { collection: VALIDATING, made: validatingConfiguration(RULES, options) },
    { collection: MUTATING, made: mutatingConfiguration(options) },
  ].map(({ collection, made }) => ({ collection, configuration: adapt(made, place, registration) }));
}

function adapt(
  made: JsonObject,
  { name, url, label }: WebhookPlace,
  { trusted, timeoutSeconds }: Registration,
): JsonObject {
  const webhooks = asList(made['webhooks']).map((item): JsonObject => {
    const webhook = asObject(item);
    const { path } = asObject(asObject(webhook['clientConfig'])['service']);
    return Object.assign({}, webhook, {
      clientConfig: { url: `${url}${String(path)}`, caBundle: Buffer.from(trusted).toString('base64') },
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    });
  });
  if (label === undefined) return { ...made, metadata: { name }, webhooks };
  const narrowed = webhooks.map((webhook) => narrow(webhook, label));
  return { ...made, metadata: { name }, webhooks: narrowed.filter(({ rules }) => asList(rules).length > 0) };
}

function narrow(webhook: JsonObject, { key, value }: { readonly key: string; readonly value: string }): JsonObject {
  const { matchExpressions } = asObject(webhook['namespaceSelector']);
  return {
    ...webhook,
    namespaceSelector: { matchExpressions: [...asList(matchExpressions), { key, operator: 'In', values: [value] }] },
    rules: asList(webhook['rules']).filter((rule) => isSelectable(asObject(rule))),
  };
}

/**
 * Whether a selector of namespaces applies: a Namespace and its subresources are matched by its labels, all else outside
 * is matched always.
 */
function isSelectable({ scope, resources }: JsonObject): boolean {
  return scope === 'Namespaced' || asList(resources).every((resource) => /^namespaces(?:\/|$)/.test(String(resource)));
}

/** Creates an object or makes it what is given. Throws an Error with the answer when that fails. */
export async function apply(cluster: Cluster, collection: string, object: JsonObject): Promise<void> {
  const path = `${collection}/${String(asObject(object['metadata'])['name'])}?fieldManager=test&force=true`;
  const contentType = 'application/apply-patch+yaml';
  const { status, body } = await cluster.request(path, { method: 'PATCH', contentType, body: object });
  if (status !== 200 && status !== 201) throw new Error(`PATCH ${path}: ${status} ${JSON.stringify(body)}`);
}

async function remove(cluster: Cluster, path: string): Promise<void> {
  const { status, body } = await cluster.request(path, { method: 'DELETE' });
  if (status !== 200 && status !== 404) throw new Error(`DELETE ${path}: ${status} ${JSON.stringify(body)}`);
}
