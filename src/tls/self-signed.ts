import { issueAuthority, issueServerCertificate, lasting } from './issue.ts';
import { holdPair, type CertificateSource } from './source.ts';

const LOCAL_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1'];

// macOS refuses a server certificate of more than 825 days; the clock skew is part of them.
const DAYS = 824;

/** A source that never changes: a CA and a leaf for this machine's own names and the given ones, made at `now`, in memory only. */
export async function selfSignedSource(names: readonly string[], now: Date): Promise<CertificateSource> {
  const validity = lasting(now, DAYS);
  const authority = await issueAuthority('scrapeguard self-signed CA', validity);
  const server = { commonName: 'scrapeguard', names: [...LOCAL_NAMES, ...names] };
  const pair = await issueServerCertificate(authority, server, validity);
  return holdPair({ ...pair, ca: authority.cert }).source;
}
