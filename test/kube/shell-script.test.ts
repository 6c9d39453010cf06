import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { parseShellScript, type ShellVariables } from '../../src/kube/shell-script.ts';

/** Variables of a shell, `known` to begin with; `spent` counts the characters that were looked up. */
class Variables implements ShellVariables {
  spent = 0;
  private readonly values: Map<string, string>;

  constructor(known: Readonly<Record<string, string>> = {}) {
    this.values = new Map(Object.entries(known));
  }

  lookup(name: string): string | undefined {
    const value = this.values.get(name);
    this.spent += value?.length ?? 0;
    return value;
  }

  assign(name: string, value: string): void {
    this.values.set(name, value);
  }
}

const KNOWN = { PORT: '10255', TWO: '--a --b', EMPTY: '', '1': 'first' };

describe('parseShellScript', () => {
  const cases: readonly (readonly [string, string, readonly (readonly string[])[]])[] = [
    ['one command', 'kubelet --v=2', [['kubelet', '--v=2']]],
    ['nothing', ' \n\t ', []],
    ['several commands', 'a; b && c || d & e | f\ng', [['a'], ['b'], ['c'], ['d'], ['e'], ['f'], ['g']]],
    ['single quotes', "a 'b $PORT; c' d", [['a', 'b $PORT; c', 'd']]],
    ['double quotes', 'a "b $PORT; c" d', [['a', 'b 10255; c', 'd']]],
    ['quotes inside a word', `--a="b"'c'd`, [['--a=bcd']]],
    ['an empty word', `a "" ''`, [['a', '', '']]],
    ['quotes that never end', `a 'b c`, [['a', 'b c']]],
    ['double quotes that never end', `a "b c`, [['a', 'b c']]],
    ['a backslash', 'a b\\ c \\"d\\"', [['a', 'b c', '"d"']]],
    ['a line that goes on', 'kubelet \\\n  --v=2', [['kubelet', '--v=2']]],
    ['a backslash at the end', 'a\\', [['a\\']]],
    ['comments', '# one\na # two\nb#c', [['a'], ['b#c']]],
    ['keywords stay words', 'if a; then b; fi', [['if', 'a'], ['then', 'b'], ['fi']]],
    ['a group', '{ a; b; }', [['{', 'a'], ['b'], ['}']]],
    ['a group in a shell of its own', '(a; b) && c', [['a'], ['b'], ['c']]],
    ['braces inside a word', 'a{b,c} {}', [['a{b,c}', '{}']]],
    ['a function', 'f() { a; }', [['f('], ['{', 'a'], ['}']]],
    ['a redirection without a blank', 'a --p=1>/log 2>&1>>x &>y', [['a', '--p=1', '>/log', '2>&1', '>>x', '&>y']]],
    ['redirections stay words', 'a 1>>/log 2>&1 <in', [['a', '1>>/log', '2>&1', '<in']]],
    ['a known parameter', 'a --p=$PORT ${PORT}', [['a', '--p=10255', '10255']]],
    ['an unknown parameter', 'a $NOBODY ${NOBODY}', [['a', '$NOBODY', '${NOBODY}']]],
    ['a default', 'a ${NOBODY:-x} ${NOBODY-y} ${PORT:-z}', [['a', 'x', 'y', '10255']]],
    ['a parameter with several words', 'a $TWO "$TWO" x$TWO', [['a', '--a', '--b', '--a --b', 'x--a', '--b']]],
    ['an empty parameter', 'a $EMPTY "$EMPTY" b', [['a', '', 'b']]],
    ['a parameter by its number', 'a $1', [['a', 'first']]],
    ['a dollar sign', 'a $ 5$ $/', [['a', '$', '5$', '$/']]],
    ['an assignment', 'P=1; export Q=2 R=3\na $P$Q$R', [['P=1'], ['export', 'Q=2', 'R=3'], ['a', '123']]],
    ['an assignment for one command', 'P=1 a $P', [['P=1', 'a', '$P']]],
    ['an assignment from a default', 'P=${NOBODY:-7}\na $P', [['P=7'], ['a', '7']]],
    [
      'a command inside a command',
      'a --x=$(b c) --y',
      [
        ['b', 'c'],
        ['a', '--x=$()', '--y'],
      ],
    ],
    ['a command inside one inside one', 'a $(b $(c; d) e) f', [['c'], ['d'], ['b', '$()', 'e'], ['a', '$()', 'f']]],
    [
      'backticks',
      'a --x=`b c` d',
      [
        ['b', 'c'],
        ['a', '--x=$()', 'd'],
      ],
    ],
    ['a command inside quotes is text', 'a "$(b c)" d', [['a', '$(b c)', 'd']]],
    ['arithmetic', 'a $((1+2)) b', [['1+2'], ['a', '$()', 'b']]],
    ['a command inside a command that never ends', 'a $(b', [['b'], ['a', '$()']]],
    ['parentheses that nobody opened', 'a) b', [['a'], ['b']]],
  ];
  for (const [name, script, expected] of cases) {
    it(name, () => assert.deepEqual(parseShellScript(script, new Variables(KNOWN)), expected));
  }

  const scripts = fc.oneof(
    fc.string({ unit: fc.constantFrom(...Array.from(`ab1=-$(){}"'\`\\;&|<># \n\t`)), maxLength: 60 }),
    fc
      .array(fc.constantFrom('$(', ')', '`', '"', "'", '$A', '${A:-b}', 'A=$A$A', '\n', ' ', ';', '(', 'x'))
      .map((parts) => parts.join('')),
  );

  it('never throws, and makes no more text than was written or looked up', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const variables = new Variables({ A: 'value' });
        const words = parseShellScript(script, variables).flat();
        const length = words.reduce((sum, word) => sum + word.length, 0);
        // A command inside a command leaves three characters where it stood.
        assert.ok(length <= 2 * script.length + 3 + variables.spent, JSON.stringify(words));
      }),
    );
  });

  it('gives words without blanks and separators back as they are', () => {
    const words = fc.array(fc.stringMatching(/^[a-z0-9=.:/@%+-]{1,8}$/), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(words), (commands) => {
        const script = commands.map((command) => command.join(' ')).join('; ');
        assert.deepEqual(parseShellScript(script, new Variables()), commands);
      }),
    );
  });
});
