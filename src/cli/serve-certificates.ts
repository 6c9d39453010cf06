import { randomUUID } from 'node:crypto';

import { InvalidArgumentError, type Command } from 'commander';
import type { Logger } from 'pino';

import { ApiError, connect, type ApiClient } from '../cluster/api-client.ts';
import { WEBHOOK_CONFIGURATION } from '../cluster/certificate-permissions.ts';
import { makeLease } from '../cluster/lease.ts';
import { secretAccess } from '../cluster/secret.ts';
import { webhookTrustAccess } from '../cluster/webhook-configurations.ts';
import { parseDuration } from '../server/deadline.ts';
import { watchCertificateFiles } from '../tls/certificate-files.ts';
import type { CertificateStore } from '../tls/certificate-store.ts';
import { issuerOf } from '../tls/issuer.ts';
import { selfManagedSource } from '../tls/self-managed.ts';
import { selfSignedSource } from '../tls/self-signed.ts';
import { PART_NAMES, type CertificateSource } from '../tls/source.ts';
import { factsOf } from '../tls/stored-facts.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';

/** Where the certificate comes from: files, a Secret that we keep up, or memory. */
export interface CertificateOptions {
  readonly kubeconfig?: string;
  readonly certDir?: string;
  readonly certSecret?: SecretName;
  readonly certName: readonly string[];
  readonly certDuration: number;
  readonly caDuration: number;
}

interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** A source, and how to let go of what it holds. */
export interface OpenCertificates {
  readonly certificates: CertificateSource;
  readonly close: () => Promise<void>;
}

const HOUR_MS = 3_600_000;

/** How often files or the Secret are looked at, and the lease is renewed. */
const LOOK_MS = 5_000;
const LEASE_SECONDS = 30;

/** Three leases: the one before us may have ended without a word. */
const START_MS = 90_000;

/** How long API servers may take to notice a new caBundle before a leaf counts on it. */
const SETTLE_MS = 30_000;

/** The key of the Secret that no replica serves. */
const CA_KEY = 'ca.key';

/** Adds the options that choose where the certificate comes from. */
export function addCertificateOptions(serve: Command): Command {
  return serve
    .option('--cert-dir <DIR>', 'a folder with tls.crt and tls.key, followed when they change')
    .option(
      '--cert-secret <NAMESPACE/NAME>',
      'a Secret to keep a certificate in: issued, renewed, and trusted by the webhook configurations (self-signed in memory without either)',
      parseSecretName,
    )
    .option('--cert-name <NAME>', 'one more DNS name or IP address for that certificate; may be repeated', collect, [])
    .option(
      '--cert-duration <DURATION>',
      'how long it lasts; it is renewed after two thirds',
      parseLife,
      2160 * HOUR_MS,
    )
    .option('--ca-duration <DURATION>', 'how long the CA that signs it lasts, likewise', parseLife, 8760 * HOUR_MS);
}

/** Opens the source that the options ask for. Rejects with a Failure. */
export async function openCertificates(
  options: CertificateOptions,
  { io, log, stopped }: { readonly io: Io; readonly log: Logger; readonly stopped: AbortSignal },
): Promise<OpenCertificates> {
  const { certDir, certSecret } = options;
  if (certDir !== undefined && certSecret !== undefined) {
    throw new Failure('Give --cert-dir or --cert-secret: somebody else renews the certificate, or we do.');
  }
  try {
    if (certSecret !== undefined) return await openSecret(certSecret, options, { io, log, stopped });
    const certificates = certDir === undefined ? await selfSignedSource([], io.now()) : await openFiles(certDir, log);
    return { certificates, close: async () => certificates.stop() };
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(error instanceof Error ? error.message : String(error), error);
  }
}

function openFiles(directory: string, log: Logger): Promise<CertificateSource> {
  return watchCertificateFiles({ directory, intervalMs: LOOK_MS, onProblem: (sentence) => log.error(sentence) });
}

async function openSecret(
  secret: SecretName,
  options: CertificateOptions,
  { io, log, stopped }: { readonly io: Io; readonly log: Logger; readonly stopped: AbortSignal },
): Promise<OpenCertificates> {
  const { kubeconfig, certDuration, caDuration } = options;
  if (kubeconfig === undefined && io.env['KUBERNETES_SERVICE_HOST'] === undefined) {
    throw new Failure('--cert-secret needs a cluster: run it in one, or give --kubeconfig.');
  }
  if (certDuration > caDuration) throw new Failure('--cert-duration must not be longer than --ca-duration.');
  const names = [...serviceNames(secret.namespace), ...options.certName];
  const client = await connect(kubeconfig === undefined ? {} : { kubeconfig });
  const creator = `${io.env['HOSTNAME'] ?? 'serve'}-${randomUUID()}`;
  const where = `${secret.namespace}/${secret.name}`;
  const certificates = await selfManagedSource({
    store: storeIn(client, { ...secret, creator }),
    lease: makeLease(client, { ...secret, identity: creator, seconds: LEASE_SECONDS, now: io.now, elapsed: monotonic }),
    issuer: issuerOf({ names, certMs: certDuration, caMs: caDuration }),
    readFacts: (parts, bundles) => factsOf(parts, bundles, names),
    // Short lives are for trying it out, and leave no room for a long wait.
    settleMs: Math.min(SETTLE_MS, certDuration / 10),
    intervalMs: LOOK_MS,
    startMs: START_MS,
    stopped,
    now: io.now,
    elapsed: monotonic,
    isHopeless: (error) => error instanceof ApiError && error.status === 403,
    onStep: (step) => log.info({ secret: where, step }, 'certificates changed'),
    onProblem: (reason) => log.error({ secret: where, reason }, 'the certificate cannot be kept up'),
  }).catch(async (error: unknown) => {
    await client.close();
    throw error;
  });
  return {
    certificates,
    async close() {
      await certificates.close();
      await client.close();
    },
  };
}

function monotonic(): number {
  return performance.now();
}

/** The names by which an API server, or whoever tries it out in the cluster, calls our Service. */
function serviceNames(namespace: string): readonly string[] {
  const service = `scrapeguard.${namespace}.svc`;
  return [service, `${service}.cluster.local`];
}

function storeIn(client: ApiClient, secret: SecretName & { readonly creator: string }): CertificateStore {
  const access = secretAccess(client, secret);
  const trust = webhookTrustAccess(client, WEBHOOK_CONFIGURATION);
  return {
    async readSecret(signal) {
      const found = await access.read(signal);
      if (found === undefined) return undefined;
      const text = (key: string): string => (Object.hasOwn(found.data, key) ? (found.data[key] ?? '') : '');
      const { cert, key, ca } = PART_NAMES;
      return { parts: { cert: text(cert), key: text(key), ca: text(ca), caKey: text(CA_KEY) }, object: found.object };
    },
    writeSecret({ cert, key, ca, caKey }, before, signal) {
      const data = { [PART_NAMES.cert]: cert, [PART_NAMES.key]: key, [PART_NAMES.ca]: ca, [CA_KEY]: caKey };
      return access.write(data, before && { data: {}, object: before.object }, signal);
    },
    readTrust: trust.read,
    writeTrust: trust.write,
  };
}

function parseSecretName(text: string): SecretName {
  const [, namespace, name] = /^([a-z0-9][a-z0-9-]{0,62})\/([a-z0-9][a-z0-9.-]{0,252})$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) throw new InvalidArgumentError('It is not NAMESPACE/NAME.');
  return { namespace, name };
}

/** Shorter lives than this would end between two looks. */
const SHORTEST_LIFE_MS = 30_000;

function parseLife(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('It is no duration such as 2160h or 30m.');
  if (milliseconds < SHORTEST_LIFE_MS) throw new InvalidArgumentError('It is shorter than 30s.');
  return milliseconds;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
