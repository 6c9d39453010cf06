import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const UPDATES = process.env['UPDATE_GOLDEN'] === '1';

/**
 * Compares texts with the golden files of a folder, by file name. A golden file that is no longer asked for fails, too;
 * `known` names what else the folder holds. With UPDATE_GOLDEN=1 the files are written and stale ones are removed.
 */
export function checkGoldens(folder: string, texts: Readonly<Record<string, string>>, known: readonly string[]): void {
  const stale = readdirSync(folder).filter((name) => !Object.hasOwn(texts, name) && !known.includes(name));
  if (UPDATES) {
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
    for (const name of stale) rmSync(join(folder, name), { recursive: true });
    return;
  }
  assert.deepEqual(stale, [], 'nothing makes these golden files any more; UPDATE_GOLDEN=1 removes them');
  for (const [name, text] of Object.entries(texts)) {
    assert.equal(text, readGolden(join(folder, name)), `${name} differs; UPDATE_GOLDEN=1 accepts it`);
  }
}

function readGolden(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return assert.fail(`${file} is missing; UPDATE_GOLDEN=1 makes it`);
  }
}
