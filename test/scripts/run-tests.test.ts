import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { TestOutcome } from '../../scripts/run-tests.ts';
import { runCommand } from '../support/run-command.ts';

const RUN_TESTS = fileURLToPath(new URL('../../scripts/run-tests.ts', import.meta.url));

/** The second test is there only when the first is long over, as a suite is whose control plane takes its time. */
const LATE = `
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
test('early', { skip: 'first' }, () => {});
await sleep(300);
test('late', { skip: 'second' }, () => {});
test('later', () => {});
`;

/** Runs a test file as the scripts do, in a process that is no test itself. */
async function runFile(content: string): Promise<TestOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'scrapeguard-run-tests-'));
  const file = join(folder, 'one.test.mjs');
  const group = { title: 'one file', files: [file], concurrency: 1 };
  const script = join(folder, 'run.mjs');
  const code = `
    import { runTests } from ${JSON.stringify(RUN_TESTS)};
    const outcome = await runTests(${JSON.stringify(group)}, new AbortController().signal);
    process.stderr.write(JSON.stringify(outcome));
  `;
  try {
    await writeFile(file, content);
    await writeFile(script, code);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stderr } = await runCommand(process.execPath, [script], { env });
    return JSON.parse(stderr);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('runTests', () => {
  it('waits for a test that is registered late', async () => {
    const skips = [
      { name: 'early', reason: 'first' },
      { name: 'late', reason: 'second' },
    ];
    assert.deepEqual(await runFile(LATE), { failed: false, skips });
  });

  it('tells of a test that fails', async () => {
    const outcome = await runFile(`import { test } from 'node:test'; test('bad', () => { throw new Error('bad'); });`);
    assert.deepEqual(outcome, { failed: true, skips: [] });
  });

  it('tells of a file that does not get as far as its tests', async () => {
    assert.deepEqual(await runFile(`throw new Error('no tests');`), { failed: true, skips: [] });
  });
});
