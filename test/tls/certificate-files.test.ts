import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { watchCertificateFiles, type CertificateFiles } from '../../src/tls/certificate-files.ts';
import { issueServerCertificate, lastingUntil } from '../../src/tls/issue.ts';
import type { KeyPair, ServingPair } from '../../src/tls/source.ts';
import {
  makeAuthority,
  makeDirectory,
  makeServerPair,
  mountParts,
  writeParts,
  type WrittenParts,
} from '../support/certificates.ts';

const { cert: ca, ...authority } = await makeAuthority();
const [old, renewed, third] = await Promise.all([1, 2, 3].map(() => makeServerPair({ cert: ca, ...authority })));
assert.ok(old && renewed && third);

// Looked at by `check` alone, so that a test knows how often: the interval is longer than any test.
const NEVER = 2 ** 31 - 1;

type Watched = { files: CertificateFiles; problems: string[]; changes: ServingPair[] };

type Watching = { readonly intervalMs?: number; readonly now?: () => Date };

async function watch(
  t: TestContext,
  directory: string,
  { intervalMs = NEVER, now = () => new Date() }: Watching = {},
): Promise<Watched> {
  const problems: string[] = [];
  const changes: ServingPair[] = [];
  const files = await watchCertificateFiles({ directory, intervalMs, now, onProblem: (text) => problems.push(text) });
  files.onChange((pair) => changes.push(pair));
  t.after(() => files.stop());
  return { files, problems, changes };
}

test('the first pair is what the files hold; ca.crt is optional, and may be empty', async (t) => {
  const directory = await makeDirectory(t);
  await writeParts(directory, old);
  assert.deepEqual((await watch(t, directory)).files.current, old);
  await writeParts(directory, { ca: '\n' });
  assert.deepEqual((await watch(t, directory)).files.current, old);
  await writeParts(directory, { ca });
  assert.deepEqual((await watch(t, directory)).files.current, { ...old, ca });
});

const UNUSABLE: readonly (readonly [name: string, parts: WrittenParts, why: string])[] = [
  ['nothing', {}, 'tls.crt is not there.'],
  ['no key', { cert: old.cert }, 'tls.key is not there.'],
  ['half a certificate', { ...old, cert: old.cert.slice(0, 200) }, 'tls.crt holds no certificate that can be read.'],
  ['an empty key', { ...old, key: '' }, 'tls.key holds no private key that can be read.'],
  ['a broken CA', { ...old, ca: 'x' }, 'ca.crt holds no certificate that can be read.'],
  [
    'the key of another pair',
    { ...old, key: renewed.key },
    'tls.key does not belong to the first certificate in tls.crt.',
  ],
];
for (const [name, parts, why] of UNUSABLE) {
  test(`a start is refused with one sentence: ${name}`, async (t) => {
    const directory = await makeDirectory(t);
    await writeParts(directory, parts);
    await assert.rejects(watch(t, directory), { message: `The certificate in ${directory} cannot be used: ${why}` });
  });

  test(`a change is refused once and the old pair stays: ${name}`, async (t) => {
    const directory = await makeDirectory(t);
    await writeParts(directory, old);
    const { files, problems, changes } = await watch(t, directory);
    for (const file of ['tls.crt', 'tls.key']) await rm(join(directory, file));
    await writeParts(directory, parts);
    for (let look = 0; look < 5; look++) await files.check();
    const sentence = `The new certificate in ${directory} cannot be used, the old one stays in force: ${why}`;
    assert.deepEqual(
      { problems, changes, current: files.current },
      { problems: [sentence], changes: [], current: old },
    );

    await rm(join(directory, 'ca.crt'), { force: true });
    await writeParts(directory, renewed);
    await files.check();
    assert.deepEqual({ problems: problems.length, changes }, { problems: 1, changes: [renewed] });
  });
}

test('something that is no file is refused by name', async (t) => {
  const directory = await makeDirectory(t);
  await writeParts(directory, old);
  await mkdir(join(directory, 'ca.crt'));
  await assert.rejects(watch(t, directory), /: ca\.crt cannot be read \(EISDIR\)\.$/);
});

test('overwritten files are taken; files that did not change are not', async (t) => {
  const directory = await makeDirectory(t);
  await writeParts(directory, old);
  const { files, problems, changes } = await watch(t, directory);
  await files.check();
  await writeParts(directory, { ...renewed, ca });
  await files.check();
  await files.check();
  assert.deepEqual({ problems, changes }, { problems: [], changes: [{ ...renewed, ca }] });
  assert.deepEqual(files.current, { ...renewed, ca });
});

test('a writer caught between two files is waited for, and not reported', async (t) => {
  const directory = await makeDirectory(t);
  await writeParts(directory, old);
  const { files, problems, changes } = await watch(t, directory);
  const steps: readonly WrittenParts[] = [
    { cert: '' },
    { cert: renewed.cert.slice(0, 300) },
    { cert: renewed.cert },
    { key: '' },
    { key: renewed.key },
  ];
  for (const step of steps) {
    await writeParts(directory, step);
    await files.check();
  }
  assert.deepEqual({ problems, changes }, { problems: [], changes: [renewed] });
});

test('each distinct bad content is reported, and so is one that comes back after a good one', async (t) => {
  const directory = await makeDirectory(t);
  await writeParts(directory, old);
  const { files, problems, changes } = await watch(t, directory);
  for (const parts of [{ key: 'a' }, { key: 'b' }, old, { key: 'b' }]) {
    await writeParts(directory, parts);
    for (let look = 0; look < 3; look++) await files.check();
  }
  assert.deepEqual({ problems: problems.length, changes }, { problems: 3, changes: [old] });
});

test('a mounted Secret is followed over its symlink swaps', async (t) => {
  const directory = await makeDirectory(t);
  await mountParts(directory, { ...old, ca }, 1);
  const { files, problems, changes } = await watch(t, directory);
  await mountParts(directory, { ...renewed, ca }, 2);
  await files.check();
  await mountParts(directory, { ...old, key: third.key, ca }, 3);
  await files.check();
  await files.check();
  await mountParts(directory, { ...third, ca }, 4);
  await files.check();
  assert.deepEqual(changes, [
    { ...renewed, ca },
    { ...third, ca },
  ]);
  assert.equal(problems.length, 1);
});

test('it looks by itself at the interval, until it is stopped', { timeout: 20_000 }, async (t) => {
  const directory = await makeDirectory(t);
  await writeParts(directory, old);
  const { files, changes } = await watch(t, directory, { intervalMs: 5 });
  const changed = new Promise<ServingPair>((resolve) => files.onChange(resolve));
  await writeParts(directory, renewed);
  // An unref'ed timer alone does not keep this test alive.
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  assert.deepEqual(await changed, renewed);
  files.stop();
  await writeParts(directory, third);
  await files.check();
  assert.deepEqual({ changes, current: files.current }, { changes: [renewed], current: renewed });
});

test('nothing is reported after a stop, whatever was under way', async (t) => {
  const directory = await makeDirectory(t);
  await writeParts(directory, old);
  const { files, problems, changes } = await watch(t, directory);
  await writeParts(directory, { key: 'bad' });
  await files.check();
  const underWay = files.check();
  files.stop();
  await underWay;
  await files.check();
  assert.deepEqual({ problems, changes, current: files.current }, { problems: [], changes: [], current: old });
});

test('a pair that expires is told of once; one that has expired takes no place of one that has not', async (t) => {
  const directory = await makeDirectory(t);
  let now = new Date('2026-03-01T00:00:00Z');
  const until = (date: string): Promise<KeyPair> => {
    const validity = lastingUntil(now, new Date(date));
    return issueServerCertificate({ cert: ca, ...authority }, { commonName: 'x', names: ['localhost'] }, validity);
  };
  const [first, second] = [await until('2026-03-02T00:00:00Z'), await until('2026-03-03T00:00:00Z')];
  await writeParts(directory, first);
  const { files, problems, changes } = await watch(t, directory, { now: () => now });
  await files.check();
  now = new Date('2026-03-02T00:00:01Z');
  for (let look = 0; look < 3; look++) await files.check();
  const gone = (time: string): string => `The certificate in tls.crt has expired at ${time}.`;
  assert.deepEqual(problems.splice(0), [`Nobody believes this server: ${gone('2026-03-02T00:00:00.000Z')}`]);
  await writeParts(directory, second);
  await files.check();
  await writeParts(directory, first);
  await files.check();
  assert.deepEqual(problems.splice(0), [
    `The new certificate in ${directory} cannot be used, the old one stays in force: ${gone('2026-03-02T00:00:00.000Z')}`,
  ]);
  assert.deepEqual({ changes, current: files.current }, { changes: [second], current: second });
  now = new Date('2026-02-01T00:00:00Z');
  await files.check();
  assert.match(problems.join(), /^Nobody believes this server: .* is not valid before 2026-02-28T23:00:00\.000Z\.$/);
});
