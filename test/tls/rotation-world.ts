// A world in which two replicas rotate certificates: a Secret, two webhook configurations, and clocks that disagree.
// Certificates are short texts, so that many worlds can be lived through. Every request waits until the test lets it
// go on, before it reaches the world and once more before its answer arrives, and can be lost at either place.
import { setImmediate as settle } from 'node:timers/promises';
import type { CertificateStore, StoredParts, StoredSecret, TrustHolder } from '../../src/tls/certificate-store.ts';
import { makeRotation } from '../../src/tls/rotate.ts';
import type { Authority, Facts } from '../../src/tls/rotation.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export const CA_LIFE = 10 * HOUR;
export const LEAF_LIFE = 9 * HOUR;
export const SETTLE = 30 * SECOND;

/** A leaf that a replica serves. */
export type Served = { readonly issuer: string; readonly expiresAt: number };

type Versioned<T> = { readonly version: number; readonly value: T };

/** The Secret and the configurations, as an API server keeps them. */
export class World {
  time = 100 * HOUR;
  secret: Versioned<StoredParts> | undefined;
  /** Every bundle that each configuration has had, with the moment from which on; the last one is in force. */
  readonly bundles: Versioned<string>[][] = [[{ version: 0, value: '' }], [{ version: 0, value: '' }]];
  readonly #since = new Map<number, number>([[0, 0]]);
  #made = 0;

  next(): number {
    this.#made += 1;
    this.#since.set(this.#made, this.time);
    return this.#made;
  }

  /** The bundles of a configuration that some API server may believe to be in force. */
  believed(configuration: number): readonly string[] {
    const list = this.bundles[configuration] ?? [];
    return list
      .filter((_, index) => {
        const after = list[index + 1];
        return after === undefined || this.time - (this.#since.get(after.version) ?? 0) < SETTLE;
      })
      .map(({ value }) => value);
  }
}

/** One replica: it takes turns, and may end and begin anew. */
export class Replica {
  served: Served | undefined;
  readonly #world: World;
  readonly #skew: number;
  #gate: { readonly open: () => void; readonly lose: () => void } | undefined;
  #turn: (() => Promise<void>) | undefined;
  #isBusy = false;

  constructor(world: World, skew: number) {
    this.#world = world;
    this.#skew = skew;
  }

  /** Begins a turn, or lets the request that waits go on. */
  async step(): Promise<void> {
    if (!this.#isBusy) this.#begin();
    else this.#gate?.open();
    await settle();
  }

  /** The request that waits fails; whether it reached the world is for nobody to know. */
  async lose(): Promise<void> {
    this.#gate?.lose();
    await settle();
  }

  /** The process ends, wherever it was, and another one takes its place. */
  async crash(): Promise<void> {
    await this.lose();
    this.served = undefined;
    this.#turn = undefined;
  }

  /** Takes a whole turn. */
  async run(): Promise<void> {
    do await this.step();
    while (this.#isBusy);
  }

  #begin(): void {
    this.#isBusy = true;
    this.#turn ??= this.#start();
    this.#turn()
      .catch((error: unknown) => {
        if (!(error instanceof Lost)) throw error;
      })
      .finally(() => {
        this.#isBusy = false;
      });
  }

  #start(): () => Promise<void> {
    const store = this.#store();
    const rotate = makeRotation({
      store,
      // The worst lease there could be: everybody has it.
      lease: { hold: async () => true, isHeld: () => true, release: async () => undefined },
      issuer: makeIssuer(this.#world),
      readFacts,
      settleMs: SETTLE,
      now: () => new Date(this.#world.time + this.#skew),
      elapsed: () => this.#world.time,
      onStep: () => undefined,
    });
    const { signal } = new AbortController();
    return async () => {
      await rotate(signal);
      const parts = (await store.readSecret(signal))?.parts;
      const leaf = parts === undefined ? undefined : leafIn(parts);
      if (leaf !== undefined) this.served = leaf;
    };
  }

  async #pass(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#gate = { open: resolve, lose: () => reject(new Lost()) };
    await promise;
  }

  async #request<T>(act: () => T): Promise<T> {
    await this.#pass();
    const answer = act();
    await this.#pass();
    return answer;
  }

  #store(): CertificateStore {
    const world = this.#world;
    return {
      readSecret: () =>
        this.#request((): StoredSecret | undefined => {
          const { secret } = world;
          return secret && { parts: secret.value, object: { version: secret.version } };
        }),
      writeSecret: (value, before) =>
        this.#request(() => {
          if (world.secret?.version !== before?.object['version']) return false;
          world.secret = { version: world.next(), value };
          return true;
        }),
      readTrust: () =>
        this.#request(() =>
          world.bundles.map((list, index): TrustHolder => {
            const current = list.at(-1);
            return { bundles: [current?.value ?? ''], object: { index, version: current?.version } };
          }),
        ),
      writeTrust: (value, { object }) =>
        this.#request(() => {
          const list = world.bundles[Number(object['index'])] ?? [];
          if (list.at(-1)?.version !== object['version']) return false;
          list.push({ version: world.next(), value });
          return true;
        }),
    };
  }
}

class Lost extends Error {}

/** A CA is a line `CA number renewAt expiresAt`, its key `key number`; a leaf `leaf number renewAt expiresAt`, of the CA. */
function makeIssuer(world: World): Parameters<typeof makeRotation>[0]['issuer'] {
  return {
    async authority(now) {
      const number = world.next();
      return { cert: line('CA', number, now.getTime(), now.getTime() + CA_LIFE), key: `key ${number}` };
    },
    async leaf({ cert }, now) {
      const [, number, , expiresAt] = cert.trim().split(' ').map(Number);
      const end = Math.min(now.getTime() + LEAF_LIFE, expiresAt ?? 0);
      return { cert: line('leaf', number ?? 0, now.getTime(), end), key: 'leaf key' };
    },
  };
}

function line(kind: string, number: number, from: number, to: number): string {
  return `${kind} ${number} ${from + ((to - from) * 2) / 3} ${to}\n`;
}

/** What was read of each bundle: they are asked about after every step. */
const authorities = new Map<string, readonly Authority[]>();

/** The CA certificates in a bundle. */
export function authoritiesIn(text: string): readonly Authority[] {
  const known = authorities.get(text) ?? readAuthorities(text);
  authorities.set(text, known);
  return known;
}

function readAuthorities(text: string): readonly Authority[] {
  return [...text.matchAll(/^CA \d+ (\S+) (\S+)\n/gm)].map(([cert, renewAt, expiresAt]) => ({
    cert,
    renewAt: Number(renewAt),
    expiresAt: Number(expiresAt),
  }));
}

function readFacts(parts: StoredParts | undefined, bundles: readonly string[]): Facts {
  const trusted = authoritiesIn(parts?.ca ?? '');
  const authority = trusted.find(({ cert }) => parts?.caKey === `key ${cert.split(' ')[1]}`);
  const leaf = parts && leafIn(parts);
  return {
    ...(authority && { authority }),
    trusted,
    ...(leaf && { leaf }),
    bundles: bundles.map((text) => ({ text, authorities: authoritiesIn(text) })),
  };
}

function leafIn({ cert, ca }: StoredParts): (Served & { readonly renewAt: number }) | undefined {
  const [, number, renewAt, expiresAt] = /^leaf (\d+) (\S+) (\S+)\n$/.exec(cert) ?? [];
  const issuer = authoritiesIn(ca).find((authority) => authority.cert.startsWith(`CA ${number} `))?.cert;
  return issuer === undefined ? undefined : { issuer, renewAt: Number(renewAt), expiresAt: Number(expiresAt) };
}
