import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { nearestName, nearestObjectName } from '../../src/policy/nearest.ts';

const RULES = ['kubelet-read-only-port', 'kubelet-read-only-port-client', 'metrics-grant', 'nodes-proxy-grant'];
const PROFILES = ['off', 'baseline', 'strict'];

describe('the nearest name', () => {
  const rows: readonly (readonly [name: string, candidates: readonly string[], nearest: string | undefined])[] = [
    ['kubelet-readonly-port', RULES, 'kubelet-read-only-port'],
    ['metric-grant', RULES, 'metrics-grant'],
    ['nodes-proxy-grants', RULES, 'nodes-proxy-grant'],
    ['metrics-grant', RULES, 'metrics-grant'],
    ['node-exporter', RULES, undefined],
    ['basline', PROFILES, 'baseline'],
    ['Strict', PROFILES, 'strict'],
    ['of', PROFILES, 'off'],
    ['restricted', PROFILES, 'strict'],
    ['privileged', PROFILES, undefined],
    ['', PROFILES, undefined],
    ['anything', [], undefined],
  ];
  for (const [name, candidates, nearest] of rows) {
    it(`to "${name}" is ${nearest ?? 'none'}`, () => assert.equal(nearestName(name, candidates), nearest));
  }

  it('is the first of two that are equally near', () => {
    assert.equal(nearestName('cat', ['bat', 'hat']), 'bat');
  });

  it('is found at once for a name of any length', () => {
    assert.equal(nearestName('x'.repeat(1_000_000), RULES), undefined);
  });
});

describe('the nearest name of an object', () => {
  const rows: readonly (readonly [name: string, candidates: readonly string[], nearest: string | undefined])[] = [
    ['kubelet-apis', ['kubelet-api', 'kubelet'], 'kubelet-api'],
    ['test-kubelet-api', ['kubelet-api', 'api'], 'kubelet-api'],
    ['prometheus-server-blue', ['prometheus', 'prometheus-server'], 'prometheus-server'],
    ['prometheus', ['team-a-prometheus', 'prometheus-server'], 'team-a-prometheus'],
    ['my-operator-admin', ['admin'], undefined],
    ['testkubelet-apiserver', ['kubelet-api'], undefined],
    ['ghost', ['view', 'edit'], undefined],
    ['ghost', [], undefined],
    ['x'.repeat(10_000), ['x'.repeat(9_999), 'x'], undefined],
  ];
  for (const [name, candidates, nearest] of rows) {
    it(`to "${name.slice(0, 30)}" is ${nearest ?? 'none'}`, () => {
      assert.equal(nearestObjectName(name, candidates), nearest);
    });
  }
});

it('is at the distance that Levenshtein says', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 12 });
  fc.assert(
    fc.property(word, fc.array(word, { maxLength: 4 }), (name, candidates) => {
      const limit = Math.min(4, Math.max(2, Math.ceil(name.length / 3)));
      const distances = candidates.map((candidate) => levenshtein(name, candidate));
      const least = Math.min(...distances, limit + 1);
      assert.equal(nearestName(name, candidates), least > limit ? undefined : candidates[distances.indexOf(least)]);
    }),
  );
});

function levenshtein(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const rest = levenshteinRows(a, b);
  return rest.at(-1) ?? 0;
}

/** The last row of the whole table. */
function levenshteinRows(a: string, b: string): readonly number[] {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries()) {
      const substitution = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row;
}
