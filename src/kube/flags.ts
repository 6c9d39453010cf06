import type { Command, Word } from './command-line.ts';
import { parseGoBool, parseGoInt } from './go-values.ts';
import type { JsonPointer } from './pointer.ts';

/** One occurrence of a flag: its value as written and the field that the flag stands in. */
export interface Flag {
  readonly value: string;
  readonly path: JsonPointer;
}

/** How a flag takes its value: a boolean one only after `=`, every other also as the next word (spf13/pflag). */
export type FlagKind = 'boolean' | 'value';

/** A flag as it stands in a command line, its kind not yet known. */
interface Occurrence {
  readonly value: string | undefined;
  readonly nextWord: string;
  readonly path: JsonPointer;
}

/** Flags by command: a rule asks for a dozen of them, and each command line is read once. */
const KNOWN = new WeakMap<Command, ReadonlyMap<string, readonly Occurrence[]>>();

/**
 * Every occurrence of a flag in a command line, in order: `--a=b`, `--a b`, `-a=b` and `-a b`; `_` in a name counts as
 * `-`, as Kubernetes' components normalise it. A boolean flag with no value is 'true'.
 */
export function flagsNamed(command: Command, name: string, kind: FlagKind = 'value'): readonly Flag[] {
  const occurrences = occurrencesIn(command).get(name) ?? [];
  return occurrences.map(({ value, nextWord, path }) => ({
    value: value ?? (kind === 'boolean' ? 'true' : nextWord),
    path,
  }));
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

/** The names of a command line's flags, each once. */
export function flagNamesOf(command: Command): Iterable<string> {
  return occurrencesIn(command).keys();
}

/** True when a command line has a flag, whatever its value. */
export function hasFlag(command: Command, name: string): boolean {
  return occurrencesIn(command).has(name);
}

/** A flag's value as an integer, or undefined when Go would refuse it. */
export function integerOf(flag: Flag): number | undefined {
  return parseGoInt(flag.value);
}

/** A flag's value as a boolean, or undefined when Go would refuse it. */
export function booleanOf(flag: Flag): boolean | undefined {
  return parseGoBool(flag.value);
}

const NO_FLAGS: ReadonlyMap<string, readonly Occurrence[]> = new Map();

function occurrencesIn(command: Command): ReadonlyMap<string, readonly Occurrence[]> {
  if (command.words.length === 0) return NO_FLAGS;
  const known = KNOWN.get(command);
  if (known !== undefined) return known;
  const found = new Map<string, Occurrence[]>();
  for (const [index, word] of command.words.entries()) {
    const written = splitFlag(word);
    if (written === undefined) continue;
    const occurrence = { value: written.value, nextWord: command.words[index + 1]?.text ?? '', path: word.path };
    const others = found.get(written.name);
    if (others === undefined) found.set(written.name, [occurrence]);
    else others.push(occurrence);
  }
  KNOWN.set(command, found);
  return found;
}

function splitFlag({ text }: Word): { name: string; value: string | undefined } | undefined {
  if (!text.startsWith('-')) return undefined;
  const body = text.slice(text.startsWith('--') ? 2 : 1);
  const equals = body.indexOf('=');
  const written = equals < 0 ? body : body.slice(0, equals);
  const name = written.includes('_') ? written.replaceAll('_', '-') : written;
  return { name, value: equals < 0 ? undefined : body.slice(equals + 1) };
}
