import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import type { Command } from '../../src/kube/command-line.ts';
import { booleanOf, flagOf, flagsNamed, hasFlag, integerOf, listItemsOf } from '../../src/kube/flags.ts';
import { wordOf } from '../../src/kube/word.ts';

const command = (...words: string[]): Command => ({
  program: 'kubelet',
  words: words.map((text, index) => wordOf(text, `/args/${index}`)),
});

describe('flagOf', () => {
  const cases: readonly (readonly [string, readonly string[], string | undefined])[] = [
    ['a value behind =', ['--port=1'], '1'],
    ['a value in the next word', ['--port', '1'], '1'],
    ['one dash', ['-port=1'], '1'],
    ['one dash, next word', ['-port', '1'], '1'],
    ['underscores', ['--read_only=2', '--po_rt=3', '--port=1'], '1'],
    ['the last one counts', ['--port=1', '--port', '2'], '2'],
    ['an empty value', ['--port='], ''],
    ['a value with =', ['--port=a=b'], 'a=b'],
    ['no value at the end', ['--port'], ''],
    ['a longer name', ['--port-name=1', '--ports=2'], undefined],
    ['no flag', ['port=1', 'port'], undefined],
    ['three dashes', ['---port=1'], undefined],
    ['a name that every object has', ['--constructor=1'], undefined],
  ];
  for (const [name, words, expected] of cases) {
    it(name, () => assert.equal(flagOf(command(...words), 'port')?.value, expected));
  }

  it('takes no next word for a boolean flag', () => {
    assert.equal(flagOf(command('--anonymous-auth', 'false'), 'anonymous-auth', 'boolean')?.value, 'true');
    assert.equal(flagOf(command('--anonymous-auth=false'), 'anonymous-auth', 'boolean')?.value, 'false');
  });

  it('says which word the flag stands in', () => {
    assert.equal(flagOf(command('--a', '--port', '1'), 'port')?.path, '/args/1');
  });
});

describe('flags', () => {
  it('are found in order', () => {
    const values = flagsNamed(command('--a=1', '--b=2', '--a', '3'), 'a').map(({ value }) => value);
    assert.deepEqual(values, ['1', '3']);
  });

  it('are there whatever their value', () => {
    assert.equal(hasFlag(command('--a_b'), 'a-b'), true);
    assert.equal(hasFlag(command('a-b'), 'a-b'), false);
  });

  it('hold numbers and booleans as Go writes them', () => {
    assert.equal(integerOf({ value: '0x10', path: '' }), 16);
    assert.equal(booleanOf({ value: 'F', path: '' }), false);
  });

  it('join their lists', () => {
    const items = listItemsOf(command('--paths=/a,"/b"', '--paths', '/c'), 'paths');
    assert.deepEqual(items, [
      { value: '/a', path: '/args/0' },
      { value: '/b', path: '/args/0' },
      { value: '/c', path: '/args/1' },
    ]);
    assert.deepEqual(listItemsOf(command('--path=/a'), 'paths'), []);
  });

  it('are the same however they are written', () => {
    const name = fc.stringMatching(/^[a-z]{1,5}$/);
    const value = fc.stringMatching(/^[a-z0-9=:]{0,5}$/);
    fc.assert(
      fc.property(name, value, fc.array(fc.stringMatching(/^-?[a-z]{0,3}$/)), (flag, text, others) => {
        const joined = flagOf(command(...others, `--${flag}=${text}`), flag)?.value;
        const apart = flagOf(command(...others, `-${flag}`, text), flag)?.value;
        assert.equal(joined, text);
        assert.equal(apart, text);
      }),
    );
  });
});
