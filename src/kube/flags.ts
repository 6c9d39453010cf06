import type { Command } from './command-line.ts';
import { parseGoBool, parseGoInt } from './go-values.ts';
import type { JsonPointer } from './pointer.ts';

/** One occurrence of a flag: its value as written and the field that the flag stands in. */
export interface Flag {
  readonly value: string;
  readonly path: JsonPointer;
}

/** How a flag takes its value: a boolean one only after `=`, every other also as the next word (spf13/pflag). */
export type FlagKind = 'boolean' | 'value';

/**
 * Every occurrence of a flag in a command line, in order: `--a=b`, `--a b`, `-a=b` and `-a b`; `_` in a name counts as
 * `-`, as Kubernetes' components normalise it. A boolean flag with no value is 'true'.
 */
export function flagsNamed(command: Command, name: string, kind: FlagKind = 'value'): readonly Flag[] {
  const found: Flag[] = [];
  const { words } = command;
  for (const [index, { text, path, flag }] of words.entries()) {
    if (flag !== name) continue;
    const equals = text.indexOf('=');
    const bare = kind === 'boolean' ? 'true' : (words[index + 1]?.text ?? '');
    found.push({ value: equals < 0 ? bare : text.slice(equals + 1), path });
  }
  return found;
}

/** The occurrence of a flag that counts, the last one; undefined when the command line has none. */
export function flagOf(command: Command, name: string, kind: FlagKind = 'value'): Flag | undefined {
  return flagsNamed(command, name, kind).at(-1);
}

/**
 * The items of a flag that holds a comma-separated list, each with the field it was written in. Where the flag is
 * repeated all its lists count (pflag `StringSlice`); quotes, which that reads as in a CSV file, are left out.
 */
export function listItemsOf(command: Command, name: string): readonly Flag[] {
  return flagsNamed(command, name).flatMap(({ value, path }) =>
    value
      .replaceAll('"', '')
      .split(',')
      .map((item) => ({ value: item, path })),
  );
}

/** True when a command line has a flag, whatever its value. */
export function hasFlag({ words }: Command, name: string): boolean {
  return words.some(({ flag }) => flag === name);
}

/** A flag's value as an integer, or undefined when Go would refuse it. */
export function integerOf(flag: Flag): number | undefined {
  return parseGoInt(flag.value);
}

/** A flag's value as a boolean, or undefined when Go would refuse it. */
export function booleanOf(flag: Flag): boolean | undefined {
  return parseGoBool(flag.value);
}
