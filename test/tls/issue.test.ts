import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CLOCK_SKEW_MS,
  issueAuthority,
  issueClientCertificate,
  issueServerCertificate,
  lasting,
} from '../../src/tls/issue.ts';
import {
  makeAuthority,
  makeClientPair,
  makeDirectory,
  makeServerPair,
  VALIDITY,
  writeParts,
} from '../support/certificates.ts';

function openssl(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8', timeout: 10_000 });
  return { status, output: `${stdout}${stderr}` };
}
const skip = openssl('version').status === 0 ? false : 'openssl is not installed';

const farAway = { notBefore: VALIDITY.notBefore, notAfter: new Date('2061-05-06T07:08:09.123Z') };
const authority = await makeAuthority();
const accepted = [
  {
    name: 'a server, by DNS name',
    pair: await makeServerPair(authority),
    purpose: 'sslserver',
    asked: ['-verify_hostname', 'localhost'],
  },
  {
    name: 'a server, by IPv4 address',
    pair: await makeServerPair(authority),
    purpose: 'sslserver',
    asked: ['-verify_ip', '127.0.0.1'],
  },
  {
    name: 'a server, by IPv6 address',
    pair: await makeServerPair(authority, ['::1']),
    purpose: 'sslserver',
    asked: ['-verify_ip', '::1'],
  },
  {
    name: 'a server, by wildcard',
    pair: await makeServerPair(authority, ['*.a.svc']),
    purpose: 'sslserver',
    asked: ['-verify_hostname', 'b.a.svc'],
  },
  {
    name: 'a server, past 2050',
    pair: await issueServerCertificate(authority, { commonName: 's', names: ['s'] }, farAway),
    purpose: 'sslserver',
    asked: [],
  },
  { name: 'a client', pair: await makeClientPair(authority, 'jane', ['dev']), purpose: 'sslclient', asked: [] },
];
for (const { name, pair, purpose, asked } of accepted) {
  test(`openssl verify -x509_strict accepts ${name}`, { skip }, async (t) => {
    const directory = await makeDirectory(t);
    await writeParts(directory, { ...pair, ca: authority.cert });
    const files = ['-CAfile', join(directory, 'ca.crt'), join(directory, 'tls.crt')];
    const { status, output } = openssl('verify', '-x509_strict', '-purpose', purpose, ...asked, ...files);
    assert.equal(status, 0, output);
  });
}

const refused = [
  { name: 'a client as a server', pair: await makeClientPair(authority, 'jane'), purpose: 'sslserver' },
  { name: 'a server as a client', pair: await makeServerPair(authority), purpose: 'sslclient' },
  {
    name: 'a leaf of another CA of the same name',
    pair: await makeServerPair(await makeAuthority()),
    purpose: 'sslserver',
  },
];
for (const { name, pair, purpose } of refused) {
  test(`openssl verify refuses ${name}`, { skip }, async (t) => {
    const directory = await makeDirectory(t);
    await writeParts(directory, { ...pair, ca: authority.cert });
    const { status, output } = openssl(
      'verify',
      '-x509_strict',
      '-purpose',
      purpose,
      '-CAfile',
      join(directory, 'ca.crt'),
      join(directory, 'tls.crt'),
    );
    assert.notEqual(status, 0, output);
    assert.match(output, /verification failed/);
  });
}

test('the dates are the given ones, in whole seconds', async () => {
  const validity = { notBefore: new Date('2026-01-02T03:04:05.678Z'), notAfter: new Date('2055-01-02T03:04:05.999Z') };
  const { cert } = await issueAuthority('dates', validity);
  const { validFromDate, validToDate } = new X509Certificate(cert);
  assert.equal(validFromDate.toISOString(), '2026-01-02T03:04:05.000Z');
  assert.equal(validToDate.toISOString(), '2055-01-02T03:04:05.000Z');
});

test('lasting starts before now, by the clock skew, and ends days after it', () => {
  const now = new Date('2026-03-01T00:00:00Z');
  assert.deepEqual(lasting(now, 2), {
    notBefore: new Date(now.getTime() - CLOCK_SKEW_MS),
    notAfter: new Date('2026-03-03T00:00:00Z'),
  });
});

test('every certificate has a serial number and a key of its own', async () => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => makeServerPair(authority)));
  assert.equal(new Set(pairs.map(({ cert }) => new X509Certificate(cert).serialNumber)).size, 20);
  assert.equal(new Set(pairs.map(({ key }) => key)).size, 20);
});

test('a client certificate names the user and its groups, whatever is in them', async () => {
  const groups = ['system:masters', '#414243', 'with, comma=and "quotes"', 'é'];
  const { cert } = await issueClientCertificate(authority, { user: 'system:node:a+b', groups }, VALIDITY);
  const { subject } = new X509Certificate(cert).toLegacyObject();
  assert.deepEqual({ ...subject }, { CN: 'system:node:a+b', O: groups });
});

test('a name given twice is written once, and no name at all is an error', async () => {
  const { cert } = await issueServerCertificate(
    authority,
    { commonName: 's', names: ['a', 'a', '10.0.0.1'] },
    VALIDITY,
  );
  assert.equal(new X509Certificate(cert).subjectAltName, 'DNS:a, IP Address:10.0.0.1');
  await assert.rejects(issueServerCertificate(authority, { commonName: 's', names: [] }, VALIDITY), {
    message: 'A server certificate needs at least one name.',
  });
});

test('texts end with a line feed, so that bundles can be joined', () => {
  assert.ok(authority.cert.endsWith('-----END CERTIFICATE-----\n'));
  assert.ok(authority.key.endsWith('-----END PRIVATE KEY-----\n'));
});
