import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { oneLine, renderMessage, renderRemediation, shorten } from '../../src/policy/message.ts';
import { anyText } from '../support/any-text.ts';

const message = (text: string) => ({ level: 'violation', text }) as const;

describe('a message', () => {
  it('has its placeholders filled, numbers too, as often as they stand there', () => {
    const text = 'container "{{container}}" declares {{port}}, and {{port}} again';
    assert.equal(
      renderMessage(message(text), { container: 'app', port: 10255 }),
      'container "app" declares 10255, and 10255 again',
    );
  });

  it('shows a placeholder without a value as it is', () => {
    assert.equal(renderMessage(message('{{unknown}} and {{container}}'), { container: 'a' }), '{{unknown}} and a');
    assert.equal(renderMessage(message('{{container}}')), '{{container}}');
  });

  it('does not fill placeholders that a value brings along, nor patterns of replacement', () => {
    const data = { first: '{{second}}', second: '$& $1 $$' };
    assert.equal(renderMessage(message('{{first}} {{second}}'), data), '{{second}} $& $1 $$');
  });

  it('cuts a long value to 80 characters', () => {
    assert.equal(renderMessage(message('{{value}}'), { value: 'v'.repeat(80) }), 'v'.repeat(80));
    assert.equal(renderMessage(message('{{value}}'), { value: 'v'.repeat(3_000_000) }), `${'v'.repeat(79)}…`);
  });

  it('stays on one line whatever a value holds', () => {
    const value = 'a\nb\r\nc\u0000d\u001B[31me\u007Ff\u0085g\u2028h';
    assert.equal(renderMessage(message('{{value}}'), { value }), 'a b  c d [31me f g h');
  });
});

describe('a remediation', () => {
  it('is filled like a message, with room for what is to be copied', () => {
    assert.equal(renderRemediation('Write {{line}}.', { line: 'x'.repeat(400) }), `Write ${'x'.repeat(400)}.`);
    assert.equal(renderRemediation('{{line}}', { line: 'x'.repeat(3_000_000) }), `${'x'.repeat(399)}…`);
    assert.equal(renderRemediation('{{line}} {{other}}', { line: 'a\nb' }), 'a b {{other}}');
    assert.equal(renderRemediation('Take it away.'), 'Take it away.');
  });
});

describe('one line', () => {
  const rows: readonly (readonly [name: string, text: string, line: string])[] = [
    ['keeps plain text', 'container "a" – 10255 €', 'container "a" – 10255 €'],
    ['keeps pairs of surrogates', 'a😀b', 'a😀b'],
    ['has no half of a surrogate pair', 'a\uD83Db\uDE00c', 'a b c'],
    ['has nothing that turns text around', 'a\u202Eb\u2066c', 'a b c'],
    ['has nothing that nobody sees', 'a\u200Bb\u00ADc\uFEFFd', 'a b c d'],
  ];
  for (const [name, text, line] of rows) it(name, () => assert.equal(oneLine(text), line));
});

describe('a shortened text', () => {
  it('is at most as long as it may be, and says where it was cut', () => {
    assert.equal(shorten('abcd', 4), 'abcd');
    assert.equal(shorten('abcde', 4), 'abc…');
  });

  it('does not cut a pair of surrogates in two', () => {
    assert.equal(shorten('ab😀cd', 4), 'ab…');
    assert.equal(shorten('ab😀cd', 5), 'ab😀…');
  });

  it('is well formed and short for any text', () => {
    fc.assert(
      fc.property(anyText(), fc.integer({ min: 1, max: 20 }), (text, longest) => {
        const short = shorten(text, longest);
        assert.ok(short.length <= longest);
        assert.ok(short.isWellFormed());
        assert.ok(short === text || short.endsWith('…'));
      }),
    );
  });
});
