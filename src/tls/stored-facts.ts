import { createPrivateKey, type X509Certificate } from 'node:crypto';

import type { StoredParts } from './certificate-store.ts';
import { CLOCK_SKEW_MS } from './issue.ts';
import type { Authority, Bundle, Facts } from './rotation.ts';
import { readableCertificates, signs, whyUnusable } from './validity.ts';

/**
 * What the texts of a Secret and of caBundles amount to. Never throws: whatever cannot be read is as if it were not
 * there. A leaf that is not one for all of `names` is due at once.
 */
export function factsOf(parts: StoredParts | undefined, bundles: readonly string[], names: readonly string[]): Facts {
  const trusted = authoritiesIn(parts?.ca ?? '');
  const authority = trusted.find(({ certificate }) => parts !== undefined && fits(certificate, parts.caKey));
  const leaf = parts && leafOf(parts, trusted, names);
  return {
    ...(authority === undefined ? {} : { authority }),
    trusted,
    ...(leaf === undefined ? {} : { leaf }),
    bundles: bundles.map((text): Bundle => ({ text, authorities: authoritiesIn(text) })),
  };
}

/** The moment (milliseconds) at which two thirds of a certificate's life are over. */
export function renewalOf({ validFromDate, validToDate }: X509Certificate): number {
  const made = validFromDate.getTime() + CLOCK_SKEW_MS;
  return made + ((validToDate.getTime() - made) * 2) / 3;
}

type Read = Authority & { readonly certificate: X509Certificate };

function authoritiesIn(pem: string): readonly Read[] {
  return readableCertificates(pem)
    .filter(({ ca }) => ca)
    .map((certificate) => ({
      certificate,
      cert: certificate.toString(),
      renewAt: renewalOf(certificate),
      expiresAt: certificate.validToDate.getTime(),
    }));
}

function fits(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    // Whatever it is, it is no private key.
    return false;
  }
}

function leafOf(parts: StoredParts, trusted: readonly Read[], names: readonly string[]): Facts['leaf'] {
  const [leaf] = readableCertificates(parts.cert);
  if (leaf === undefined || whyUnusable(parts) !== undefined) return undefined;
  const issuer = trusted.find(({ certificate }) => signs(certificate, leaf))?.cert;
  if (issuer === undefined) return undefined;
  const isForAll = names.every((dnsName) => whyUnusable(parts, { dnsName }) === undefined);
  return { issuer, renewAt: isForAll ? renewalOf(leaf) : 0 };
}
