import type { CertificateStore, Lease, StoredParts, StoredSecret, TrustHolder } from './certificate-store.ts';
import { isSeenEverywhere, isWhole, nextAction, type Action, type Facts } from './rotation.ts';
import type { KeyPair } from './source.ts';

/** Makes certificates that last as long as was asked for. */
export type Issuer = {
  readonly authority: (now: Date) => Promise<KeyPair>;
  readonly leaf: (authority: KeyPair, now: Date) => Promise<KeyPair>;
};

/** What rotation is made of; it has no clock and no network of its own. */
export type RotationParts = {
  readonly store: CertificateStore;
  readonly lease: Lease;
  readonly issuer: Issuer;
  readonly readFacts: (parts: StoredParts | undefined, bundles: readonly string[]) => Facts;
  /** How long every API server may take to notice a caBundle, in milliseconds. */
  readonly settleMs: number;
  readonly now: () => Date;
  /** Milliseconds on a clock that nobody sets. */
  readonly elapsed: () => number;
  /** Hears of each step that was taken. */
  readonly onStep: (step: Action['do']) => void;
};

/** More steps than this wait for the next turn; a turn from nothing to a served leaf takes four. */
const MOST_STEPS = 10;

const EMPTY: StoredParts = { cert: '', key: '', ca: '', caKey: '' };

type Found = {
  readonly secret: StoredSecret | undefined;
  readonly trust: readonly TrustHolder[];
  readonly facts: Facts;
};

/**
 * A function that takes every step that can be taken now, if this replica has the lease. A lost race is looked at again.
 * It rejects with what the store rejects with; whatever it had done by then is what the next call goes on from.
 */
export function makeRotation(parts: RotationParts): (signal: AbortSignal) => Promise<void> {
  const { lease, settleMs, now, elapsed } = parts;
  let seen: { readonly cert: string; readonly since: number } | undefined;

  const seenMs = ({ facts }: Found): number => {
    const { authority } = facts;
    if (authority === undefined || !isSeenEverywhere(facts)) seen = undefined;
    else if (seen?.cert !== authority.cert) seen = { cert: authority.cert, since: elapsed() };
    return seen === undefined ? 0 : elapsed() - seen.since;
  };

  return async (signal) => {
    if (!(await lease.hold(signal))) {
      seen = undefined;
      return;
    }
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const found = await look(parts, signal);
      const action = nextAction(found.facts, { now: now().getTime(), seenMs: seenMs(found), settleMs });
      if (action.do === 'nothing' || action.do === 'wait') return;
      const write = await prepare(action, found, parts);
      // After a pause of the process the lease may be another's. Should that happen after this line, versions tell.
      if (!lease.isHeld()) return;
      if (await write(signal)) parts.onStep(action.do);
    }
  };
}

/**
 * The configurations are read before the Secret, so that no bundle is set that lacks a CA which the Secret got, and
 * somebody else set, meanwhile. Where CAs must be taken over from them, it is the other way round for the same reason.
 */
async function look({ store, readFacts }: RotationParts, signal: AbortSignal): Promise<Found> {
  const before = await store.readTrust(signal);
  const secret = await store.readSecret(signal);
  const facts = readFacts(secret?.parts, bundlesOf(before));
  if (isWhole(facts)) return { secret, trust: before, facts };
  const trust = await store.readTrust(signal);
  return { secret, trust, facts: readFacts(secret?.parts, bundlesOf(trust)) };
}

function bundlesOf(trust: readonly TrustHolder[]): readonly string[] {
  return trust.flatMap(({ bundles }) => bundles);
}

type Write = (signal: AbortSignal) => Promise<boolean>;

/** Makes what an action needs; the result writes it. */
async function prepare(
  action: Exclude<Action, { readonly do: 'nothing' | 'wait' }>,
  { secret, trust, facts }: Found,
  { store, issuer, now }: RotationParts,
): Promise<Write> {
  const old = secret?.parts ?? EMPTY;
  const put =
    (parts: StoredParts): Write =>
    (signal) =>
      store.writeSecret(parts, secret, signal);
  switch (action.do) {
    case 'stage': {
      const { cert, key } = await issuer.authority(now());
      return put({ ...old, ca: [cert, ...action.keep].join(''), caKey: key });
    }
    case 'keep':
      return put({ ...old, ca: action.keep.join('') });
    case 'issue': {
      const authority = { cert: facts.authority?.cert ?? '', key: old.caKey };
      return put({ ...old, ...(await issuer.leaf(authority, now())) });
    }
    case 'trust':
      return (signal) => setEverywhere(store, { trust, bundle: action.bundle }, signal);
  }
}

/** True when every configuration has the bundle; stops at the first that somebody else was writing. */
async function setEverywhere(
  store: CertificateStore,
  { trust, bundle }: { readonly trust: readonly TrustHolder[]; readonly bundle: string },
  signal: AbortSignal,
): Promise<boolean> {
  for (const holder of trust) {
    if (holder.bundles.every((text) => text === bundle)) continue;
    if (!(await store.writeTrust(bundle, holder, signal))) return false;
  }
  return true;
}
