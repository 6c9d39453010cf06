import { asList, asObject, asString, type JsonObject } from '../kube/json.ts';
import type { ApiClient } from './api-client.ts';
import { readObject, replaceObject } from './named-object.ts';

/** A Validating- or MutatingWebhookConfiguration as it was read, with the caBundle of each entry as text. */
export interface WebhookTrust {
  readonly bundles: readonly string[];
  readonly object: JsonObject;
}

/** Reads and writes the caBundle of the webhook configurations of one name. */
export interface WebhookTrustAccess {
  /** Those that exist: none, one or both. */
  readonly read: (signal: AbortSignal) => Promise<readonly WebhookTrust[]>;
  /** Sets the bundle of every entry and leaves all else as it was read; false when somebody else was faster. */
  readonly write: (bundle: string, before: WebhookTrust, signal: AbortSignal) => Promise<boolean>;
}

const GROUP = '/apis/admissionregistration.k8s.io/v1';
const KINDS = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'] as const;

/** Access to the webhook configurations of this name. */
export function webhookTrustAccess(client: ApiClient, name: string): WebhookTrustAccess {
  const pathOf = (kind: string): string => `${GROUP}/${kind.toLowerCase()}s/${name}`;
  return {
    async read(signal) {
      const found = await Promise.all(KINDS.map((kind) => readObject(client, pathOf(kind), signal)));
      return found.filter((object) => object !== undefined).map((object) => ({ object, bundles: bundlesOf(object) }));
    },
    write(bundle, before, signal) {
      const path = pathOf(asString(before.object['kind']) ?? '');
      return replaceObject(client, path, { object: withBundle(before.object, bundle), signal });
    },
  };
}

function bundlesOf(configuration: JsonObject): readonly string[] {
  return asList(configuration['webhooks']).map((webhook) => {
    const { caBundle } = asObject(asObject(webhook)['clientConfig']);
    return Buffer.from(asString(caBundle) ?? '', 'base64').toString('utf8');
  });
}

function withBundle(configuration: JsonObject, bundle: string): JsonObject {
  const caBundle = Buffer.from(bundle).toString('base64');
  const webhooks = asList(configuration['webhooks']).map((webhook) => trusting(asObject(webhook), caBundle));
  return { ...configuration, webhooks };
}

function trusting(webhook: JsonObject, caBundle: string): JsonObject {
  return { ...webhook, clientConfig: { ...asObject(webhook['clientConfig']), caBundle } };
}
