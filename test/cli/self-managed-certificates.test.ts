import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';

import { certificateStore } from '../../src/cli/certificate-store.ts';
import { ApiError } from '../../src/cluster/api-client.ts';
import { makeLease } from '../../src/cluster/lease.ts';
import { asList, asObject, asString, type JsonObject } from '../../src/kube/json.ts';
import { issuerOf } from '../../src/tls/issuer.ts';
import { selfManagedSource, type SelfManagedCertificates } from '../../src/tls/self-managed.ts';
import { factsOf } from '../../src/tls/stored-facts.ts';
import { readableCertificates, whyUnusable } from '../../src/tls/validity.ts';
import { makeObjectStore, type ObjectStore } from '../support/object-store.ts';

// The whole of it but the network: what `serve --cert-secret` puts together, on an API server in memory.

const SECRET = '/api/v1/namespaces/n/secrets/s';
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/n/leases/s';
const GROUP = '/apis/admissionregistration.k8s.io/v1';
const VALIDATING = `${GROUP}/validatingwebhookconfigurations/scrapeguard`;
const MUTATING = `${GROUP}/mutatingwebhookconfigurations/scrapeguard`;
const NAMES = ['scrapeguard.n.svc', '10.0.0.1'];

const HOUR = 3_600_000;
const [LEAF, CA, SETTLE] = [24 * HOUR, 72 * HOUR, 30_000];

type Waits = Pick<Parameters<typeof selfManagedSource>[0], 'startMs' | 'patienceMs' | 'stopped'>;

class World {
  readonly store: ObjectStore = makeObjectStore();
  readonly problems: string[] = [];
  readonly steps: string[] = [];
  #elapsed = 0;
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    for (const [path, kind] of [
      [VALIDATING, 'ValidatingWebhookConfiguration'],
      [MUTATING, 'MutatingWebhookConfiguration'],
    ] as const) {
      const webhooks = ['a', 'b'].map((name) => ({ name, clientConfig: { service: { name }, kept: 1 }, kept: 2 }));
      this.store.put(path, { kind, kept: 3, metadata: { name: 'scrapeguard' }, webhooks });
    }
  }

  now(): Date {
    return new Date(Date.parse('2026-01-01T00:00:00Z') + this.#elapsed);
  }

  pass(milliseconds: number): void {
    this.#elapsed += milliseconds;
  }

  async replica(name: string, waits: Partial<Waits> = {}): Promise<SelfManagedCertificates> {
    const { store } = this;
    const elapsed = (): number => this.#elapsed;
    const now = (): Date => this.now();
    const certificates = await selfManagedSource({
      store: certificateStore(store.client, { namespace: 'n', name: 's', creator: name }),
      lease: makeLease(store.client, { namespace: 'n', name: 's', identity: name, seconds: 30, now, elapsed }),
      issuer: issuerOf({ names: NAMES, certMs: LEAF, caMs: CA }),
      readFacts: (parts, bundles) => factsOf(parts, bundles, NAMES),
      settleMs: SETTLE,
      intervalMs: 2 ** 31 - 1,
      startMs: 0,
      patienceMs: 0,
      stopped: new AbortController().signal,
      ...waits,
      now,
      elapsed,
      isHopeless: (error) => error instanceof ApiError && error.status === 403,
      onStep: (step) => this.steps.push(step),
      onProblem: (sentence) => this.problems.push(sentence),
    });
    this.#t.after(() => certificates.stop());
    return certificates;
  }

  secret(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(asObject(this.store.get(SECRET)?.['data'])).map(([key, value]) => [key, decode(value)]),
    );
  }

  /** The texts of every entry's caBundle. */
  bundles(): readonly string[] {
    return [VALIDATING, MUTATING].flatMap((path) =>
      asList(this.store.get(path)?.['webhooks']).map((webhook) =>
        decode(asObject(asObject(webhook)['clientConfig'])['caBundle']),
      ),
    );
  }

  /** Every bundle is the Secret's CAs, and so many. */
  assertTrusted(authorities: number): void {
    const { 'ca.crt': ca = '' } = this.secret();
    assert.equal(readableCertificates(ca).length, authorities);
    assert.deepEqual(new Set(this.bundles()), new Set([ca]));
  }
}

function decode(value: unknown): string {
  return Buffer.from(asString(value) ?? '', 'base64').toString();
}

function assertServes(world: World, { current }: SelfManagedCertificates): void {
  for (const bundle of world.bundles()) {
    const problems = NAMES.map((dnsName) => whyUnusable(current, { at: world.now(), ca: bundle, dnsName }));
    assert.deepEqual(problems, [undefined, undefined]);
  }
}

describe('a certificate that is kept in a Secret', () => {
  it('is made and trusted at once where there was nothing, and everything else stays as it was', async (t) => {
    const world = new World(t);
    const a = await world.replica('a');
    assertServes(world, a);
    world.assertTrusted(1);
    assert.deepEqual(world.steps, ['stage', 'trust', 'issue']);
    const secret: JsonObject = world.store.get(SECRET) ?? {};
    assert.equal(secret['type'], 'kubernetes.io/tls');
    assert.deepEqual(Object.keys(world.secret()).sort(), ['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    const configuration: JsonObject = world.store.get(VALIDATING) ?? {};
    const caBundle = Buffer.from(world.bundles()[0] ?? '').toString('base64');
    assert.deepEqual(asList(configuration['webhooks']), [
      { name: 'a', clientConfig: { service: { name: 'a' }, kept: 1, caBundle }, kept: 2 },
      { name: 'b', clientConfig: { service: { name: 'b' }, kept: 1, caBundle }, kept: 2 },
    ]);
    assert.equal(configuration['kept'], 3);
  });

  it('is the same for another replica, which writes nothing', async (t) => {
    const world = new World(t);
    const a = await world.replica('a');
    const before = world.store.requests.length;
    const b = await world.replica('b');
    assert.deepEqual(b.current, a.current);
    assert.deepEqual(world.store.requests.slice(before), [`GET ${LEASE}`, `GET ${SECRET}`]);
  });

  it('is renewed at two thirds of its life, and picked up by the other', async (t) => {
    const world = new World(t);
    const [a, b] = [await world.replica('a'), await world.replica('b')];
    const { cert } = a.current;
    world.pass((LEAF * 2) / 3 - 1000);
    await a.check();
    assert.equal(a.current.cert, cert);
    world.pass(1000);
    await a.check();
    await b.check();
    assert.notEqual(a.current.cert, cert);
    assert.deepEqual(b.current, a.current);
    world.assertTrusted(1);
    assert.equal(new Set([cert, a.current.cert].map((pem) => new X509Certificate(pem).serialNumber)).size, 2);
  });

  it('gets another CA at two thirds of the CA’s life: trusted, waited for, used; the old one stays until it is over', async (t) => {
    const world = new World(t);
    const a = await world.replica('a');
    world.pass((CA * 2) / 3);
    const { ca } = a.current;
    await a.check();
    world.assertTrusted(2);
    world.pass(SETTLE - 1);
    await a.check();
    assert.equal(whyUnusable(a.current, { ca: ca ?? '' }), undefined, 'still the old CA');
    world.pass(1);
    await a.check();
    assert.match(whyUnusable(a.current, { ca: ca ?? '' }) ?? '', /is not signed by/);
    assertServes(world, a);
    world.pass(CA / 3 + 2 * HOUR);
    await a.check();
    world.assertTrusted(1);
    assertServes(world, a);
  });

  it('goes on where another replica has ended, after its lease', async (t) => {
    const world = new World(t);
    await world.replica('a');
    const b = await world.replica('b');
    world.pass((LEAF * 2) / 3);
    await b.check();
    world.pass(30_000);
    await b.check();
    assert.equal(world.steps.at(-1), 'issue');
    assertServes(world, b);
  });

  it('goes on at once where another replica was closed', async (t) => {
    const world = new World(t);
    const [a, b] = [await world.replica('a'), await world.replica('b')];
    await a.close();
    world.pass((LEAF * 2) / 3);
    await b.check();
    assert.equal(asObject(world.store.get(LEASE)?.['spec'])['holderIdentity'], 'b');
    assert.equal(world.steps.at(-1), 'issue');
  });

  it('is made anew when the Secret is deleted, without a moment in which what is served is not trusted', async (t) => {
    const world = new World(t);
    const [a, b] = [await world.replica('a'), await world.replica('b')];
    const old = a.current;
    world.store.remove(SECRET);
    for (let turn = 0; turn < 3; turn += 1) {
      for (const replica of [a, b]) {
        await replica.check();
        assertServes(world, replica);
      }
      world.pass(SETTLE / 2);
    }
    await a.check();
    await b.check();
    assert.notEqual(a.current.key, old.key);
    assert.deepEqual(b.current, a.current);
    assertServes(world, b);
    world.assertTrusted(2);
  });

  const DAMAGE: readonly (readonly [name: string, data: JsonObject])[] = [
    ['no data', {}],
    ['garbage in every key', { 'tls.crt': 'AAAA', 'tls.key': 'AAAA', 'ca.crt': 'AAAA', 'ca.key': 'AAAA' }],
    ['things that are no texts', { 'tls.crt': 7, 'ca.crt': [], 'ca.key': null, __proto__: 'AAAA' }],
  ];
  for (const [name, data] of DAMAGE) {
    it(`is repaired when the Secret holds ${name}`, async (t) => {
      const world = new World(t);
      const a = await world.replica('a');
      world.store.put(SECRET, { metadata: { name: 's', labels: { kept: 'yes' } }, type: 'Opaque', data });
      for (let turn = 0; turn < 3; turn += 1) {
        await a.check();
        assertServes(world, a);
        world.pass(SETTLE);
      }
      world.assertTrusted(2);
      assert.equal(asObject(asObject(world.store.get(SECRET)?.['metadata'])['labels'])['kept'], 'yes');
      assert.equal(
        whyUnusable({ cert: world.secret()['tls.crt'] ?? '', key: world.secret()['tls.key'] ?? '' }),
        undefined,
      );
      assert.deepEqual(world.problems, []);
    });
  }

  it('is not taken from a Secret in which somebody put a pair that nobody trusts', async (t) => {
    const world = new World(t);
    const a = await world.replica('a');
    const other = new World(t);
    const stranger = (await other.replica('x')).current;
    const encoded = (text: string): string => Buffer.from(text).toString('base64');
    const object: JsonObject = world.store.get(SECRET) ?? {};
    const pair = { 'tls.crt': encoded(stranger.cert), 'tls.key': encoded(stranger.key) };
    world.store.put(SECRET, { ...object, data: { ...asObject(object['data']), ...pair } });
    await assert.rejects(world.replica('b'), /another replica has the lease/);
    await a.check();
    assertServes(world, a);
    assert.notEqual(world.secret()['tls.crt'], stranger.cert);
  });

  it('is not taken from a Secret in which somebody put one that has expired, unless its own has, too', async (t) => {
    const world = new World(t);
    const [a, b] = [await world.replica('a'), await world.replica('b')];
    const old = structuredClone(world.store.get(SECRET) ?? {});
    const first = b.current;
    world.pass((LEAF * 2) / 3);
    await a.check();
    await b.check();
    const renewed = b.current;
    assert.notDeepEqual(renewed, first);
    world.store.put(SECRET, old);
    world.pass(LEAF / 3 + 1);
    world.store.put(LEASE, { spec: { holderIdentity: 'somebody who is alive and does nothing' } });
    await b.check();
    assert.deepEqual(b.current, renewed);
    world.pass(LEAF);
    world.store.put(LEASE, { spec: { holderIdentity: 'somebody else who does nothing' } });
    await b.check();
    assert.deepEqual(b.current, first);
  });

  it('repairs a caBundle that somebody edited, and sets one in a configuration that appears later', async (t) => {
    const world = new World(t);
    const mutating: JsonObject = world.store.get(MUTATING) ?? {};
    world.store.remove(MUTATING);
    const a = await world.replica('a');
    world.store.put(MUTATING, mutating);
    world.store.put(VALIDATING, {
      ...world.store.get(VALIDATING),
      webhooks: [{ clientConfig: { caBundle: 'AAAA' } }, 7],
    });
    await a.check();
    world.assertTrusted(1);
    assertServes(world, a);
  });

  it('does again what somebody else was faster at', async (t) => {
    const world = new World(t);
    world.store.beforeWrite(() => world.store.put(SECRET, { metadata: { name: 's' }, data: {} }));
    const a = await world.replica('a');
    world.store.put(VALIDATING, { ...world.store.get(VALIDATING), webhooks: [{ clientConfig: {} }] });
    // Two writes: the lease, then the configuration.
    world.store.beforeWrite(() =>
      world.store.beforeWrite(() => world.store.put(VALIDATING, { ...world.store.get(VALIDATING), changed: 1 })),
    );
    await a.check();
    assert.equal(world.store.get(VALIDATING)?.['changed'], 1);
    world.assertTrusted(1);
  });

  it('is replaced at the start when it has expired, its CA too', async (t) => {
    const world = new World(t);
    await (await world.replica('a')).close();
    world.pass(LEAF + 1);
    const b = await world.replica('b');
    assertServes(world, b);
    world.assertTrusted(1);
    await b.close();
    world.pass(10 * CA);
    assertServes(world, await world.replica('c'));
    world.assertTrusted(1);
  });
});

describe('an API server that refuses', () => {
  const forbidden = new ApiError(403, 'secrets "s" is forbidden: User "u" cannot get resource "secrets"');

  it('ends the start at once, with what it said', async (t) => {
    const world = new World(t);
    world.store.refuse(() => forbidden);
    await assert.rejects(world.replica('a'), { message: `There is no certificate: ${forbidden.message}` });
  });

  it('is waited out for a while at the start', async (t) => {
    const world = new World(t);
    let refusals = 0;
    world.store.refuse(() => {
      refusals += 1;
      return refusals <= 4 ? forbidden : undefined;
    });
    assertServes(world, await world.replica('a', { startMs: 1, patienceMs: 1 }));
    assert.ok(refusals > 4);
  });

  it('is not waited out by a process that is to end', async (t) => {
    const world = new World(t);
    world.store.refuse(() => forbidden);
    const waits = { startMs: 1, patienceMs: 1, stopped: AbortSignal.abort() };
    await assert.rejects(world.replica('a', waits), /There is no certificate/);
  });

  it('leaves a replica that can read the pair with it', async (t) => {
    const world = new World(t);
    const a = await world.replica('a');
    world.store.refuse(({ path }) => (path.startsWith(SECRET) ? undefined : forbidden));
    assert.deepEqual((await world.replica('b')).current, a.current);
  });

  it('is told of once, and again after it was well; the pair stays', async (t) => {
    const world = new World(t);
    const a = await world.replica('a');
    const { current } = a;
    for (const refusal of [() => forbidden, undefined, () => forbidden]) {
      world.store.refuse(refusal);
      await a.check();
      await a.check();
    }
    assert.deepEqual(world.problems, [forbidden.message, forbidden.message]);
    assert.deepEqual(a.current, current);
  });

  it('is told of with its cause, and never with a key', async (t) => {
    const world = new World(t);
    const a = await world.replica('a');
    world.store.refuse(() => new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }));
    await a.check();
    assert.deepEqual(world.problems, ['fetch failed: connect ECONNREFUSED']);
    assert.equal(
      world.problems.some((text) => text.includes('PRIVATE')),
      false,
    );
  });

  it('is told of when the pair at hand expires meanwhile', async (t) => {
    const world = new World(t);
    const [, b] = [await world.replica('a'), await world.replica('b')];
    world.pass(LEAF + 1);
    world.store.put(LEASE, { spec: { holderIdentity: 'somebody who is alive and does nothing' } });
    await b.check();
    world.pass(1_000);
    await b.check();
    assert.deepEqual(world.problems, ['The certificate in tls.crt has expired at 2026-01-02T00:00:00.000Z.']);
  });
});
