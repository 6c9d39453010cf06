import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { run } from '../../src/cli/program.ts';
import { runCli } from './run-cli.ts';

const packageJson: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

const HELPED = [
  [],
  ['serve'],
  ['check'],
  ['rules'],
  ['rules', 'list'],
  ['rules', 'show'],
  ['policy'],
  ['policy', 'show'],
];

describe('the program', () => {
  it('prints the version of the package', async () => {
    assert.deepEqual({ version: (await runCli(['--version'])).stdout.trim() }, { version: versionOf(packageJson) });
  });

  for (const command of HELPED) {
    it(`prints help for "${command.join(' ')}"`, async () => {
      const { code, stdout, stderr } = await runCli([...command, '--help']);
      assert.deepEqual([code, stderr], [0, '']);
      assert.ok(stdout.startsWith(`Usage: ${['scrapeguard', ...command].join(' ')} `), stdout);
      assert.ok(stdout.endsWith('\n'));
      assert.ok(stdout.split('\n').every((line) => line.length <= 100));
    });
  }

  for (const argv of [[], ['policy']]) {
    it(`prints help on stderr and ends with 2 for "${argv.join(' ')}", which does nothing`, async () => {
      const { code, stdout, stderr } = await runCli(argv);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^Usage: /);
    });
  }

  it('names the command that may have been meant', async () => {
    const { code, stdout, stderr } = await runCli(['chek', 'a.yaml']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^error: .*chek.*check.*\n$/);
  });

  it('shows the stack of an error that nobody foresaw, and ends with 2', async () => {
    let told = '';
    const broken = { write: () => assert.fail('the disk is on fire') };
    const code = await run(['rules', 'list'], {
      stdin: (async function* () {})(),
      stdout: broken,
      stderr: { write: (text) => (told += text) },
      env: {},
      now: () => new Date(0),
      stopped: () => new AbortController().signal,
    });
    assert.equal(code, 2);
    assert.match(told, /^internal error: AssertionError.*the disk is on fire\n\s+at /s);
  });
});

function versionOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
}
