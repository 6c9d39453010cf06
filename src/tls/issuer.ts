import { issueAuthority, issueServerCertificate, lasting, lastingUntil } from './issue.ts';
import type { Issuer } from './rotate.ts';
import { expiresAt } from './validity.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What certificates are for, and how long they last, in milliseconds. */
export type IssuerOptions = { readonly names: readonly string[]; readonly certMs: number; readonly caMs: number };

/** Makes CAs and leaves of the product's own names; a leaf never outlives its CA. */
export function issuerOf({ names, certMs, caMs }: IssuerOptions): Issuer {
  return {
    authority: (now) => issueAuthority('scrapeguard CA', lasting(now, caMs / DAY_MS)),
    leaf(authority, now) {
      const end = Math.min(now.getTime() + certMs, expiresAt(authority.cert).getTime());
      const subject = { commonName: 'scrapeguard', names };
      return issueServerCertificate(authority, subject, lastingUntil(now, new Date(end)));
    },
  };
}
