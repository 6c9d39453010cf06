import type { SecureContextOptions, Server } from 'node:tls';
import type { CertificateSource } from './source.ts';

/** What stays the same when the certificate changes: `ca` (whose client certificates are believed), `minVersion`, ciphers. */
export type FixedOptions = Omit<SecureContextOptions, 'cert' | 'key' | 'pfx'>;

/** The TLS options of a listener over this source, for `https.createServer` or fastify's `https`. */
export function listenerOptions(source: CertificateSource, fixed: FixedOptions = {}): SecureContextOptions {
  // The source's own `ca` is left out on purpose: who signs us does not vouch for our clients.
  return { ...fixed, cert: source.current.cert, key: source.current.key };
}

/**
 * Keeps a live listener on the source's current pair: new connections get it, open ones go on undisturbed.
 * `fixed` must be what the listener was made with, since a new context forgets whatever it is not given.
 */
export function followSource(server: Server, source: CertificateSource, fixed: FixedOptions = {}): void {
  const apply = (): void => server.setSecureContext(listenerOptions(source, fixed));
  source.onChange(apply);
  // Whatever changed between the making of the listener and this line.
  apply();
}
