import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { matchesPathPattern } from '../../src/kube/go-path-match.ts';

describe('matchesPathPattern', () => {
  // Each row was compared with path.Match(pattern, path) of Go 1.26; where that reports an error nothing matches.
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['/metrics', '/metrics', true],
    ['/metrics', '/metrics/', false],
    ['/met*', '/metrics', true],
    ['/*', '/metrics', true],
    ['/*', '/metrics/slis', false],
    ['/*/*', '/metrics/slis', true],
    ['*', '/metrics', false],
    ['*', '', true],
    ['/metrics*', '/metrics', true],
    ['/*s', '/metrics', true],
    ['/*c*s', '/metrics', true],
    ['/*x*', '/metrics', false],
    ['/m?trics', '/metrics', true],
    ['?metrics', '/metrics', false],
    ['[^a]metrics', '/metrics', true],
    ['/[a-m]etrics', '/metrics', true],
    ['/[^a-m]etrics', '/metrics', false],
    ['/[m-a]etrics', '/metrics', false],
    ['/[xm]etrics', '/metrics', true],
    ['/[\\]m]etrics', '/metrics', true],
    ['\\/metrics', '/metrics', true],
    ['/metric[s', '/metrics', false],
    ['/metric[]s]', '/metrics', false],
    ['/metric[-s]', '/metrics', false],
    ['/metrics\\', '/metrics', false],
    ['', '/metrics', false],
    ['', '', true],
  ];
  for (const [pattern, path, expected] of cases) {
    it(`${pattern} ${expected ? 'matches' : 'does not match'} "${path}"`, () => {
      assert.equal(matchesPathPattern(pattern, path), expected);
    });
  }

  it('never throws, and a pattern without signs matches itself alone', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('/ab*?[]^-\\')) });
    const plain = fc.stringMatching(/^[/a-z.]{0,10}$/);
    fc.assert(
      fc.property(text, text, plain, plain, (pattern, path, one, other) => {
        assert.equal(typeof matchesPathPattern(pattern, path), 'boolean');
        assert.equal(matchesPathPattern(one, other), one === other);
      }),
    );
  });
});
