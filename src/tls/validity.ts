import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { PART_NAMES, type KeyPair } from './source.ts';

/** What a pair is held against; what is absent is not asked. `ca` is PEM, one or more certificates. */
export type Expectation = { readonly at?: Date; readonly dnsName?: string; readonly ca?: string };

/**
 * Undefined when a server can use the pair and it meets the expectation, else one sentence that says why not.
 * Names are matched as Go matches them: subject alternative names only. `dnsName` may be an IP address.
 */
export function whyUnusable(pair: KeyPair, expected: Expectation = {}): string | undefined {
  const chain = readCertificates(pair.cert);
  const [leaf] = chain;
  if (leaf === undefined) return `${PART_NAMES.cert} holds no certificate that can be read.`;
  return (
    whyNotOne(pair, leaf) ??
    (expected.at && whyNotAt(leaf, expected.at)) ??
    (expected.dnsName === undefined ? undefined : whyNotFor(leaf, expected.dnsName)) ??
    (expected.ca === undefined ? undefined : whyNotSigned(chain, expected.ca, expected.at))
  );
}

/** The moment after which the (first) certificate of a PEM text is no longer valid. Throws when it cannot be read. */
export function expiresAt(cert: string): Date {
  return new X509Certificate(cert).validToDate;
}

/** True when nobody whose clock agrees with `at` believes the pair any more. */
export function hasExpired({ cert }: Pick<KeyPair, 'cert'>, at: Date): boolean {
  return expiresAt(cert) < at;
}

/** True when a pair has expired and the one whose place it would take has not: perhaps somebody put an old one back. */
export function isStepBack(pair: Pick<KeyPair, 'cert'>, current: Pick<KeyPair, 'cert'>, at: Date): boolean {
  return hasExpired(pair, at) && !hasExpired(current, at);
}

/** Why nobody believes the pair at a moment, for its dates; the same sentence at every such moment. */
export function whyOutdated({ cert }: Pick<KeyPair, 'cert'>, at: Date): string | undefined {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  if (validToDate < at) return `The certificate in ${PART_NAMES.cert} has expired at ${validToDate.toISOString()}.`;
  if (validFromDate <= at) return undefined;
  return `The certificate in ${PART_NAMES.cert} is not valid before ${validFromDate.toISOString()}.`;
}

/** True when every certificate of a PEM text can be read, and there is one. */
export function isCertificateList(pem: string): boolean {
  return readCertificates(pem).length > 0;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a text that can be read, in order; what lies between them, and what cannot be read, is left out. */
export function readableCertificates(pem: string): readonly X509Certificate[] {
  return (pem.match(CERTIFICATE) ?? []).flatMap((block) => readCertificates(block));
}

/** Every certificate of the text, or none when any of them cannot be read: half a file is no file. */
function readCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length !== pem.split('-----BEGIN CERTIFICATE').length - 1) return [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function whyNotOne(pair: KeyPair, leaf: X509Certificate): string | undefined {
  const key = readKey(pair.key);
  if (key === undefined) return `${PART_NAMES.key} holds no private key that can be read.`;
  if (!leaf.checkPrivateKey(key)) {
    return `${PART_NAMES.key} does not belong to the first certificate in ${PART_NAMES.cert}.`;
  }
  try {
    createSecureContext(pair);
    return undefined;
  } catch (error) {
    // What OpenSSL alone knows: a key too short, an algorithm that it was told to refuse.
    const reason = error instanceof Error ? error.message : String(error);
    return `${PART_NAMES.cert} and ${PART_NAMES.key} cannot serve TLS: ${reason}.`;
  }
}

function isValidAt(certificate: X509Certificate, at: Date): boolean {
  return certificate.validFromDate <= at && at <= certificate.validToDate;
}

function whyNotAt(leaf: X509Certificate, at: Date): string | undefined {
  if (isValidAt(leaf, at)) return undefined;
  const [from, to] = [leaf.validFromDate.toISOString(), leaf.validToDate.toISOString()];
  return `The certificate in ${PART_NAMES.cert} is valid from ${from} to ${to}, not at ${at.toISOString()}.`;
}

// RFC 5280 §4.2.1.12: serverAuth, anyExtendedKeyUsage.
const SERVER_USAGES: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.1', '2.5.29.37.0']);

function whyNotFor(leaf: X509Certificate, name: string): string | undefined {
  // Node calls the extended usages keyUsage; a certificate without any is good for all of them.
  const usages: readonly string[] | undefined = leaf.keyUsage;
  if (usages && !usages.some((usage) => SERVER_USAGES.has(usage))) {
    return `The certificate in ${PART_NAMES.cert} is not one for servers.`;
  }
  const options = { subject: 'never', partialWildcards: false } as const;
  const match = isIP(name) === 0 ? leaf.checkHost(name, options) : leaf.checkIP(name);
  return match === undefined ? `The certificate in ${PART_NAMES.cert} is not one for ${name}.` : undefined;
}

function whyNotSigned(chain: readonly X509Certificate[], ca: string, at: Date | undefined): string | undefined {
  const authorities = readCertificates(ca).filter((authority) => at === undefined || isValidAt(authority, at));
  if (authorities.length === 0) return `${PART_NAMES.ca} holds no certificate that can be read and is valid.`;
  for (const [index, certificate] of chain.entries()) {
    if (authorities.some((authority) => signs(authority, certificate))) return undefined;
    const next = chain[index + 1];
    if (next === undefined || !signs(next, certificate)) break;
  }
  return `The certificate in ${PART_NAMES.cert} is not signed by ${PART_NAMES.ca}.`;
}

/** True when `issuer` is a CA whose key has signed the certificate. */
export function signs(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
