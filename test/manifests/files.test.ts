import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LARGEST_FILE_MIB, readFiles, readTexts } from '../../src/manifests/files.ts';
import { inFolder } from '../support/in-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'manifests-'));
after(() => rmSync(root, { recursive: true }));

function folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, name, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content);
  }
  return join(root, name);
}

async function* input(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  for (const part of parts) yield part;
}

/** What was found, with paths below the folder: a text, or ! and a message. */
async function found(paths: readonly string[], base: string, stdin = input()): Promise<[string, string][]> {
  const rows: [string, string][] = [];
  for await (const item of readTexts(paths, stdin)) {
    rows.push([item.file.replace(`${base}/`, ''), 'text' in item ? item.text : `! ${item.message}`]);
  }
  return rows;
}

test('a folder gives its manifests by name, those of subfolders in their place', async () => {
  const base = folder('order', {
    'b.yml': 'b',
    'a.yaml': 'a',
    'c/z.json': 'z',
    'c/a.yaml': 'ca',
    'a/x.yaml': 'ax',
    'A.yaml': 'A',
    'd.yaml.txt': 'no',
    'README.md': 'no',
    '.hidden.yaml': 'hidden',
    '.git/x.yaml': 'no',
    'node_modules/x.yaml': 'no',
    'c/node_modules/y.yaml': 'no',
  });
  assert.deepEqual(await found([base], base), [
    ['.hidden.yaml', 'hidden'],
    ['A.yaml', 'A'],
    ['a/x.yaml', 'ax'],
    ['a.yaml', 'a'],
    ['b.yml', 'b'],
    ['c/a.yaml', 'ca'],
    ['c/z.json', 'z'],
  ]);
});

test('paths are told as they would be typed', async () => {
  const base = folder('typed', { 'x/a.yaml': 'a' });
  await inFolder(base, async () => {
    const files = async (...paths: string[]): Promise<string[]> => (await found(paths, '-')).map(([file]) => file);
    assert.deepEqual(await files('.'), ['x/a.yaml']);
    assert.deepEqual(await files('x/'), ['x/a.yaml']);
    assert.deepEqual(await files('./x/a.yaml', 'x'), ['./x/a.yaml', 'x/a.yaml']);
  });
});

test('a named file is read whatever its ending, a named folder whatever its name', async () => {
  const base = folder('named', { 'a.txt': 'a', '.b/c.yaml': 'c', 'node_modules/d.yaml': 'd' });
  const paths = ['a.txt', '.b', 'node_modules'].map((name) => join(base, name));
  assert.deepEqual(await found(paths, base), [
    ['a.txt', 'a'],
    ['.b/c.yaml', 'c'],
    ['node_modules/d.yaml', 'd'],
  ]);
});

test('- is the standard input, in its place', async () => {
  const base = folder('stdin', { 'a.yaml': 'a' });
  const bytes = new TextEncoder().encode('ü: 1');
  const stdin = input(bytes.subarray(0, 1), bytes.subarray(1), '\n');
  assert.deepEqual(await found(['-', base], base, stdin), [
    ['-', 'ü: 1\n'],
    ['a.yaml', 'a'],
  ]);
});

test('links are followed, a folder is read once', async () => {
  const base = folder('links', { 'a/x.yaml': 'x', '..data/y.yaml': 'y' });
  symlinkSync('..', join(base, 'a/loop'));
  symlinkSync('a', join(base, 'b'));
  symlinkSync('..data/y.yaml', join(base, 'y.yaml'));
  symlinkSync('nowhere', join(base, 'gone.yaml'));
  symlinkSync('nowhere', join(base, 'gone'));
  symlinkSync('round.yaml', join(base, 'round.yaml'));
  assert.deepEqual(await found([base], base), [
    ['a/x.yaml', 'x'],
    ['gone.yaml', '! no such file or folder'],
    ['round.yaml', '! too many symbolic links'],
    ['y.yaml', 'y'],
  ]);
});

test('what cannot be read is a problem in its place', async () => {
  const base = folder('bad', {
    'binary.yaml': new Uint8Array([97, 0, 98]),
    'latin.yaml': new Uint8Array([97, 58, 32, 0xfc, 10]),
    'ok.yaml': 'a: 1',
    'utf16.yaml': new Uint8Array([0xff, 0xfe, 97, 0]),
    'zlarge.yaml': '',
  });
  truncateSync(join(base, 'zlarge.yaml'), LARGEST_FILE_MIB * 1024 * 1024 + 1);
  assert.deepEqual(await found([join(base, 'absent.yaml'), base], base), [
    ['absent.yaml', '! no such file or folder'],
    ['binary.yaml', '! this is a binary file'],
    ['latin.yaml', '! this is not UTF-8 text'],
    ['ok.yaml', 'a: 1'],
    ['utf16.yaml', '! this is UTF-16, which Kubernetes does not read: save it as UTF-8'],
    ['zlarge.yaml', `! above ${LARGEST_FILE_MIB} MiB, too large to be read`],
  ]);
});

test('a standard input that fails or does not end is a problem', async () => {
  async function* failing(): AsyncGenerator<string> {
    yield 'a: 1';
    throw new Error('the pipe broke');
  }
  async function* endless(): AsyncGenerator<Uint8Array> {
    const part = new Uint8Array(16 * 1024 * 1024);
    while (true) yield part;
  }
  assert.deepEqual(await found(['-'], '', failing()), [['-', '! the pipe broke']]);
  assert.deepEqual(await found(['-'], '', endless()), [['-', `! above ${LARGEST_FILE_MIB} MiB, too large to be read`]]);
});

test('a named pipe is read to its end', { skip: process.platform === 'win32' && 'no named pipes' }, async () => {
  const base = folder('pipe', { 'x.yaml': 'x' });
  execFileSync('mkfifo', [join(base, 'pipe.yaml')]);
  // In a folder it is passed over: reading it would wait for a writer.
  assert.deepEqual(await found([base], base), [['x.yaml', 'x']]);
  const pipe = join(base, 'pipe.yaml');
  const [reading] = await Promise.all([found([pipe], base), writeFile(pipe, 'a: 1\n')]);
  assert.deepEqual(reading, [['pipe.yaml', 'a: 1\n']]);
});

test('readFiles joins what the files hold', async () => {
  const base = folder('joined', { 'a.yaml': 'a: 1\n---\n[\n', 'b.json': '{"b": 1}', 'c.yaml': 'c: 1\nc: 2\n' });
  const { manifests, errors, warnings } = await readFiles([base, join(base, 'absent')], input());
  assert.deepEqual(
    manifests.map(({ file, object }) => [file, object]),
    [
      [join(base, 'a.yaml'), { a: 1 }],
      [join(base, 'b.json'), { b: 1 }],
      [join(base, 'c.yaml'), { c: 2 }],
    ],
  );
  assert.deepEqual(
    errors.map(({ file, line }) => [file, line]),
    [
      [join(base, 'a.yaml'), 3],
      [join(base, 'absent'), undefined],
    ],
  );
  assert.deepEqual(
    warnings.map(({ file, line }) => [file, line]),
    [[join(base, 'c.yaml'), 2]],
  );
});
