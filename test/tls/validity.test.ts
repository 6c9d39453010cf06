import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import * as fc from 'fast-check';
import { issueAuthority, issueServerCertificate } from '../../src/tls/issue.ts';
import type { KeyPair } from '../../src/tls/source.ts';
import { expiresAt, isCertificateList, whyUnusable, type Expectation } from '../../src/tls/validity.ts';
import { makeAuthority, makeClientPair } from '../support/certificates.ts';

const days = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2026-01-11T00:00:00Z') };
const during = new Date('2026-01-05T00:00:00Z');
const years = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2040-01-01T00:00:00Z') };

const root = await issueAuthority('root', years);
const namesake = await issueAuthority('root', years);
const shortRoot = await issueAuthority('short', { ...years, notAfter: new Date('2026-01-03T00:00:00Z') });
const names = ['hook.scrapeguard-system.svc', '*.example.test', '10.0.0.1', '::1'];
const pair = await issueServerCertificate(root, { commonName: 'common.test', names }, days);
const other = await issueServerCertificate(root, { commonName: 'other', names: ['other'] }, days);
const early = await issueServerCertificate(shortRoot, { commonName: 'early', names: ['early'] }, days);
const client = await makeClientPair(root, 'jane');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const encrypted = createPrivateKey(pair.key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString();
const sec1 = createPrivateKey(pair.key).export({ type: 'sec1', format: 'pem' }).toString();
const half = pair.cert.slice(0, pair.cert.length / 2);

/** What our own issuer would not make: a certificate with only the extensions given, self-signed without an issuer. */
async function certify(
  subject: string,
  key: string,
  issuer: KeyPair | undefined,
  ...extensions: readonly x509.Extension[]
): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    ...years,
    subject,
    issuer: issuer ? new x509.X509Certificate(issuer.cert).subjectName : subject,
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }),
    signingKey: createPrivateKey(issuer?.key ?? key).toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
    ]),
    extensions: [...extensions],
  });
  return `${certificate.toString('pem')}\n`;
}
const isAuthority = new x509.BasicConstraintsExtension(true, undefined, true);

const middle = await issueAuthority('middle', years);
const middleByRoot = await certify('CN=middle', middle.key, root, isAuthority);
const leafOfMiddle = await issueServerCertificate(middle, { commonName: 'leaf', names: ['leaf'] }, days);
const chained = { ...leafOfMiddle, cert: leafOfMiddle.cert + middleByRoot };
const leafOfNamesake = await issueServerCertificate(namesake, { commonName: 'leaf', names: ['leaf'] }, days);
const brokenChain = { ...leafOfNamesake, cert: leafOfNamesake.cert + middleByRoot };
const rootByName = await certify('CN=root', namesake.key, undefined, isAuthority);
const bare = { cert: await certify('CN=bare', namesake.key, undefined), key: namesake.key };
const leafOfBare = await issueServerCertificate(bare, { commonName: 'leaf', names: ['leaf'] }, days);

/** A pair that can be read and belongs together, with a key that no TLS client would accept. */
async function withShortKey(): Promise<KeyPair> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const name = 'CN=short';
  const certificate = await x509.X509CertificateGenerator.create({
    ...days,
    subject: name,
    issuer: name,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    signingKey: privateKey.toCryptoKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign']),
  });
  return { cert: certificate.toString('pem'), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
const wrongDate = (at: string): string =>
  `The certificate in tls.crt is valid from 2026-01-01T00:00:00.000Z to 2026-01-11T00:00:00.000Z, not at ${at}.`;
const notFor = (name: string): string => `The certificate in tls.crt is not one for ${name}.`;
const noCert = 'tls.crt holds no certificate that can be read.';
const noKey = 'tls.key holds no private key that can be read.';
const foreignKey = 'tls.key does not belong to the first certificate in tls.crt.';
const notSigned = 'The certificate in tls.crt is not signed by ca.crt.';
const noAuthority = 'ca.crt holds no certificate that can be read and is valid.';
const notServer = 'The certificate in tls.crt is not one for servers.';

type Row = readonly [name: string, pair: KeyPair, expected: Expectation, why: string | undefined];
const ROWS: readonly Row[] = [
  ['nothing asked', pair, {}, undefined],
  ['everything asked', pair, { at: during, dnsName: names[0] ?? '', ca: root.cert }, undefined],

  ['no text', { ...pair, cert: '' }, {}, noCert],
  ['another text', { ...pair, cert: 'hello' }, {}, noCert],
  ['half a certificate', { ...pair, cert: half }, {}, noCert],
  ['a good one, then half a one', { ...pair, cert: pair.cert + half }, {}, noCert],
  ['text around the certificate', { ...pair, cert: `subject: x\n${pair.cert}\nend` }, {}, undefined],
  ['the key in the same file', { ...pair, cert: pair.cert + pair.key }, {}, undefined],
  ['CRLF', { cert: pair.cert.replaceAll('\n', '\r\n'), key: pair.key.replaceAll('\n', '\r\n') }, {}, undefined],

  ['no key', { ...pair, key: '' }, {}, noKey],
  ['half a key', { ...pair, key: pair.key.slice(0, 100) }, {}, noKey],
  ['a key under a passphrase', { ...pair, key: encrypted }, {}, noKey],
  ['a certificate for a key', { ...pair, key: pair.cert }, {}, noKey],
  ['another key', { ...pair, key: other.key }, {}, foreignKey],
  ['a key of another type', { ...pair, key: rsa }, {}, foreignKey],
  ['the CA first, then the leaf', { ...pair, cert: root.cert + pair.cert }, {}, foreignKey],
  ['the key as SEC1', { ...pair, key: sec1 }, {}, undefined],

  ['the first second', pair, { at: days.notBefore }, undefined],
  ['the second before', pair, { at: new Date('2025-12-31T23:59:59Z') }, wrongDate('2025-12-31T23:59:59.000Z')],
  ['the last second', pair, { at: days.notAfter }, undefined],
  ['the second after', pair, { at: new Date('2026-01-11T00:00:01Z') }, wrongDate('2026-01-11T00:00:01.000Z')],

  ['one label for the star', pair, { dnsName: 'a.example.test' }, undefined],
  ['two labels for the star', pair, { dnsName: 'b.a.example.test' }, notFor('b.a.example.test')],
  ['none for the star', pair, { dnsName: 'example.test' }, notFor('example.test')],
  ['another name', pair, { dnsName: 'hook' }, notFor('hook')],
  ['the common name is no name', pair, { dnsName: 'common.test' }, notFor('common.test')],
  ['an address', pair, { dnsName: '10.0.0.1' }, undefined],
  ['an address in another spelling', pair, { dnsName: '0:0:0:0:0:0:0:1' }, undefined],
  ['another address', pair, { dnsName: '10.0.0.2' }, notFor('10.0.0.2')],
  ['a client certificate', client, { dnsName: 'jane' }, notServer],

  ['its own CA', pair, { ca: root.cert }, undefined],
  ['two CAs during a rotation', pair, { ca: namesake.cert + root.cert }, undefined],
  ['a CA of the same name', pair, { ca: namesake.cert }, notSigned],
  ['a CA of the same name without a key identifier', pair, { ca: rootByName }, notSigned],
  ['an issuer that is no CA', leafOfBare, { ca: bare.cert }, notSigned],
  ['a leaf as the CA', pair, { ca: other.cert }, notSigned],
  ['no CA', pair, { ca: 'nothing' }, noAuthority],
  ['a CA that is valid', early, { ca: shortRoot.cert, at: new Date('2026-01-02T00:00:00Z') }, undefined],
  ['a CA that has ended', early, { ca: shortRoot.cert, at: during }, noAuthority],
  ['through an intermediate', chained, { ca: root.cert, at: during, dnsName: 'leaf' }, undefined],
  ['the intermediate is missing', leafOfMiddle, { ca: root.cert }, notSigned],
  ['an intermediate of somebody else', brokenChain, { ca: root.cert }, notSigned],
];
for (const [name, given, expected, why] of ROWS) {
  test(`a pair: ${name}`, () => assert.equal(whyUnusable(given, expected), why));
}

test('a pair: a key too short to serve', async () => {
  assert.match(whyUnusable(await withShortKey()) ?? '', /^tls.crt and tls.key cannot serve TLS: .*key too small\.$/);
});

test('no text makes it throw, and no cut of a good text is good', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(pair.cert.length - 30), (text, length) => {
      assert.equal(whyUnusable({ cert: text, key: text }), noCert);
      assert.equal(whyUnusable({ cert: pair.cert, key: text }), noKey);
      assert.equal(whyUnusable({ ...pair, cert: pair.cert.slice(0, length) }), noCert);
      assert.equal(whyUnusable({ ...pair, key: pair.key.slice(0, Math.min(length, pair.key.length - 30)) }), noKey);
      assert.equal(whyUnusable(pair, { ca: text }), noAuthority);
    }),
    { numRuns: 50 },
  );
});

test('expiresAt tells the end of the first certificate, and throws on anything else', () => {
  assert.deepEqual(expiresAt(pair.cert + root.cert), days.notAfter);
  assert.throws(() => expiresAt('hello'));
});

test('isCertificateList wants at least one, and all of them whole', async () => {
  const { cert } = await makeAuthority();
  assert.equal(isCertificateList(cert + cert), true);
  assert.equal(isCertificateList(cert + cert.slice(0, 200)), false);
  assert.equal(isCertificateList(''), false);
});
