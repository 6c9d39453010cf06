import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { isObject } from '../../src/kube/json.ts';
import { whyUnusable } from '../../src/tls/validity.ts';
import { makeAuthority, makeDirectory, makeServerPair, writeParts } from '../support/certificates.ts';
import { runCli } from './run-cli.ts';

const now = (): Date => new Date('2026-06-01T00:00:00Z');
const SERVICE = 'scrapeguard.scrapeguard-system.svc';

async function read(dir: string): Promise<{ cert: string; key: string; ca: string; caKey: string }> {
  const text = (name: string): Promise<string> => readFile(join(dir, name), 'utf8');
  const [cert, key, ca, caKey] = await Promise.all(['tls.crt', 'tls.key', 'ca.crt', 'ca.key'].map(text));
  return { cert: cert ?? '', key: key ?? '', ca: ca ?? '', caKey: caKey ?? '' };
}

describe('certs generate', () => {
  it('writes a CA and a certificate for the Service, and prints the caBundle alone', async (t) => {
    const dir = join(await makeDirectory(t), 'a', 'b');
    const { code, stdout, stderr } = await runCli(['certs', 'generate', '--dir', dir], { now });
    assert.equal(code, 0, stderr);
    const { cert, key, ca } = await read(dir);
    assert.equal(stdout, `${Buffer.from(ca).toString('base64')}\n`);
    for (const dnsName of [SERVICE, `${SERVICE}.cluster.local`]) {
      assert.equal(whyUnusable({ cert, key }, { at: now(), ca, dnsName }), undefined);
    }
    assert.match(stderr, /caBundle.*\n.*create secret tls.*\n.*before 2027-06-01\./s);
    assert.doesNotMatch(`${stdout}${stderr}`, /PRIVATE/);
  });

  it('keeps keys to their owner, whatever was there, and leaves nothing else behind', async (t) => {
    const dir = await makeDirectory(t);
    await writeFile(join(dir, 'tls.key'), '', { mode: 0o666 });
    await chmod(join(dir, 'tls.key'), 0o666);
    await runCli(['certs', 'generate', '--dir', dir], { now });
    const modes = await Promise.all(
      (await readdir(dir)).map(async (name) => [name, (await stat(join(dir, name))).mode & 0o077] as const),
    );
    const names = modes.map(([name]) => name);
    assert.deepEqual(names.sort(), ['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    if (process.platform !== 'win32') {
      for (const [name, mode] of modes) if (name.endsWith('.key')) assert.equal(mode, 0, name);
    }
  });

  it('renews the certificate of the CA that is there, for other names and days', async (t) => {
    const dir = await makeDirectory(t);
    await runCli(['certs', 'generate', '--dir', dir], { now });
    const first = await read(dir);
    const args = ['--name', 'a.example', '--name', '10.0.0.1', '--days', '7'];
    const { stdout, stderr } = await runCli(['certs', 'generate', '--dir', dir, ...args], { now });
    const second = await read(dir);
    assert.deepEqual([second.ca, second.caKey], [first.ca, first.caKey]);
    assert.notEqual(second.key, first.key);
    assert.equal(stdout, `${Buffer.from(first.ca).toString('base64')}\n`);
    assert.match(stderr, /The caBundle is the same as before.*before 2026-06-08\./s);
    for (const dnsName of ['a.example', '10.0.0.1']) {
      assert.equal(whyUnusable(second, { at: now(), ca: first.ca, dnsName }), undefined);
    }
  });

  it('makes no certificate that outlives its CA', async (t) => {
    const dir = await makeDirectory(t);
    const { stderr } = await runCli(['certs', 'generate', '--dir', dir, '--days', '90', '--ca-days', '30'], { now });
    assert.match(stderr, /before 2026-07-01\./);
  });

  const CA_GONE = /^error: .*ca\.crt and its key are not both there; move the other one away to get a new CA\.\n$/;
  const CA_BAD = /^error: .*ca\.crt has expired, or ca\.key is not its key; move both away to get a new CA\.\n$/;
  it('leaves a CA that it cannot use as it is', async (t) => {
    const dir = await makeDirectory(t);
    await runCli(['certs', 'generate', '--dir', dir], { now });
    const later = (): Date => new Date('2056-01-01T00:00:00Z');
    const before = await read(dir);
    for (const [spoil, problem, at] of [
      [async () => undefined, CA_BAD, later],
      [() => writeFile(join(dir, 'ca.key'), before.key), CA_BAD, now],
      [() => rm(join(dir, 'ca.key')), CA_GONE, now],
    ] as const) {
      await spoil();
      const { code, stdout, stderr } = await runCli(['certs', 'generate', '--dir', dir], { now: at });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, problem);
      assert.equal(await readFile(join(dir, 'tls.crt'), 'utf8'), before.cert);
    }
  });

  it('refuses what cannot be in one sentence', async (t) => {
    const dir = await makeDirectory(t);
    await writeFile(join(dir, 'file'), '');
    for (const args of [
      ['--days', 'x'],
      ['--dir', join(dir, 'file')],
    ]) {
      const { code, stderr } = await runCli(['certs', 'generate', ...args], { now });
      assert.equal(code, 2);
      assert.match(stderr, /^error: [^\n]+\n$/);
    }
  });
});

describe('certs inspect', () => {
  it('describes a certificate and its CA, and finds nothing wrong', async (t) => {
    const dir = await makeDirectory(t);
    await runCli(['certs', 'generate', '--dir', dir], { now });
    const { code, stdout } = await runCli(['certs', 'inspect', dir, '--name', SERVICE], { now });
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^tls\.crt\n {2}subject {2}CN=scrapeguard\n {2}issuer {3}CN=scrapeguard CA\n {2}names {4}scrapeguard\./,
    );
    assert.match(stdout, /valid {4}2026-05-31T23:00:00\.000Z to 2027-06-01T00:00:00\.000Z, 365 days left/);
    assert.match(stdout, /\nca\.crt\n[^]*CA {7}yes/);
    assert.match(stdout, /\n\nOK\n$/);
  });

  it('says the same as JSON', async (t) => {
    const dir = await makeDirectory(t);
    await runCli(['certs', 'generate', '--dir', dir, '--name', '10.0.0.1'], { now });
    const { stdout } = await runCli(['certs', 'inspect', dir, '-o', 'json'], { now });
    const found: unknown = JSON.parse(stdout);
    assert.ok(isObject(found) && Array.isArray(found['certificates']));
    const { serialNumber, ...leaf } = found['certificates'][0];
    assert.match(String(serialNumber), /^[0-9A-F]{20,40}$/);
    assert.deepEqual(leaf, {
      in: 'tls.crt',
      subject: 'CN=scrapeguard',
      issuer: 'CN=scrapeguard CA',
      names: ['10.0.0.1'],
      authority: false,
      notBefore: '2026-05-31T23:00:00.000Z',
      notAfter: '2027-06-01T00:00:00.000Z',
      daysLeft: 365,
    });
    assert.deepEqual(found['problems'], []);
  });

  interface Row {
    readonly name: string;
    readonly parts: Readonly<Record<string, string>>;
    readonly args?: readonly string[];
    readonly days?: number;
    readonly problems: readonly RegExp[];
  }
  const ROWS: readonly Row[] = [
    {
      name: 'it expires soon',
      parts: {},
      days: 352,
      problems: [/^tls\.crt expires on 2027-06-01.*, within 14 days\.$/],
    },
    { name: 'soon is what is asked', parts: {}, args: ['--within', '400'], problems: [/, within 400 days\.$/] },
    { name: 'it has expired', parts: {}, days: 366, problems: [/^tls\.crt has expired on 2027-06-01/] },
    { name: 'it is not valid yet', parts: {}, days: -1, problems: [/^tls\.crt is not valid before 2026-05-31/] },
    {
      name: 'the key is another one',
      parts: { 'tls.key': 'OTHER' },
      problems: [/does not belong to the first certificate/],
    },
    { name: 'the key is none', parts: { 'tls.key': 'x' }, problems: [/^tls\.key holds no private key/] },
    { name: 'the certificate is none', parts: { 'tls.crt': 'x' }, problems: [/^tls\.crt holds no certificate/] },
    {
      name: 'another CA signed',
      parts: { 'ca.crt': 'OTHER' },
      problems: [/^tls\.crt is not signed by a valid CA in ca\.crt\.$/],
    },
    {
      name: 'it is for another name',
      parts: {},
      args: ['--name', 'b'],
      problems: [/^The certificate in tls\.crt is not one for b\.$/],
    },
    {
      name: 'several things at once',
      parts: { 'ca.crt': 'OTHER' },
      args: ['--name', 'b'],
      days: 366,
      problems: [/has expired/, /is not one for b/, /is not signed/],
    },
  ];
  for (const { name, parts, args = [], days = 0, problems } of ROWS) {
    it(`exits with 1: ${name}`, async (t) => {
      const dir = await makeDirectory(t);
      await runCli(['certs', 'generate', '--dir', dir], { now });
      const authority = await makeAuthority();
      const other = { 'tls.key': (await makeServerPair(authority)).key, 'ca.crt': authority.cert };
      for (const [file, text] of Object.entries(parts)) {
        const content = text === 'OTHER' ? (other[file === 'ca.crt' ? 'ca.crt' : 'tls.key'] ?? '') : text;
        await writeFile(join(dir, file), content);
      }
      const at = (): Date => new Date(now().getTime() + days * 86_400_000);
      const { code, stdout } = await runCli(['certs', 'inspect', dir, ...args], { now: at });
      assert.equal(code, 1);
      const lines = stdout.split('\n').filter((line) => line.startsWith('problem: '));
      assert.equal(lines.length, problems.length, stdout);
      for (const [index, problem] of problems.entries()) assert.match((lines[index] ?? '').slice(9), problem);
    });
  }

  it('looks at a file of certificates alone', async (t) => {
    const dir = await makeDirectory(t);
    const authority = await makeAuthority('first');
    await writeParts(dir, { ca: authority.cert + (await makeAuthority('second')).cert });
    const { code, stdout } = await runCli(['certs', 'inspect', join(dir, 'ca.crt')], { now: () => new Date() });
    assert.equal(code, 0);
    assert.match(stdout, /CN=first[^]*CN=second/);
  });

  it('cannot be told anything new by control characters', async (t) => {
    const dir = await makeDirectory(t);
    await writeParts(dir, { ca: (await makeAuthority('evil\u001b[31m\nOK')).cert });
    const { stdout } = await runCli(['certs', 'inspect', join(dir, 'ca.crt')], { now: () => new Date() });
    assert.equal(stdout.includes('\u001b'), false);
    assert.equal(stdout.split('\n').filter((line) => line === 'OK').length, 1);
  });

  it('exits with 2 where nothing can be read', async (t) => {
    const dir = await makeDirectory(t);
    await mkdir(join(dir, 'tls.crt'));
    for (const args of [[join(dir, 'nothing')], [dir], [dir, '--kubeconfig', join(dir, 'nothing')]]) {
      const { code, stdout, stderr } = await runCli(['certs', 'inspect', ...args], { now });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^error: [^\n]+\n$/);
    }
  });
});

describe('serve, about its certificate', () => {
  const REFUSED: readonly (readonly [args: readonly string[], why: RegExp])[] = [
    [['--cert-secret', 'a/b'], /^error: --cert-secret needs a cluster: run it in one, or give --kubeconfig\.\n$/],
    [['--cert-secret', 'a/b', '--cert-dir', 'c'], /^error: Give --cert-dir or --cert-secret: /],
    [['--cert-secret', 'a'], /It is not NAMESPACE\/NAME\.\n$/],
    [['--cert-duration', 'soon'], /It is no duration such as 2160h or 30m\.\n$/],
    [['--cert-duration', '59s'], /It is shorter than 1m\.\n$/],
    [
      ['--cert-secret', 'a/b', '--kubeconfig', 'k', '--cert-duration', '2h', '--ca-duration', '1h'],
      /^error: --cert-duration must not be longer than --ca-duration\.\n$/,
    ],
  ];
  for (const [args, why] of REFUSED) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, stderr } = await runCli(['serve', '--port', '0', ...args]);
      assert.equal(code, 2);
      assert.match(stderr, why);
    });
  }
});
