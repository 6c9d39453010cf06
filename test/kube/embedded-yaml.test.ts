import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { documentsIn } from '../../src/kube/embedded-yaml.ts';

const ANY = /(?:)/;

/** The documents in a ConfigMap with one text. */
const read = (text: string): unknown[] => [...documentsIn({ data: { text } }, ANY)].map(({ document }) => document);

describe('documentsIn', () => {
  const cases: readonly (readonly [string, string, readonly unknown[]])[] = [
    ['YAML', 'a: 1\nb: {c: [d]}\n', [{ a: 1, b: { c: ['d'] } }]],
    ['JSON', '{"a": [true, null]}', [{ a: [true, null] }]],
    [
      'YAML 1.1, as components read it',
      'a: yes\nb: 0x280F\nc: 024017\nd: 10_255\n',
      [{ a: true, b: 10255, c: 10255, d: 10255 }],
    ],
    ['several documents', 'a: 1\n---\nb: 2\n', [{ a: 1 }, { b: 2 }]],
    ['the last of two equal keys', 'a: 1\na: 2\n', [{ a: 2 }]],
    ['a list, a word, nothing', '- a\n---\nb\n---\n', []],
    ['no YAML', 'a: [1\nb: }', []],
    ['an alias', 'a: &x 1\nb: *x\n', []],
  ];
  for (const [name, text, expected] of cases) {
    it(`reads ${name}`, () => assert.deepEqual(structuredClone(read(text)), expected));
  }

  it('says where each text stands, and passes over what does not mention the word', () => {
    const data = { 'a/b': 'port: 1', c: 'other: 1', d: 7, e: null };
    assert.deepEqual([...documentsIn({ data }, /port/)], [{ path: '/data/a~1b', key: 'a/b', document: { port: 1 } }]);
  });

  it('reads keys of strangers as data', () => {
    const [document] = documentsIn({ data: { text: '__proto__: {polluted: true}\nconstructor: 1\n' } }, ANY);
    assert.deepEqual(Object.keys(document?.document ?? {}), ['__proto__', 'constructor']);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });

  it('reads no more than a bounded amount of text', () => {
    const long = `a: ${'x'.repeat(7000)}`;
    const half = `a: ${'x'.repeat(4000)}`;
    assert.deepEqual(read(long), []);
    assert.deepEqual(
      [...documentsIn({ data: { one: half, two: half, three: 'a: 1' } }, ANY)].map(({ key }) => key),
      ['one', 'three'],
    );
  });

  it('never throws', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('ab1:-[]{}&*!|>"\'#%@? \n\t')) });
    fc.assert(fc.property(text, (yaml) => read(yaml).every((document) => typeof document === 'object')));
    fc.assert(fc.property(fc.anything(), (data) => void [...documentsIn({ data }, ANY)]));
  });
});
