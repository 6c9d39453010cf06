import { type Command, InvalidArgumentError, Option } from 'commander';

import { MODES, type Mode } from '../policy/mode.ts';
import { nearestName } from '../policy/nearest.ts';
import { REPORT_FORMATS, type ReportTarget } from './write-report.ts';

/** `-o FORMAT[=FILE]`, which may be given several times: a list of ReportTarget, absent where it is not given. */
export function reportOption(): Option {
  const description = `${REPORT_FORMATS.join(' or ')}, to a file or to the standard output; may be repeated (default: text)`;
  return new Option('-o, --output <FORMAT[=FILE]>', description).argParser(addTarget);
}

/** `-o FORMAT` of a command that describes something: `text` where it is not given. */
export function formatOption(): Option {
  return new Option('-o, --output <FORMAT>', 'text or json')
    .argParser((value) => oneOf(value, ['text', 'json']))
    .default('text');
}

/** `--fail-on MODE`: `enforce` where it is not given. */
export function failOnOption(): Option {
  return new Option('--fail-on <MODE>', `exit with 1 on a finding of this mode or a stronger one: ${MODES.join(', ')}`)
    .argParser((value): Mode => oneOf(value, MODES))
    .default('enforce');
}

/** `--policy FILE`: absent where the built-in policy is meant. */
export function policyOption(): Option {
  return new Option('--policy <FILE>', 'judge by this policy (default: the built-in one)');
}

/** Adds `--kubeconfig FILE` and `--context NAME` of a command that reads a cluster. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('--kubeconfig <FILE>', 'the cluster; inside one it is found without')
    .option('--context <NAME>', 'a context of the kubeconfig (default: its current one)');
}

/** The reader of an option that may be repeated. */
export function addName(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** The end of a sentence about an unknown name: the one that may have been meant, or a period. */
export function meant(name: string, names: Iterable<string>): string {
  const nearest = nearestName(name, names);
  return nearest === undefined ? '.' : `; did you mean "${nearest}"?`;
}

/** A value that is one of some names; what else is refused with the nearest of them. */
export function oneOf<Name extends string>(value: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`It is not one of ${names.join(', ')}${meant(value, names)}`);
}

function addTarget(value: string, before: readonly ReportTarget[] = []): readonly ReportTarget[] {
  const target = parseTarget(value);
  if (before.some(({ file }) => file === target.file)) {
    throw new InvalidArgumentError('Another format goes to the same place; write -o FORMAT=FILE.');
  }
  return [...before, target];
}

function parseTarget(value: string): ReportTarget {
  const [name = ''] = value.split('=', 1);
  const format = oneOf(name, REPORT_FORMATS);
  if (name === value) return { format };
  const file = value.slice(name.length + 1);
  if (file === '') throw new InvalidArgumentError('The name of the file is missing.');
  return { format, file };
}
