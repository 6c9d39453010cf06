import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfSignedSource } from '../../src/tls/self-signed.ts';
import { expiresAt, whyUnusable } from '../../src/tls/validity.ts';

const now = new Date('2026-05-01T12:00:00Z');
const { current } = await selfSignedSource(['hook.example.test', '192.0.2.7'], now);
const { ca = '' } = current;

for (const dnsName of ['localhost', '127.0.0.1', '::1', 'hook.example.test', '192.0.2.7']) {
  test(`the self-signed pair serves ${dnsName}`, () => {
    assert.equal(whyUnusable(current, { at: now, dnsName, ca }), undefined);
  });
}

test('the self-signed pair is valid for a client whose clock is behind, and for no more than 825 days', () => {
  assert.equal(whyUnusable(current, { at: new Date('2026-05-01T11:30:00Z'), ca }), undefined);
  const longest = 825 * 24 * 60 * 60 * 1000;
  assert.ok(expiresAt(current.cert).getTime() < now.getTime() + longest - 60 * 60 * 1000);
  assert.ok(expiresAt(current.cert) > new Date('2028-01-01T00:00:00Z'));
});

test('every start makes a CA of its own', async () => {
  const { current: second } = await selfSignedSource([], now);
  assert.notEqual(second.ca, ca);
  assert.equal(whyUnusable(current, { ca: second.ca ?? '' }), 'The certificate in tls.crt is not signed by ca.crt.');
});
