import { Environment } from './environment.ts';
import { asList } from './json.ts';
import type { Container } from './pods.ts';
import { parseShellScript } from './shell-script.ts';
import { wordOf, type Word } from './word.ts';

/**
 * One program that a container starts, with the words after it. `program` is the base name without `.exe`, or '' when
 * the image's own entrypoint runs and only flags are written.
 */
export interface Command {
  readonly program: string;
  readonly words: readonly Word[];
}

const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'ash', 'dash', 'ksh', 'zsh']);

/** A program that starts the program named after its options. */
interface Wrapper {
  /** How many operands come before that program's name. */
  readonly operands?: number;
  /** Its options that take the next word as their value. */
  readonly valued?: readonly string[];
}

const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map([
  ['exec', { valued: ['-a'] }],
  ['command', {}],
  ['eval', {}],
  ['env', { valued: ['-u', '--unset', '-C', '--chdir'] }],
  ['nohup', {}],
  ['sudo', { valued: ['-u', '--user', '-g', '--group', '-h', '--host', '-C', '-D', '-R', '-r', '-t', '-T', '-U'] }],
  ['su-exec', { operands: 1 }],
  ['gosu', { operands: 1 }],
  ['s6-setuidgid', { operands: 1 }],
  ['setpriv', { valued: ['--reuid', '--regid', '--groups', '--inh-caps', '--bounding-set', '--ambient-caps'] }],
  ['nice', { valued: ['-n', '--adjustment'] }],
  ['ionice', { valued: ['-c', '--class', '-n', '--classdata'] }],
  ['taskset', { operands: 1 }],
  ['stdbuf', { valued: ['-i', '-o', '-e'] }],
  ['time', {}],
  ['setsid', {}],
  ['unshare', {}],
  ['flock', { operands: 1, valued: ['-w', '--timeout', '-E'] }],
  ['tini', { valued: ['-p', '-e'] }],
  ['tini-static', { valued: ['-p', '-e'] }],
  ['dumb-init', { valued: ['-r', '--rewrite'] }],
  ['catatonit', {}],
  ['go-runner', {}],
  ['busybox', {}],
  ['nsenter', { valued: ['-t', '--target', '-S', '--setuid', '-G', '--setgid'] }],
  ['timeout', { operands: 1, valued: ['-s', '--signal', '-k', '--kill-after'] }],
  ['chroot', { operands: 1 }],
  ['{', {}],
  ['}', {}],
  ['if', {}],
  ['then', {}],
  ['elif', {}],
  ['else', {}],
  ['while', {}],
  ['until', {}],
  ['do', {}],
  ['!', {}],
]);

/** A shell that starts a shell that starts a shell is read this deep. */
const DEEPEST_SHELL = 4;

/** A container's command and arguments as the kubelet passes them on, `$(VAR)` expanded from its literal environment. */
export function wordsOf(container: Container): readonly Word[] {
  return (container.known.words ??= readWords(container));
}

function readWords(container: Container): readonly Word[] {
  const environment = new Environment(container);
  const words: Word[] = [];
  for (const field of ['command', 'args'] as const) {
    for (const [index, text] of asList(container.spec[field]).entries()) {
      if (typeof text !== 'string') continue;
      words.push(wordOf(environment.expand(text), `${container.path}/${field}/${index}`));
    }
  }
  return words;
}

/**
 * Every program that a container starts as far as its command and arguments say: `$(VAR)` expanded from the container's
 * literal environment, `sh -c` scripts taken apart, wrappers such as `exec`, `env` and `tini` passed over. Work and
 * result are linear in the container's size.
 */
export function commandsOf(container: Container): readonly Command[] {
  return (container.known.commands ??= commandsIn(wordsOf(container), new Environment(container), 0));
}

function commandsIn(words: readonly Word[], environment: Environment, depth: number): Command[] {
  const start = skipWrappers(words);
  const first = words[start];
  if (first === undefined) return [];
  if (first.text.startsWith('-')) return [{ program: '', words: words.slice(start) }];
  const program = baseName(first.text);
  const rest = words.slice(start + 1);
  const at = SHELLS.has(program) && depth < DEEPEST_SHELL ? scriptIndex(rest) : -1;
  const script = rest[at];
  if (script === undefined) return [{ program, words: rest }];
  const positional = rest.slice(at + 1);
  const variables = {
    lookup: (name: string) => parameterOf(name, positional, environment),
    assign: (name: string, value: string) => environment.assign(name, value),
  };
  return parseShellScript(script.text, variables).flatMap((command) =>
    commandsIn(
      command.flatMap((text) => (text === ALL_PARAMETERS ? positional.slice(1) : [wordOf(text, script.path)])),
      environment,
      depth + 1,
    ),
  );
}

/** Where a shell's words hold a script: the first that is no option after `-c`, also in a cluster such as `-ec`; else -1. */
function scriptIndex(words: readonly Word[]): number {
  const option = words.findIndex(({ text }) => /^-[A-Za-z]*c[A-Za-z]*$/.test(text));
  return option < 0 ? -1 : words.findIndex(({ text }, index) => index > option && !/^[-+]/.test(text));
}

/** Stands for `$@` between parsing and splicing; no argument can hold a NUL character. */
const ALL_PARAMETERS = '\0@';

function parameterOf(name: string, positional: readonly Word[], environment: Environment): string | undefined {
  if (name === '@' || name === '*') return environment.spend(positional.length) ? ALL_PARAMETERS : undefined;
  if (!/^[0-9]$/.test(name)) return environment.valueOf(name);
  const { text } = positional[Number(name)] ?? { text: '' };
  return environment.spend(text.length) ? text : undefined;
}

/** The index of the word that names the program, wrappers with their options and operands passed over. */
function skipWrappers(words: readonly Word[]): number {
  let wrapper: Wrapper | undefined;
  let operands = 0;
  let at = 0;
  for (; at < words.length; at += 1) {
    const text = words[at]?.text ?? '';
    if (wrapper !== undefined && text.startsWith('-')) {
      if (wrapper.valued?.includes(text)) at += 1;
    } else if (operands > 0) {
      operands -= 1;
    } else if (!/^[A-Za-z_][A-Za-z0-9_]*=/.test(text)) {
      wrapper = WRAPPERS.get(baseName(text));
      if (wrapper === undefined) return at;
      operands = wrapper.operands ?? 0;
    }
  }
  return at;
}

/** The last part of a path, `.exe` removed: `/usr/local/bin/kubelet` and `C:\\k\\kubelet.exe` give `kubelet`. */
function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1).replace(/\.exe$/, '');
}
