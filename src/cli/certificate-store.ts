import { InvalidArgumentError } from 'commander';

import type { ApiClient } from '../cluster/api-client.ts';
import { WEBHOOK_CONFIGURATION } from '../cluster/certificate-permissions.ts';
import { secretAccess, type SecretData } from '../cluster/secret.ts';
import { webhookTrustAccess } from '../cluster/webhook-configurations.ts';
import type { CertificateStore, StoredParts } from '../tls/certificate-store.ts';
import { PART_NAMES } from '../tls/source.ts';

/** Names one Secret. */
export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** Reads `NAMESPACE/NAME`. */
export function parseSecretName(text: string): SecretName {
  const [, namespace, name] = /^([a-z0-9][a-z0-9-]{0,62})\/([a-z0-9][a-z0-9.-]{0,252})$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) throw new InvalidArgumentError('It is not NAMESPACE/NAME.');
  return { namespace, name };
}

/** The key of the Secret that no replica serves. */
const CA_KEY = 'ca.key';

/** Certificates kept in a Secret, and trusted by our webhook configurations; `creator` is unlike every other process's. */
export function certificateStore(
  client: ApiClient,
  secret: SecretName & { readonly creator: string },
): CertificateStore {
  const access = secretAccess(client, secret);
  const trust = webhookTrustAccess(client, WEBHOOK_CONFIGURATION);
  return {
    async readSecret(signal) {
      const found = await access.read(signal);
      return found && { parts: partsOf(found.data), object: found.object };
    },
    writeSecret({ cert, key, ca, caKey }, before, signal) {
      const data = { [PART_NAMES.cert]: cert, [PART_NAMES.key]: key, [PART_NAMES.ca]: ca, [CA_KEY]: caKey };
      return access.write(data, before, signal);
    },
    readTrust: trust.read,
    writeTrust: trust.write,
  };
}

function partsOf(data: SecretData): StoredParts {
  const text = (key: string): string => (Object.hasOwn(data, key) ? (data[key] ?? '') : '');
  const { cert, key, ca } = PART_NAMES;
  return { cert: text(cert), key: text(key), ca: text(ca), caKey: text(CA_KEY) };
}
