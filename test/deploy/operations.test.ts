import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const ROOT = new URL('../../', import.meta.url);
const PAGE = readFileSync(new URL('docs/operations.md', ROOT), 'utf8');

/** The last column of the table of failures: a file and the title of a test in it. */
const ROWS = [...PAGE.matchAll(/^\| (.*?) \| .* \| `(test\/[^`]+)`: (.*) \|$/gm)];

describe('every row of the table of failures names a test that is there', () => {
  it('and there are rows', () => assert.ok(ROWS.length > 20, String(ROWS.length)));

  for (const [, situation = '', file = '', title = ''] of ROWS) {
    it(situation, () => {
      assert.ok(existsSync(new URL(file, ROOT)), file);
      const text = readFileSync(new URL(file, ROOT), 'utf8');
      assert.ok(text.includes(title), `${file} has no test "${title}"`);
    });
  }

  it('and there is no row without one', () => {
    const lines = PAGE.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:situation|---)/.test(line));
    assert.equal(lines.length, ROWS.length);
  });
});
