import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { escapeToken, tokensOf, valueAt } from '../../src/kube/pointer.ts';

describe('valueAt', () => {
  // The document of RFC 6901, section 5, and what strangers could add to it.
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'm~n': 8, nested: { list: [{ x: null }] } };
  const cases: readonly (readonly [string, unknown])[] = [
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/foo/1', 'baz'],
    ['/', 0],
    ['/a~1b', 1],
    ['/m~0n', 8],
    ['/nested/list/0/x', null],
    ['/foo/2', undefined],
    ['/foo/-', undefined],
    ['/foo/', undefined],
    ['/foo/00', undefined],
    ['/foo/1e0', undefined],
    ['/foo/length', undefined],
    ['/foo/0/x', undefined],
    ['/constructor', undefined],
    ['/__proto__', undefined],
    ['/nested/list/0/x/y', undefined],
  ];
  for (const [pointer, expected] of cases) {
    it(`"${pointer}" names ${JSON.stringify(expected)}`, () => assert.deepEqual(valueAt(document, pointer), expected));
  }

  it('finds what any keys lead to', () => {
    const tokens = fc.array(fc.string({ unit: fc.constantFrom('a', '~', '/', '0', '1', '_') }), { maxLength: 4 });
    fc.assert(
      fc.property(tokens, (keys) => {
        const tree = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), 'leaf');
        const pointer = keys.map((key) => `/${escapeToken(key)}`).join('');
        assert.equal(valueAt(tree, pointer), 'leaf');
        assert.deepEqual(tokensOf(pointer), keys);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), fc.string(), (value, text) => void valueAt(value, `/${text}`)));
  });
});
