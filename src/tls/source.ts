// What every way of getting a certificate has in common: the server knows this shape and nothing of files, Secrets or clocks.

/** The names of the three parts, as kubernetes.io/tls Secrets and cert-manager spell them; sentences about a pair use them too. */
export const PART_NAMES = { cert: 'tls.crt', key: 'tls.key', ca: 'ca.crt' } as const;

/** A certificate (leaf first, then its intermediates) and its private key, both PEM. */
export type KeyPair = { readonly cert: string; readonly key: string };

/** A pair with the CA certificates, PEM, that a client should trust to reach us; absent when we were not told. */
export type ServingPair = KeyPair & { readonly ca?: string };

/** Where the serving certificate comes from: `current` is always usable, and `onChange` listeners hear of each later pair. */
export type CertificateSource = {
  readonly current: ServingPair;
  readonly onChange: (listener: (pair: ServingPair) => void) => void;
  /** Ends all watching; no listener is called afterwards. */
  readonly stop: () => void;
};

/** A source without any watching of its own: whoever holds `replace` decides when the pair changes. */
export function holdPair(initial: ServingPair): {
  readonly source: CertificateSource;
  readonly replace: (pair: ServingPair) => void;
} {
  let current = initial;
  let listeners: readonly ((pair: ServingPair) => void)[] = [];
  let stopped = false;
  return {
    source: {
      get current() {
        return current;
      },
      onChange(listener) {
        listeners = [...listeners, listener];
      },
      stop() {
        stopped = true;
      },
    },
    replace(pair) {
      if (stopped) return;
      current = pair;
      for (const listener of listeners) listener(pair);
    },
  };
}
