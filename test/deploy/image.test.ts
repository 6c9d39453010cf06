import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { parse } from 'yaml';

const ROOT = new URL('../../', import.meta.url);
const LINES = readFileSync(new URL('Dockerfile', ROOT), 'utf8').split('\n');

/** The words after an instruction, for each time it is given. */
function instructions(name: string): readonly (readonly string[])[] {
  return LINES.filter((line) => line.startsWith(`${name} `)).map((line) => line.split(' ').slice(1));
}

describe('the image', () => {
  it('is built from files that are there, and no others get to the builder', () => {
    const copied = instructions('COPY').filter(([first = '']) => !first.startsWith('--'));
    const sources = copied.flatMap((words) => words.slice(0, -1));
    for (const source of sources) assert.ok(existsSync(new URL(source, ROOT)), source);
    const [all, ...exceptions] = readFileSync(new URL('.dockerignore', ROOT), 'utf8').trim().split('\n');
    assert.equal(all, '*');
    assert.deepEqual(new Set(exceptions), new Set(sources.map((source) => `!${source}`)));
  });

  it('runs as the user that the chart says', () => {
    const { runAsUser } = parse(readFileSync(new URL('deploy/helm/scrapeguard/values.yaml', ROOT), 'utf8'));
    assert.deepEqual(instructions('USER'), [[`${runAsUser}:${runAsUser}`]]);
  });

  it('has bases that can be pinned', () => {
    const names = instructions('ARG').map(([word = '']) => word.split('=')[0]);
    assert.deepEqual(
      instructions('FROM').map(([base]) => base),
      names.map((name) => `\${${name}}`),
    );
  });
});
