import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { issuerOf } from '../tls/issuer.ts';
import { PART_NAMES, type KeyPair } from '../tls/source.ts';
import { expiresAt, whyUnusable } from '../tls/validity.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';

/** Where certificates go, for which names, and for how many days. */
export interface GenerateOptions {
  readonly dir: string;
  readonly name: readonly string[];
  readonly days: number;
  readonly caDays: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const CA_FILES = { cert: PART_NAMES.ca, key: 'ca.key' } as const;

/**
 * Writes a certificate of the CA in the folder, which is made if there is none; a running server takes it up. Prints the
 * caBundle, and to stderr what to do with it. Rejects with a Failure and leaves a CA that cannot be used as it is.
 */
export async function generateCertificates({ dir, name, days, caDays }: GenerateOptions, io: Io): Promise<void> {
  const issuer = issuerOf({ names: name, certMs: days * DAY_MS, caMs: caDays * DAY_MS });
  const now = io.now();
  const existing = await readAuthority(dir, now);
  const authority = existing ?? (await issuer.authority(now));
  const leaf = await issuer.leaf(authority, now);
  try {
    await mkdir(dir, { recursive: true });
    if (existing === undefined) await writePair(dir, CA_FILES, authority);
    await writePair(dir, PART_NAMES, leaf);
  } catch (error) {
    throw new Failure(`${dir} cannot be written: ${messageOf(error)}`, error);
  }
  io.stdout.write(`${Buffer.from(authority.cert).toString('base64')}\n`);
  io.stderr.write(nextSteps(dir, { isRenewal: existing !== undefined, until: expiresAt(leaf.cert) }));
}

async function readAuthority(dir: string, now: Date): Promise<KeyPair | undefined> {
  const [cert, key] = await Promise.all([readIfThere(join(dir, CA_FILES.cert)), readIfThere(join(dir, CA_FILES.key))]);
  if (cert === undefined && key === undefined) return undefined;
  const file = join(dir, CA_FILES.cert);
  if (cert === undefined || key === undefined) {
    throw new Failure(`${file} and its key are not both there; move the other one away to get a new CA.`);
  }
  if (whyUnusable({ cert, key }, { at: now }) !== undefined) {
    throw new Failure(`${file} has expired, or ${CA_FILES.key} is not its key; move both away to get a new CA.`);
  }
  return { cert, key };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Failure(`${file} cannot be read: ${messageOf(error)}`, error);
  }
}

async function writePair(
  dir: string,
  files: { readonly cert: string; readonly key: string },
  { cert, key }: KeyPair,
): Promise<void> {
  await replaceFile(join(dir, files.key), key, 0o600);
  await replaceFile(join(dir, files.cert), cert, 0o644);
}

/** In one step, so that nobody reads half a file, and with the mode from the beginning. */
async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.new`;
  await writeFile(temporary, text, { mode });
  await rename(temporary, file);
}

function nextSteps(dir: string, { isRenewal, until }: { readonly isRenewal: boolean; readonly until: Date }): string {
  const path = (name: string): string => join(dir, name);
  const lines = isRenewal
    ? ['The caBundle is the same as before: update the Secret, or copy the files to the server.']
    : [
        `Keep ${path(CA_FILES.key)} where only you can read it; the server needs ${PART_NAMES.cert} and ${PART_NAMES.key}.`,
        'Put the line above into every clientConfig.caBundle of the webhook configurations.',
      ];
  return [
    ...lines,
    `kubectl -n scrapeguard-system create secret tls scrapeguard-certificates --cert=${path(PART_NAMES.cert)} --key=${path(PART_NAMES.key)} --dry-run=client -o yaml | kubectl apply -f -`,
    `Nobody renews it: run this again with the same --dir before ${until.toISOString().slice(0, 10)}.`,
    '',
  ].join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
