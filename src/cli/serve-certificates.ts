import { randomUUID } from 'node:crypto';

import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Logger } from 'pino';

import { ApiError, connect } from '../cluster/api-client.ts';
import { makeLease } from '../cluster/lease.ts';
import { parseDuration } from '../server/deadline.ts';
import { watchCertificateFiles } from '../tls/certificate-files.ts';
import { issuerOf } from '../tls/issuer.ts';
import { selfManagedSource } from '../tls/self-managed.ts';
import { serviceNames } from '../tls/service-names.ts';
import { selfSignedSource } from '../tls/self-signed.ts';
import type { CertificateSource } from '../tls/source.ts';
import { factsOf } from '../tls/stored-facts.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import type { Meters } from './meters.ts';
import { addName } from './options.ts';
import { certificateStore, parseSecretName, type SecretName } from './certificate-store.ts';

/** Where the certificate comes from: files, a Secret that we keep up, or memory. */
export interface CertificateOptions {
  readonly kubeconfig?: string;
  readonly certDir?: string;
  readonly certSecret?: SecretName;
  readonly certName: readonly string[];
  readonly certDuration: number;
  readonly caDuration: number;
}

/** A source, and how to let go of what it holds. */
export interface OpenCertificates {
  readonly certificates: CertificateSource;
  readonly close: () => Promise<void>;
}

/** What opening a source needs besides the options. */
interface CertificateParts {
  readonly io: Io;
  readonly log: Logger;
  readonly meters: Pick<Meters, 'count'>;
  readonly stopped: AbortSignal;
}

const HOUR_MS = 3_600_000;

/** How often files or the Secret are looked at, and the lease is renewed. */
const LOOK_MS = 5_000;
const LEASE_SECONDS = 30;

/** Three leases: the one before us may have ended without a word. */
const START_MS = 90_000;

/** Rights that were given a moment ago, or an API server that has just begun, refuse for a few seconds. */
const PATIENCE_MS = 10_000;

/** How long API servers may take to notice a new caBundle before a leaf counts on it. */
const SETTLE_MS = 30_000;

/** Adds the options that choose where the certificate comes from. */
export function addCertificateOptions(serve: Command): Command {
  return serve
    .option('--cert-dir <DIR>', 'a folder with tls.crt and tls.key, followed when they change')
    .option(
      '--cert-secret <NAMESPACE/NAME>',
      'a Secret to keep a certificate in: issued, renewed, and trusted by the webhook configurations (self-signed in memory without either)',
      parseSecretName,
    )
    .addOption(
      new Option('--cert-name <NAME>', 'one more DNS name or IP address for that certificate; may be repeated')
        .argParser(addName)
        .default([], 'none'),
    )
    .addOption(lifeOption('--cert-duration', 'how long it lasts; it is renewed after two thirds', 2160))
    .addOption(lifeOption('--ca-duration', 'how long the CA that signs it lasts, likewise', 8760));
}

function lifeOption(name: string, description: string, hours: number): Option {
  return new Option(`${name} <DURATION>`, description).argParser(parseLife).default(hours * HOUR_MS, `${hours}h`);
}

/** Opens the source that the options ask for. Rejects with a Failure. */
export async function openCertificates(
  options: CertificateOptions,
  { io, log, meters, stopped }: CertificateParts,
): Promise<OpenCertificates> {
  const { certDir, certSecret } = options;
  if (certDir !== undefined && certSecret !== undefined) {
    throw new Failure('Give --cert-dir or --cert-secret: somebody else renews the certificate, or we do.');
  }
  try {
    if (certSecret !== undefined) return await openSecret(certSecret, options, { io, log, meters, stopped });
    const certificates =
      certDir === undefined ? await selfSignedSource([], io.now()) : await openFiles(certDir, { io, log, meters });
    return { certificates, close: async () => certificates.stop() };
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(error instanceof Error ? error.message : String(error), error);
  }
}

function openFiles(
  directory: string,
  { io, log, meters }: Omit<CertificateParts, 'stopped'>,
): Promise<CertificateSource> {
  return watchCertificateFiles({
    directory,
    intervalMs: LOOK_MS,
    now: io.now,
    onProblem(sentence) {
      meters.count('scrapeguard_certificate_problems_total');
      log.error(sentence);
    },
  });
}

async function openSecret(
  secret: SecretName,
  options: CertificateOptions,
  { io, log, meters, stopped }: CertificateParts,
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
    store: certificateStore(client, { ...secret, creator }),
    lease: makeLease(client, { ...secret, identity: creator, seconds: LEASE_SECONDS, now: io.now, elapsed: monotonic }),
    issuer: issuerOf({ names, certMs: certDuration, caMs: caDuration }),
    readFacts: (parts, bundles) => factsOf(parts, bundles, names),
    // Short lives are for trying it out, and leave no room for a long wait.
    settleMs: Math.min(SETTLE_MS, certDuration / 10),
    intervalMs: LOOK_MS,
    startMs: START_MS,
    patienceMs: PATIENCE_MS,
    stopped,
    now: io.now,
    elapsed: monotonic,
    isHopeless: (error) => error instanceof ApiError && error.status === 403,
    onStep(step) {
      meters.count('scrapeguard_certificate_steps_total', { step });
      log.info({ secret: where, step }, 'certificates changed');
    },
    onProblem(reason) {
      meters.count('scrapeguard_certificate_problems_total');
      log.error({ secret: where, reason }, 'the certificate cannot be kept up');
    },
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

/** Shorter lives than this would end between two looks. */
const SHORTEST_LIFE_MS = 60_000;

function parseLife(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('It is no duration such as 2160h or 30m.');
  if (milliseconds < SHORTEST_LIFE_MS) throw new InvalidArgumentError('It is shorter than 1m.');
  return milliseconds;
}
