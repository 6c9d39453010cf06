import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';

import type { Report } from '../../src/report/report.ts';
import { runCli, type Ran, type Surroundings } from './run-cli.ts';

const WIPE = '\r\u001B[K';
const HEAD = 'apiVersion: scrapeguard.io/v1alpha1\nkind: MetricsPolicy\n';
const pod = (port: number, metadata = '{name: web}'): string =>
  `apiVersion: v1
kind: Pod
metadata: ${metadata}
spec:
  containers:
  - {name: web, image: "web:1", ports: [{containerPort: ${port}}]}
`;
const service = (port: number): string =>
  `apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  ports: [{port: ${port}, targetPort: 8080}]
`;

const FILES: Readonly<Record<string, string>> = {
  'refused.yaml': pod(10255),
  'warned.yaml': service(10255),
  'clean.yaml': pod(8080),
  'broken.yaml': 'a: [\n',
  'scalar.yaml': 'hello\n',
  'empty.yaml': '# nothing\n---\n',
  'audit.yaml': `${HEAD}spec: {maximumMode: audit}\n`,
  'off.yaml': `${HEAD}spec: {rules: {kubelet-read-only-port: {maximumMode: "off"}}}\n`,
  'wrong.yaml': `${HEAD}spec:\n  maximumMod: warn\n  rules: {kubelet-read-only-prt: {}}\n`,
  'folder/one.yaml': pod(10255, '{name: one}'),
  'folder/two.json': JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'two' } }),
};

const folder = mkdtempSync(join(tmpdir(), 'check-'));

for (const [name, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
after(() => rmSync(folder, { recursive: true }));

const check = (line: string, surroundings?: Surroundings): Promise<Ran> =>
  runCli(['check', ...line.split(' ').filter((word) => word !== '')], { cwd: folder, ...surroundings });

/** The report of a run with `-o json`. */
async function reportOf(line: string, surroundings?: Surroundings): Promise<Report> {
  // What the program itself printed; its shape is what the other tests are about.
  return JSON.parse((await check(`${line} -o json`, surroundings)).stdout) as Report;
}

describe('check ends', () => {
  const rows: readonly (readonly [line: string, code: number])[] = [
    ['clean.yaml', 0],
    ['refused.yaml', 1],
    ['refused.yaml --fail-on enforce', 1],
    ['warned.yaml', 0],
    ['warned.yaml --fail-on warn', 1],
    ['refused.yaml --policy audit.yaml', 0],
    ['refused.yaml --policy audit.yaml --fail-on warn', 0],
    ['refused.yaml --policy audit.yaml --fail-on audit', 1],
    ['refused.yaml --policy off.yaml --fail-on audit', 0],
    ['clean.yaml broken.yaml', 2],
    ['refused.yaml broken.yaml', 2],
    ['clean.yaml scalar.yaml', 2],
    ['clean.yaml absent.yaml', 2],
    ['clean.yaml --policy absent.yaml', 2],
    ['clean.yaml --policy wrong.yaml', 2],
    ['clean.yaml --fail-on never', 2],
    ['clean.yaml -o jsn', 2],
    ['clean.yaml -o sarif', 2],
    ['clean.yaml -o json=', 2],
    ['clean.yaml -o json -o text', 2],
    ['clean.yaml -o json=a -o text=a', 2],
    ['clean.yaml -o json=absent/report.json', 2],
    ['clean.yaml --strict', 2],
    ['', 2],
    ['empty.yaml', 0],
    ['folder', 1],
    ['- --fail-on audit', 0],
  ];
  for (const [line, code] of rows) {
    it(`with ${code} for "check ${line}"`, async () => {
      assert.equal((await check(line)).code, code);
    });
  }
});

describe('check', () => {
  it('says usage errors in one line, with the nearest name, and prints no result', async () => {
    const { stdout, stderr } = await check('clean.yaml -o jsn');
    assert.equal(stdout, '');
    assert.match(stderr, /^error: .*jsn.*did you mean "json"\?\n$/);
    assert.match((await check('clean.yaml --fail-on warning')).stderr, /^error: .*did you mean "warn"\?\n$/);
    assert.match((await check('clean.yaml --fail-om warn')).stderr, /^error: .*Did you mean --fail-on\?\)\n$/);
  });

  it('wants to be told to read the standard input', async () => {
    const { stdout, stderr } = await check('', { stdin: pod(10255) });
    assert.equal(stdout, '');
    assert.equal(stderr, 'error: name a PATH: a file, a folder, or - for the standard input\n');
  });

  it('reads the standard input for -', async () => {
    const { findings } = await reportOf('-', { stdin: pod(10255) });
    assert.deepEqual(
      findings.map(({ source }) => source),
      [{ file: '-', line: 6, column: 42 }],
    );
  });

  it('names every problem of a policy with its place, and judges nothing', async () => {
    const { stdout, stderr } = await check('refused.yaml --policy wrong.yaml');
    assert.equal(stdout, '');
    assert.match(stderr, /^wrong\.yaml:4:\d+: .*"maximumMode"\?$/m);
    assert.match(stderr, /^wrong\.yaml:5:\d+: .*"kubelet-read-only-port"\?$/m);
    assert.equal(stderr.trim().split('\n').length, 2);
  });

  it('judges the other files when one cannot be read', async () => {
    const report = await reportOf('broken.yaml refused.yaml absent.yaml');
    assert.equal(report.summary.enforce, 1);
    assert.deepEqual(
      report.errors.map(({ file, line }) => [file, line]),
      [
        ['absent.yaml', undefined],
        ['broken.yaml', 1],
      ],
    );
    assert.match((await check('broken.yaml')).stderr, /^error: [^\n]+\n$/);
  });

  it('reads a path that is given twice once', async () => {
    assert.equal((await reportOf('refused.yaml refused.yaml')).summary.objects, 1);
    assert.equal((await reportOf('- -', { stdin: pod(1) })).summary.objects, 1);
  });

  it('says when there was nothing to judge', async () => {
    const { code, stdout, stderr } = await check('empty.yaml');
    assert.deepEqual(
      [code, stdout, stderr],
      [0, '0 objects checked: nothing found.\n', 'warning: no object was found\n'],
    );
  });

  it('writes one report to each place', async () => {
    const { stdout } = await check('refused.yaml -o json=report.json -o text=report.txt -o text');
    const { stdout: json } = await check('refused.yaml -o json');
    assert.equal(readFileSync(join(folder, 'report.json'), 'utf8'), json);
    assert.equal(readFileSync(join(folder, 'report.txt'), 'utf8'), stdout);
    assert.match(stdout, /1 object checked: 1 finding \(1 enforce\)\.\n$/);
    assert.equal((await check('refused.yaml -o json=report.json')).stdout, '');
  });

  it('colours what a person reads on a terminal, and nothing else', async () => {
    const plain = (await check('refused.yaml')).stdout;
    const coloured = await check('refused.yaml -o text -o text=colourless.txt', { isTTY: true });
    assert.notEqual(coloured.stdout, plain);
    assert.equal(stripVTControlCharacters(coloured.stdout), plain);
    assert.equal(readFileSync(join(folder, 'colourless.txt'), 'utf8'), plain);
    assert.equal((await check('refused.yaml', { isTTY: true, env: { NO_COLOR: '1' } })).stdout, plain);
    assert.equal((await check('refused.yaml', { isTTY: true, env: { TERM: 'dumb' } })).stdout, plain);
    assert.equal((await check('refused.yaml', { isTTY: true, env: { NO_COLOR: '' } })).stdout, coloured.stdout);
  });

  it('judges by the labels of a Namespace wherever it stands among the files', async () => {
    const namespace = (value: string): string =>
      `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {scrapeguard.io/enforce: "${value}"}}\n`;
    const modesOf = async (stdin: string): Promise<string[]> =>
      (await reportOf('-', { stdin })).findings.flatMap(({ object, mode }) => (object.kind === 'Pod' ? [mode] : []));
    const inShop = pod(10255, '{name: web, namespace: shop}');
    assert.deepEqual(await modesOf(`${inShop}---\n${namespace('off')}`), ['warn']);
    assert.deepEqual(await modesOf(`${namespace('baseline')}---\n${inShop}`), ['enforce']);
  });

  it('shows progress on a terminal when the work is long', async () => {
    let seconds = 0;
    const slow = (): Date => new Date((seconds += 1) * 1000);
    const { stderr } = await check('folder', { isTTY: true, now: slow });
    assert.ok(stderr.includes(`${WIPE}Reading: 2 files ...`));
    assert.ok(stderr.includes(`${WIPE}Judging: 1 of 2 objects ...`));
    assert.ok(stderr.endsWith(WIPE));
    assert.equal((await check('folder', { isTTY: false, now: slow })).stderr, '');
    assert.equal((await check('folder', { isTTY: true })).stderr, '');
  });

  it('lets an exception hold on its last day, and says what it held back', async () => {
    const exception = '{name: old, rules: [kubelet-read-only-port], reason: r, expires: "2026-01-01"}';
    writeFileSync(join(folder, 'excepting.yaml'), `${HEAD}spec: {exceptions: [${exception}]}\n`);
    const onLastDay = await check('refused.yaml --policy excepting.yaml', {
      now: () => new Date('2026-01-01T23:59:59Z'),
    });
    assert.equal(onLastDay.code, 0);
    assert.equal(onLastDay.stderr, 'note: exceptions of the policy leave out 1 of the findings: old\n');
    const dayAfter = await check('refused.yaml --policy excepting.yaml', {
      now: () => new Date('2026-01-02T00:00:00Z'),
    });
    assert.equal(dayAfter.code, 1);
  });
});
