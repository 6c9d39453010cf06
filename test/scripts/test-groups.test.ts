import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ALONE, groupTestFiles, shareProcess, SHARING_FOLDERS } from '../../scripts/test-groups.ts';

const TEST = fileURLToPath(new URL('..', import.meta.url));

/** What would reach from one file into the next, or run around the tests of both; to delete one's folder at the end does not. */
const REACHING = [
  /^(?:before(?:Each)?|afterEach)\(|^after\((?!\(\) => rm(?:Sync)?\(\w+, \{ recursive: true \}\)\);$)/m,
  /\bprocess\.(?!hrtime|memoryUsage|platform|env, )/,
  /\bglobalThis\b/,
  /\bmock\./,
];

function testFilesIn(folder: string): readonly string[] {
  const all = readdirSync(join(TEST, folder), { encoding: 'utf8' });
  return all.filter((file) => file.endsWith('.test.ts')).map((file) => join(TEST, folder, file));
}

function isAlone(file: string): boolean {
  return ALONE.includes(relative(TEST, file).split(sep).join('/'));
}

function filesOf(groups: readonly string[]): readonly string[] {
  return groups.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^import "(file:[^"]+)";$/gm)].map(([, url = '']) => fileURLToPath(url)),
  );
}

describe('test files that share a process', () => {
  for (const folder of Object.values(SHARING_FOLDERS).flat()) {
    it(`of test/${folder} change nothing outside themselves`, () => {
      for (const file of testFilesIn(folder).filter((path) => !isAlone(path))) {
        const text = readFileSync(file, 'utf8');
        for (const reaching of REACHING) assert.doesNotMatch(text, reaching, file);
      }
    });
  }

  it('are each run once', () => {
    const wanted = testFilesIn('rules');
    const files = groupTestFiles(wanted);
    assert.ok(files.length < wanted.length / 2);
    assert.deepEqual(filesOf(files).toSorted(), wanted.toSorted());
  });

  it('are none of those that have a process of their own', () => {
    const wanted = [...testFilesIn('scripts'), ...testFilesIn('cli')].filter(isAlone);
    assert.deepEqual(groupTestFiles(wanted), wanted);
  });

  it('are together when they read the same, whatever their folders', () => {
    const wanted = ['rules', 'rbac'].flatMap(testFilesIn).filter((file) => file.includes('corpus'));
    const files = groupTestFiles(wanted);
    assert.deepEqual([files.length, filesOf(files)], [1, wanted]);
  });

  it('are any files that somebody puts together', () => {
    const wanted = [...testFilesIn('scripts'), ...testFilesIn('cluster')];
    assert.deepEqual(filesOf([shareProcess('any', wanted)]), wanted);
  });
});
