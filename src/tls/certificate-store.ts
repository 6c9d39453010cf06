import type { JsonObject } from '../kube/json.ts';
import type { KeyPair } from './source.ts';

/** The texts of the Secret; empty where it has none. `ca` holds every CA to be trusted, `caKey` the key of one of them. */
export type StoredParts = KeyPair & { readonly ca: string; readonly caKey: string };

/** The Secret as it was read; `object` says which version that was. */
export type StoredSecret = { readonly parts: StoredParts; readonly object: JsonObject };

/** A webhook configuration as it was read, with the caBundle of each of its entries, PEM. */
export type TrustHolder = { readonly bundles: readonly string[]; readonly object: JsonObject };

/**
 * Where certificates are kept and who trusts them. Reads see every write that ended before they began. A write that
 * resolves to false was not done, because somebody else had written since the version at hand was read.
 */
export type CertificateStore = {
  readonly readSecret: (signal: AbortSignal) => Promise<StoredSecret | undefined>;
  /** With `before` undefined the Secret is made, unless there is one. */
  readonly writeSecret: (parts: StoredParts, before: StoredSecret | undefined, signal: AbortSignal) => Promise<boolean>;
  /** The configurations that exist. */
  readonly readTrust: (signal: AbortSignal) => Promise<readonly TrustHolder[]>;
  readonly writeTrust: (bundle: string, before: TrustHolder, signal: AbortSignal) => Promise<boolean>;
};

/** The right to write, which one replica has at a time. */
export type Lease = {
  /** Takes or renews it; false when another replica has it. */
  readonly hold: (signal: AbortSignal) => Promise<boolean>;
  /** Whether it can still be counted on, by our own clock. */
  readonly isHeld: () => boolean;
  /** Lets another replica have it at once. */
  readonly release: (signal: AbortSignal) => Promise<void>;
};
