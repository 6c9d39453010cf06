import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { transformSync } from 'esbuild';

import { runCommand, type CommandResult } from '../support/run-command.ts';

const LAUNCH = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url));
const POD =
  '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "ports": [{"containerPort": 10255}]}]}}';

const folder = mkdtempSync(join(tmpdir(), 'launch-'));
after(() => rmSync(folder, { recursive: true }));

const launch = (args: readonly string[], input = '', flags: readonly string[] = []): Promise<CommandResult> =>
  runCommand(process.execPath, [...flags, LAUNCH, ...args], { input });

/** A module that runs before the program. */
const preload = (code: string): string[] => ['--import', `data:text/javascript,${encodeURIComponent(code)}`];

describe('the launcher', () => {
  it('runs the program: findings on stdout, 1 as the exit code', async () => {
    const { code, stdout, stderr } = await launch(['check', '-', '-o', 'json'], POD);
    assert.deepEqual([code, stderr], [1, '']);
    assert.match(stdout, /^\{\n.*"enforce": 1,.*\}\n$/s);
  });

  it('ends with 2 for a wrong command line', async () => {
    const { code, stdout, stderr } = await launch(['check', '--policee', 'x']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^error: [^\n]+\n$/);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const file = join(folder, 'many.json');
    writeFileSync(file, Array.from({ length: 2000 }, () => POD).join('\n'));
    const child = spawn(process.execPath, [LAUNCH, 'check', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = (await once(child, 'close')) as [number | null];
    assert.deepEqual([code, stderr], [1, '']);
  });

  it('ends with 2 for an error that nobody awaits', async () => {
    const throwing = preload(`process.on('newListener', (name) => {
      if (name === 'uncaughtException') setImmediate(() => { throw new Error('out of the blue'); });
    });`);
    const child = spawn(process.execPath, [...throwing, LAUNCH, 'check', '-'], {
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: 60_000,
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 2);
    assert.match(stderr, /^internal error: Error: out of the blue\n/);
  });

  for (const version of ['12.22.12', '18.20.8', '20.20.2', '22.18.0']) {
    it(`says in one sentence that Node ${version} is too old`, async () => {
      const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });
        Object.defineProperty(process, 'version', { value: 'v${version}' });`;
      const { code, stdout, stderr } = await launch(['--version'], '', preload(old));
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(
        stderr,
        new RegExp(
          `^scrapeguard needs Node\\.js 22\\.19 or newer, and this is v${version}: [^\\n]*npm ci[^\\n]*\\.\\n$`,
        ),
      );
    });
  }

  it('is written in the JavaScript of 2018, but for import()', () => {
    const source = readFileSync(LAUNCH, 'utf8');
    const options = { format: 'esm', supported: { 'dynamic-import': true } } as const;
    const lowered = transformSync(source, { ...options, target: 'es2018' }).code;
    assert.equal(lowered, transformSync(source, { ...options, target: 'esnext' }).code);
  });

  it('says what mends a checkout without its packages', async () => {
    copyFileSync(LAUNCH, join(folder, 'launch.mjs'));
    writeFileSync(join(folder, 'main.ts'), "import 'no-such-package-anywhere';\n");
    const { code, stderr } = await runCommand(process.execPath, [join(folder, 'launch.mjs')]);
    assert.equal(code, 2);
    assert.match(stderr, /^scrapeguard needs its packages: run "npm ci" first\. \([^\n]+\)\n$/);
  });
});
