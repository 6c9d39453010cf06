import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pairwise } from './pairwise.ts';

it('any two values of two settings meet, in fewer rows than there are combinations', () => {
  const axes = { a: [0, 1, 2, 3, 4], b: [0, 1, 2], c: [0, 1], d: [0, 1], e: [0, 1, 2] };
  const rows = pairwise(axes);
  const names = Object.keys(axes) as (keyof typeof axes)[];
  for (const [at, first] of names.entries()) {
    for (const second of names.slice(at + 1)) {
      const met = new Set(rows.map((row) => `${row[first]} ${row[second]}`));
      assert.equal(met.size, axes[first].length * axes[second].length, `${first} and ${second}`);
    }
  }
  assert.ok(rows.length <= 20, String(rows.length));
  assert.deepEqual(pairwise(axes), rows);
});
