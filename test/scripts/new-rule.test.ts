import assert from 'node:assert/strict';
import { execFile, type ExecFileException } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { idProblem, withRule } from '../../scripts/rule-scaffold.ts';
import { withFileLock } from '../support/file-lock.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('the id of a new rule', () => {
  for (const id of ['two-words', 'port-10255-again']) {
    it(`may be ${id}`, () => assert.equal(idProblem(id, []), undefined));
  }
  for (const id of ['', 'word', 'default', 'Two-Words', 'two_words', 'two--words', '-two-words', '2-words', '../a-b']) {
    it(`may not be "${id}"`, () => assert.match(idProblem(id, []) ?? '', /is no id/));
  }
  it('may not be too long', () => assert.match(idProblem(`a-${'b'.repeat(62)}`, []) ?? '', /too long/));
  it('may not be taken', () => assert.match(idProblem('two-words', ['two-words']) ?? '', /already/));
});

describe('the list of rules', () => {
  const head = `import type { Rule } from '../policy/rule.ts';\n`;
  const made = (text: string): string => withRule(text, 'two-words').replaceAll(/\s+/g, ' ');

  it('gets one more', () => {
    const list = `${head}import a from './a.ts';\n\nexport const RULES: readonly Rule[] = [a];\n`;
    assert.match(made(list), /import a from '.\/a.ts'; import twoWords from '.\/two-words.ts';.* = \[a, twoWords\];/);
  });

  it('gets one more when it has a line for each', () => {
    const list = `${head}\nexport const RULES: readonly Rule[] = [\n  a,\n  b,\n];\n`;
    assert.match(made(list), /= \[ a, b, twoWords\];/);
  });

  it('gets its first', () => {
    assert.match(made(`${head}\nexport const RULES: readonly Rule[] = [];\n`), /= \[twoWords\];/);
  });

  it('is not written where there is none', () => assert.throws(() => withRule(head, 'two-words'), /no list/));
});

/** A copy of this checkout: always the same folder, so that its modules are compiled for the first of all runs only. */
const COPY = join(tmpdir(), `scrapeguard-new-rule-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}`);

describe('a new rule', () => {
  const node = (...argv: string[]): Promise<Ran> => run(process.execPath, argv, COPY);

  it('is green at once in a copy of the repository, and is not made twice', async () => {
    await withFileLock(`${COPY}.lock`, async () => {
      copyRepository(COPY);
      try {
        await makeRule();
      } finally {
        rmSync(COPY, { recursive: true });
      }
    });
  });

  async function makeRule(): Promise<void> {
    await succeed(node('scripts/new-rule.ts', 'made-up-rule'));
    assert.match(readFileSync(join(COPY, 'docs/rules/made-up-rule.md'), 'utf8'), /^# made-up-rule$/m);
    await succeed(node('scripts/generate.ts', '--check'));
    await succeed(run('npm', ['run', '--silent', 'format:check', '--', 'src/rules', 'test/rules'], COPY));
    const tests = ['rules/made-up-rule', 'wellformed', 'examples', 'docs'].map((name) => `test/${name}.test.ts`);
    const stdout = await succeed(node('--test', '--test-isolation=none', '--test-name-pattern=made-up-rule', ...tests));
    assert.match(stdout, /placeholder-image\.yaml/);
    const { code, stderr } = await node('scripts/new-rule.ts', 'made-up-rule');
    assert.equal(code, 2);
    assert.match(stderr, /already/);
  }
});

/** Everything of the repository but what is fetched, built or only needed by the cluster suites. */
function copyRepository(to: string): void {
  rmSync(to, { recursive: true, force: true });
  cpSync(ROOT, to, {
    recursive: true,
    filter: (source) => !/^(?:\.git|node_modules|dist|test[\\/](?:cluster|toolchain))$/.test(source.slice(ROOT.length)),
  });
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'), 'dir');
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, without what node's test runner tells its own children. */
function run(program: string, argv: readonly string[], cwd: string): Promise<Ran> {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  return new Promise((resolve) => {
    execFile(program, argv, { cwd, env, timeout: 120_000 }, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

async function succeed(running: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await running;
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout;
}
