// Certificates for tests: valid now, for this machine's loopback, and written to directories as people and kubelets do.
import { mkdir, mkdtemp, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { issueAuthority, issueClientCertificate, issueServerCertificate, lasting } from '../../src/tls/issue.ts';
import type { KeyPair } from '../../src/tls/source.ts';

/** From an hour ago to a month from now. */
export const VALIDITY = lasting(new Date(), 30);

/** A CA of its own. */
export function makeAuthority(commonName = 'test CA'): Promise<KeyPair> {
  return issueAuthority(commonName, VALIDITY);
}

/** A server's pair for 127.0.0.1, localhost and the given names. */
export function makeServerPair(authority: KeyPair, names: readonly string[] = []): Promise<KeyPair> {
  const server = { commonName: 'test server', names: ['127.0.0.1', 'localhost', ...names] };
  return issueServerCertificate(authority, server, VALIDITY);
}

/** A client's pair: a Kubernetes user and its groups. */
export function makeClientPair(authority: KeyPair, user: string, groups: readonly string[] = []): Promise<KeyPair> {
  return issueClientCertificate(authority, { user, groups }, VALIDITY);
}

/** An empty directory that goes away with the test. */
export async function makeDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'scrapeguard-test-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** What a test writes: any part may be missing or broken. */
export type WrittenParts = { readonly cert?: string; readonly key?: string; readonly ca?: string };

const FILES = [
  ['cert', 'tls.crt'],
  ['key', 'tls.key'],
  ['ca', 'ca.crt'],
] as const;

/** Overwrites the files in place, one after the other; an absent part leaves its file as it is. */
export async function writeParts(directory: string, parts: WrittenParts): Promise<void> {
  for (const [part, name] of FILES) {
    const text = parts[part];
    if (text !== undefined) await writeFile(join(directory, name), text);
  }
}

/** Writes as the kubelet does for a mounted Secret: a new directory, then `..data` swapped onto it in one rename. */
export async function mountParts(directory: string, parts: WrittenParts, generation: number): Promise<void> {
  const before = await readlink(join(directory, '..data')).catch(() => undefined);
  const name = `..generation-${generation}`;
  await mkdir(join(directory, name));
  await writeParts(join(directory, name), parts);
  await symlink(name, join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  if (before !== undefined) return rm(join(directory, before), { recursive: true });
  for (const [part, file] of FILES) {
    if (parts[part] !== undefined) await symlink(join('..data', file), join(directory, file));
  }
}
