import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { parseGoBool, parseGoInt } from '../../src/kube/go-values.ts';

describe('parseGoInt', () => {
  // Each row was compared with strconv.ParseInt(text, 0, 64) of Go 1.26.
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['10255', 10255],
    ['0', 0],
    ['-0', 0],
    ['+5', 5],
    ['-5', -5],
    ['0x280F', 10255],
    ['0X280f', 10255],
    ['024017', 10255],
    ['0o24017', 10255],
    ['0O17', 15],
    ['0b101', 5],
    ['10_255', 10255],
    ['0_7', 7],
    ['0x_28_0F', 10255],
    [`0x${'0'.repeat(200)}280F`, 10255],
    ['00', 0],
    ['08', undefined],
    ['0x', undefined],
    ['0b2', undefined],
    ['1__0', undefined],
    ['_1', undefined],
    ['1_', undefined],
    ['1e4', undefined],
    ['10255.0', undefined],
    [' 10255', undefined],
    ['10255\n', undefined],
    ['', undefined],
    ['-', undefined],
    ['٣', undefined],
    ['99999999999999999999', undefined],
  ];
  for (const [text, expected] of cases) {
    it(`reads ${JSON.stringify(text.length > 40 ? `${text.slice(0, 10)}…` : text)} as ${expected}`, () => {
      assert.equal(parseGoInt(text), expected);
    });
  }

  it('reads back every way to write a number', () => {
    const written = fc.integer({ min: 0, max: 2 ** 31 }).chain((value) => {
      const spellings = [`${value}`, `0x${value.toString(16)}`, `0${value.toString(8)}`, `0b${value.toString(2)}`];
      return fc.constantFrom(...spellings).map((text) => ({ text, value }));
    });
    fc.assert(fc.property(written, ({ text, value }) => assert.equal(parseGoInt(text), value)));
  });

  it('never throws and never answers something that is no integer', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const value = parseGoInt(text);
        assert.ok(value === undefined || Number.isSafeInteger(value));
      }),
    );
  });
});

describe('parseGoBool', () => {
  for (const text of ['1', 't', 'T', 'true', 'True', 'TRUE']) {
    it(`reads ${text} as true`, () => assert.equal(parseGoBool(text), true));
  }
  for (const text of ['0', 'f', 'F', 'false', 'False', 'FALSE']) {
    it(`reads ${text} as false`, () => assert.equal(parseGoBool(text), false));
  }
  for (const text of ['', 'yes', 'no', 'on', 'tRUE', ' true', 'constructor']) {
    it(`refuses "${text}"`, () => assert.equal(parseGoBool(text), undefined));
  }
});
