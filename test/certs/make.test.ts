import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { whyUnusable } from '../../src/tls/validity.ts';
import { makeDirectory } from '../support/certificates.ts';

const SCRIPT = fileURLToPath(new URL('../../certs/make.sh', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function run(command: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(command, args, { encoding: 'utf8', timeout: 60_000, cwd: ROOT });
}
const skip = run('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

describe('certs/make.sh', { skip }, () => {
  const read = (dir: string, name: string): string => readFileSync(join(dir, name), 'utf8');

  it('makes what `certs generate` makes: for the Service, signed by a CA whose caBundle it prints', async (t) => {
    const dir = join(await makeDirectory(t), 'new');
    const { status, stdout, stderr } = run('sh', [SCRIPT, dir]);
    assert.equal(status, 0, stderr);
    assert.equal(Buffer.from(stdout, 'base64').toString(), read(dir, 'ca.crt'));
    const pair = { cert: read(dir, 'tls.crt'), key: read(dir, 'tls.key') };
    const at = new Date();
    const dnsName = 'scrapeguard.scrapeguard-system.svc';
    assert.equal(whyUnusable(pair, { at, dnsName, ca: read(dir, 'ca.crt') }), undefined);
    assert.deepEqual(readdirSync(dir).sort(), ['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    for (const name of ['ca.key', 'tls.key']) assert.equal(statSync(join(dir, name)).mode & 0o077, 0, name);
    const verified = run('openssl', [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      join(dir, 'ca.crt'),
      join(dir, 'tls.crt'),
    ]);
    assert.equal(verified.status, 0, verified.stderr);
  });

  it('keeps the CA and renews the certificate, for the names that are given', async (t) => {
    const dir = await makeDirectory(t);
    run('sh', [SCRIPT, dir]);
    const [ca, cert] = [read(dir, 'ca.crt'), read(dir, 'tls.crt')];
    assert.equal(run('sh', [SCRIPT, dir, 'a.example', '10.0.0.1']).status, 0);
    assert.equal(read(dir, 'ca.crt'), ca);
    assert.notEqual(read(dir, 'tls.crt'), cert);
    const pair = { cert: read(dir, 'tls.crt'), key: read(dir, 'tls.key') };
    for (const dnsName of ['a.example', '10.0.0.1']) assert.equal(whyUnusable(pair, { ca, dnsName }), undefined);
  });

  for (const args of [[], ['DIR', 'a b'], ['DIR', 'x,DNS:y'], ['DIR', ''], ['DIR', '$(id)']]) {
    it(`refuses ${JSON.stringify(args)} and makes nothing`, async (t) => {
      const dir = join(await makeDirectory(t), 'new');
      const { status, stderr } = run(
        'sh',
        [SCRIPT, ...args].map((arg) => (arg === 'DIR' ? dir : arg)),
      );
      assert.equal(status, 2);
      assert.match(stderr, /^(?:usage: .*|.* is no DNS name and no IPv4 address)\n$/);
      assert.throws(() => statSync(dir));
    });
  }
});

describe('the folder certs', () => {
  const isRepository = run('git', ['rev-parse', '--git-dir']).status === 0;
  it('lets nothing be committed but what explains and makes certificates', { skip: !isRepository && 'no git' }, () => {
    for (const file of ['tls.key', 'mine/ca.key', 'mine/ca.crt', 'x.pem', 'README.md.bak', 'mine/README.md/key']) {
      assert.equal(run('git', ['check-ignore', '-q', `certs/${file}`]).status, 0, file);
    }
    const tracked = run('git', ['ls-files', 'certs']).stdout.trim().split('\n').sort();
    assert.deepEqual(tracked, ['certs/.gitignore', 'certs/README.md', 'certs/make.sh']);
  });
});
