import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { commandsOf, type Command } from '../../src/kube/command-line.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { containerOf as asContainer, type Container } from '../../src/kube/pods.ts';
import { wordOf } from '../../src/kube/word.ts';

const containerOf = (spec: JsonObject): Container => asContainer(spec, 'containers', 0);

/** The commands as `program word word`, a program without a name as `-`. */
function shown(spec: JsonObject): string[] {
  return commandsOf(containerOf(spec)).map(show);
}

function show({ program, words }: Command): string {
  return [program || '-', ...words.map(({ text }) => text)].join(' ');
}

describe('commandsOf', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['a program', ['kubelet', '--v=2'], ['kubelet --v=2']],
    ['a program with a path', ['/usr/local/bin/kubelet', '--v=2'], ['kubelet --v=2']],
    ['a program of Windows', ['C:\\k\\kubelet.exe', '--v=2'], ['kubelet --v=2']],
    ['flags only', ['--v=2', '--x'], ['- --v=2 --x']],
    ['a shell', ['sh', '-c', 'exec kubelet --v=2'], ['kubelet --v=2']],
    ['a shell with a cluster of options', ['/bin/bash', '-euxc', 'kubelet --v=2'], ['kubelet --v=2']],
    ['a cluster in another order', ['/bin/sh', '-ce', 'kubelet --v=2'], ['kubelet --v=2']],
    ['options that take a value', ['bash', '-Eeuo', 'pipefail', '-c', 'kubelet'], ['kubelet']],
    ['options behind the -c', ['sh', '-c', '-x', '--', 'kubelet --v=2'], ['kubelet --v=2']],
    [
      'several commands in a script',
      ['sh', '-c', 'set -e\nmkdir -p /a && kubelet --v=2'],
      ['set -e', 'mkdir -p /a', 'kubelet --v=2'],
    ],
    ['a shell without a script', ['sh', '/run.sh', 'kubelet'], ['sh /run.sh kubelet']],
    ['a shell that never gets its script', ['sh', '-c'], ['sh -c']],
    ['a shell in a shell', ['sh', '-c', `bash -c "kubelet --v=2"`], ['kubelet --v=2']],
    ['the arguments of a script', ['sh', '-c', 'exec "$@"', '--', 'kubelet', '--v=2'], ['kubelet --v=2']],
    [
      'the arguments of a script among others',
      ['sh', '-c', 'kubelet $@ --z', 'x', '--v=2', '--y'],
      ['kubelet --v=2 --y --z'],
    ],
    ['one argument of a script', ['sh', '-c', '$0 --v=$1', 'kubelet', '2'], ['kubelet --v=2']],
    [
      'a variable of the script',
      ['sh', '-c', 'PORT=10255\nkubelet --read-only-port=$PORT'],
      ['kubelet --read-only-port=10255'],
    ],
    [
      'a command inside a command',
      ['sh', '-c', 'kubelet --node-ip=$(hostname -i) --v=2'],
      ['hostname -i', 'kubelet --node-ip=$() --v=2'],
    ],
    ['exec, env, assignments', ['env', 'A=1', '-u', 'B', 'kubelet', '--v=2'], ['kubelet --v=2']],
    ['an init', ['/sbin/tini', '-g', '--', 'kubelet', '--v=2'], ['kubelet --v=2']],
    [
      'a logging wrapper',
      ['/go-runner', '--log-file=/l', '--also-stdout=true', '/bin/kube-scheduler', '--v=2'],
      ['kube-scheduler --v=2'],
    ],
    ['a timeout in seconds', ['timeout', '10', 'kubelet', '--v=2'], ['kubelet --v=2']],
    ['a timeout with a signal', ['timeout', '-s', 'KILL', '10s', 'kubelet'], ['kubelet']],
    ['another root', ['chroot', '/host', 'kubelet', '--v=2'], ['kubelet --v=2']],
    ['another root whose name is a wrapper', ['chroot', '/time', 'kubelet'], ['kubelet']],
    ['another user', ['sudo', '-u', 'root', 'kubelet'], ['kubelet']],
    ['another priority', ['nice', '-n', '10', 'ionice', '-c', '2', 'kubelet'], ['kubelet']],
    ['the namespaces of the host', ['nsenter', '-t', '1', '-m', '--', 'kubelet'], ['kubelet']],
    ['a wrapper of nothing', ['exec'], []],
    ['nothing', [], []],
    [
      'a group and a function',
      ['sh', '-c', '{ kubelet --v=2; }; run() { kubelet; }'],
      ['kubelet --v=2', 'run(', 'kubelet'],
    ],
    ['keywords of a shell', ['sh', '-c', 'while true; do kubelet --v=2; done'], ['true', 'kubelet --v=2', 'done']],
  ];
  for (const [name, command, expected] of cases) {
    it(name, () => assert.deepEqual(shown({ command }), expected));
  }

  it('reads command and args as one line, and says which field each word stands in', () => {
    const [command] = commandsOf(containerOf({ command: ['kubelet', '--a'], args: ['--b', '--c'] }));
    assert.deepEqual(command, {
      program: 'kubelet',
      words: [
        wordOf('--a', '/spec/containers/0/command/1'),
        wordOf('--b', '/spec/containers/0/args/0'),
        wordOf('--c', '/spec/containers/0/args/1'),
      ],
    });
  });

  it('says of every word of a script where the script stands', () => {
    const [command] = commandsOf(containerOf({ command: ['sh'], args: ['-c', 'kubelet --v=2'] }));
    assert.deepEqual(command?.words, [wordOf('--v=2', '/spec/containers/0/args/1')]);
  });

  it('expands variables in words and in scripts', () => {
    const env = [
      { name: 'PORT', value: '10255' },
      { name: 'FLAGS', value: '--a --b' },
    ];
    assert.deepEqual(shown({ env, command: ['kubelet', '--p=$(PORT)', '$(FLAGS)'] }), ['kubelet --p=10255 --a --b']);
    assert.deepEqual(shown({ env, command: ['sh', '-c', 'kubelet --p=$PORT'] }), ['kubelet --p=10255']);
    const [command] = commandsOf(containerOf({ env, command: ['sh', '-c', 'kubelet $FLAGS'] }));
    assert.equal(command?.words.length, 2);
  });

  it('reads shells inside shells only so deep', () => {
    const script = Array.from({ length: 12 }).reduce((inner: string) => `sh -c ${JSON.stringify(inner)}`, 'kubelet');
    assert.deepEqual(
      commandsOf(containerOf({ command: ['sh', '-c', script] })).map(({ program }) => program),
      ['sh'],
    );
  });

  it('reads a malformed command as an absent one', () => {
    assert.deepEqual(shown({ command: 'kubelet', args: { 0: '--v' } }), []);
    assert.deepEqual(shown({ command: [null, 'kubelet', 7], args: [[], '--v'] }), ['kubelet --v']);
  });

  const words = fc.array(
    fc.oneof(
      fc.constantFrom(
        'sh',
        '-c',
        'exec',
        'env',
        '$@',
        '$(A)',
        '$A',
        '"$@" "$@"',
        'A=$A$A',
        'timeout',
        '--x=$(A)$(A)',
        '$(sh -c "$A")',
      ),
      fc.string({ unit: fc.constantFrom(...Array.from('ac-=$(){}"\'`\\;&| \n')) }),
    ),
    { maxLength: 12 },
  );

  it('never throws, and its result is linear in what is written', () => {
    fc.assert(
      fc.property(words, words, fc.string({ maxLength: 20 }), (command, args, value) => {
        const commands = commandsOf(containerOf({ command, args, env: [{ name: 'A', value }] }));
        const length = commands.reduce(
          (sum, { words: found }) => sum + found.reduce((all, { text }) => all + text.length, 0),
          0,
        );
        const written = [...command, ...args, value].join('').length;
        assert.ok(length <= 8 * (4096 + 8 * written));
      }),
      { numRuns: 300 },
    );
  });
});
