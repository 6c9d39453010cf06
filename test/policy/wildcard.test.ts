import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { matchesAny, matchesWildcard, wildcardMatcher } from '../../src/policy/wildcard.ts';

/** What a pattern means, as simply as it can be said: a star takes nothing, or one more character. */
function matchesByDefinition(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern.startsWith('*')) {
    return matchesByDefinition(pattern.slice(1), text) || (text !== '' && matchesByDefinition(pattern, text.slice(1)));
  }
  return text.startsWith(pattern.charAt(0)) && matchesByDefinition(pattern.slice(1), text.slice(1));
}

describe('a wildcard', () => {
  const rows: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ['prometheus', 'prometheus', true],
    ['prometheus', 'prometheus-k8s', false],
    ['prometheus-*', 'prometheus-k8s', true],
    ['prometheus-*', 'prometheus-', true],
    ['prometheus-*', 'prometheus', false],
    ['*', '', true],
    ['**', 'anything', true],
    ['*-controller', 'a-controller', true],
    ['*-controller', '-controller', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*bc*c', 'abc', false],
    ['a*bc*c', 'abcc', true],
    ['*ab*ab*', 'abab', true],
    ['*ab*ab*', 'aba', false],
    // Everything but the star stands for itself.
    ['a.c', 'abc', false],
    ['a?c', 'abc', false],
    ['[ab]', 'a', false],
    ['{a,b}', 'a', false],
    ['system:*', 'system:node:n1', true],
    ['system:*', 'system:serviceaccount:a/b', true],
    ['.*', 'hidden', false],
    ['*', '.hidden', true],
    ['!a', 'b', false],
    ['A', 'a', false],
  ];
  for (const [pattern, text, matches] of rows) {
    it(`"${pattern}" ${matches ? 'matches' : 'does not match'} "${text}"`, () => {
      assert.equal(matchesWildcard(pattern, text), matches);
      assert.equal(wildcardMatcher(pattern)(text), matches);
    });
  }

  it('means what its definition says', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
    fc.assert(
      fc.property(patterns, letters, (pattern, text) => {
        assert.equal(matchesWildcard(pattern, text), matchesByDefinition(pattern, text));
      }),
      { numRuns: 1000 },
    );
  });

  it('ends on a name that was chosen to make it try again and again', () => {
    // A matcher that backtracks over every star does not come back from this.
    const stars = `${'a*'.repeat(30)}b`;
    assert.equal(matchesWildcard(stars, 'a'.repeat(1_000_000)), false);
    assert.equal(matchesWildcard(stars, `${'a'.repeat(1_000_000)}b`), true);
  });
});

describe('several wildcards', () => {
  it('match when one of them does', () => {
    assert.equal(matchesAny(['a', 'b*'], 'bc'), true);
    assert.equal(matchesAny(['a', 'b*'], 'c'), false);
    assert.equal(matchesAny([], ''), false);
  });
});
