import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import type * as x509Module from '@peculiar/x509';
import type { Extension, JsonGeneralNames, Name } from '@peculiar/x509';
import type { KeyPair } from './source.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate starts this long before it is made, so that a client whose clock is behind accepts it. */
export const CLOCK_SKEW_MS = 60 * 60 * 1000;

/** When a certificate starts and ends to be valid; X.509 keeps whole seconds. */
export type Validity = { readonly notBefore: Date; readonly notAfter: Date };

/** The validity of a certificate made at `now` that is to last `days` from there. */
export function lasting(now: Date, days: number): Validity {
  return lastingUntil(now, new Date(now.getTime() + days * DAY_MS));
}

/** The validity of a certificate made at `now` that is to last until then. */
export function lastingUntil(now: Date, notAfter: Date): Validity {
  return { notBefore: new Date(now.getTime() - CLOCK_SKEW_MS), notAfter };
}

type X509 = typeof x509Module;

// The library costs 48 ms and 17 MB: only who issues a certificate pays. It fails unless reflect-metadata is there first.
async function loadX509(): Promise<X509> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** A new self-signed CA that may sign leaves and no further CA: ECDSA P-256, a random serial number. */
export async function issueAuthority(commonName: string, validity: Validity): Promise<KeyPair> {
  const x509 = await loadX509();
  const keys = newKeys();
  const subject = nameOf(x509, [['CN', commonName]]);
  const { keyCertSign } = x509.KeyUsageFlags;
  return issue(x509, {
    keys,
    issuer: { subject, spki: keys.spki, key: keys.privateKey },
    subject,
    validity,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(keyCertSign, true)],
  });
}

/** What a server certificate is for: DNS names (a leading `*.` allowed) and IP addresses, at least one. */
export type ServerSubject = { readonly commonName: string; readonly names: readonly string[] };

/** A new server certificate signed by an authority that `issueAuthority` made. Throws when no name is given. */
export async function issueServerCertificate(
  authority: KeyPair,
  server: ServerSubject,
  validity: Validity,
): Promise<KeyPair> {
  if (server.names.length === 0) throw new Error('A server certificate needs at least one name.');
  const x509 = await loadX509();
  const names: JsonGeneralNames = [...new Set(server.names)].map((value) => ({
    type: isIP(value) === 0 ? 'dns' : 'ip',
    value,
  }));
  return issueLeaf(x509, authority, {
    subject: nameOf(x509, [['CN', server.commonName]]),
    validity,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
    ],
  });
}

/** Who a client certificate speaks for, as the API server reads it: CN is the user, each O is a group. */
export type ClientSubject = { readonly user: string; readonly groups: readonly string[] };

/** A new client certificate signed by an authority that `issueAuthority` made. */
export async function issueClientCertificate(
  authority: KeyPair,
  client: ClientSubject,
  validity: Validity,
): Promise<KeyPair> {
  const x509 = await loadX509();
  const groups = client.groups.map((group): NamePart => ['O', group]);
  return issueLeaf(x509, authority, {
    subject: nameOf(x509, [...groups, ['CN', client.user]]),
    validity,
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  });
}

type NewKeys = { readonly privateKey: KeyObject; readonly spki: Buffer };
type Issuer = { readonly subject: Name; readonly spki: Buffer | ArrayBuffer; readonly key: KeyObject };
type Leaf = { readonly subject: Name; readonly validity: Validity; readonly extensions: readonly Extension[] };

async function issueLeaf(x509: X509, authority: KeyPair, leaf: Leaf): Promise<KeyPair> {
  const certificate = new x509.X509Certificate(authority.cert);
  const issuer = {
    subject: certificate.subjectName,
    spki: certificate.publicKey.rawData,
    key: createPrivateKey(authority.key),
  };
  const { digitalSignature } = x509.KeyUsageFlags;
  const basic = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(digitalSignature, true),
  ];
  return issue(x509, { ...leaf, keys: newKeys(), issuer, extensions: [...basic, ...leaf.extensions] });
}

async function issue(
  x509: X509,
  { keys, issuer, ...leaf }: Leaf & { readonly keys: NewKeys; readonly issuer: Issuer },
): Promise<KeyPair> {
  const certificate = await x509.X509CertificateGenerator.create({
    ...leaf.validity,
    subject: leaf.subject,
    issuer: issuer.subject,
    publicKey: keys.spki,
    signingKey: issuer.key.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      ...leaf.extensions,
      await x509.SubjectKeyIdentifierExtension.create(keys.spki),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.spki),
    ],
  });
  return { cert: `${certificate.toString('pem').trimEnd()}\n`, key: exportKey(keys.privateKey) };
}

function newKeys(): NewKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) };
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

type NamePart = readonly ['CN' | 'O', string];

// As explicit UTF-8 strings: a plain string would be parsed, where a leading # means hexadecimal.
function nameOf(x509: X509, parts: readonly NamePart[]): Name {
  return new x509.Name(parts.map(([type, value]) => ({ [type]: [{ utf8String: value }] })));
}
