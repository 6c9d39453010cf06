import { CLOCK_SKEW_MS } from './issue.ts';

// What to do next about a CA, a leaf and the trust of the API server, as a function of what is there. Nobody remembers
// anything: a replica that ends between two steps leaves a state from which the next one goes on.

/** A CA certificate, PEM, with the moments (milliseconds) from which it should be replaced and after which it is void. */
export type Authority = { readonly cert: string; readonly renewAt: number; readonly expiresAt: number };

/** The caBundle of one webhook entry: its text, and the CA certificates in it that can be read. */
export type Bundle = { readonly text: string; readonly authorities: readonly Authority[] };

/** The Secret and the webhook configurations as they were found. */
export type Facts = {
  /** The CA whose key the Secret holds; undefined when there is none that could sign. */
  readonly authority?: Authority;
  /** Every CA that the Secret says is to be trusted, `authority` among them. */
  readonly trusted: readonly Authority[];
  /** The serving certificate, if one of `trusted` signed it: which, and when it should be replaced. */
  readonly leaf?: { readonly issuer: string; readonly renewAt: number };
  /** Of every entry of every webhook configuration that exists. */
  readonly bundles: readonly Bundle[];
};

/** Moments of the replica that asks, in milliseconds. */
export type Moment = {
  readonly now: number;
  /** For how long it has seen the authority in every bundle, without a gap. */
  readonly seenMs: number;
  /** How long every API server may take to notice a caBundle. */
  readonly settleMs: number;
};

/** One step; each is safe to repeat, and to lose. */
export type Action =
  /** Put a new CA into the Secret, with the others that stay trusted; the leaf remains. */
  | { readonly do: 'stage'; readonly keep: readonly string[] }
  /** Put these CAs into the Secret in place of those that it trusts: expired ones go, forgotten ones come back. */
  | { readonly do: 'keep'; readonly keep: readonly string[] }
  /** Set this caBundle where another one is. */
  | { readonly do: 'trust'; readonly bundle: string }
  /** Put a leaf of the authority into the Secret, from where every replica takes it. */
  | { readonly do: 'issue' }
  /** A leaf of the authority would not yet be believed everywhere. */
  | { readonly do: 'wait' }
  | { readonly do: 'nothing' };

/** More CAs than this are not taken over from bundles that somebody else wrote. */
const MOST_KEPT = 20;

/**
 * The next step. It keeps one promise, whatever the order in which replicas take their steps: a leaf that has not expired
 * and that a replica has found in the Secret is signed by a CA in every caBundle that the steps have set. A new CA is
 * therefore trusted before it signs, and an old one until it has expired, however late a replica learns of the new leaf.
 */
export function nextAction(facts: Facts, moment: Moment): Action {
  const { authority, leaf, trusted, bundles } = facts;
  const keep = worthKeeping(facts, moment);
  if (authority === undefined || authority.renewAt <= moment.now) return { do: 'stage', keep };
  if (keep.join('') !== textsOf(trusted).join('')) return { do: 'keep', keep };
  // The same CA as before: nobody has to learn anything, and a bundle that cannot be written is no reason to expire.
  const isOfAuthority = leaf?.issuer === authority.cert;
  if (isOfAuthority && leaf.renewAt <= moment.now) return { do: 'issue' };
  const bundle = keep.join('');
  if (bundles.some(({ text }) => text !== bundle)) return { do: 'trust', bundle };
  if (isOfAuthority) return { do: 'nothing' };
  // Where no other CA was trusted, no leaf was believed that could be lost.
  const isBelieved = moment.seenMs >= moment.settleMs || keep.length === 1;
  return isBelieved ? { do: 'issue' } : { do: 'wait' };
}

/**
 * The CAs by which a replica may be believed at this moment. A Secret without a key that fits, or without a leaf, may be
 * new or have lost more: what was trusted before it is in the bundles.
 */
function worthKeeping(facts: Facts, { now }: Moment): readonly string[] {
  const known = isWhole(facts)
    ? facts.trusted
    : [...facts.trusted, ...facts.bundles.flatMap(({ authorities }) => authorities)];
  return textsOf(known.filter(({ expiresAt }) => now <= expiresAt + CLOCK_SKEW_MS)).slice(0, MOST_KEPT);
}

/** Whether the Secret tells by itself which CAs are in use, so that bundles need not be asked. */
export function isWhole({ authority, leaf }: Pick<Facts, 'authority' | 'leaf'>): boolean {
  return authority !== undefined && leaf !== undefined;
}

/** Whether every bundle names the CA that signs, so that time spent so counts as `seenMs`. */
export function isSeenEverywhere({ authority, bundles }: Facts): boolean {
  return bundles.every(({ authorities }) => authorities.some(({ cert }) => cert === authority?.cert));
}

function textsOf(authorities: readonly Authority[]): string[] {
  return [...new Set(authorities.map(({ cert }) => cert))];
}
