// Where arguments of a component stand in a container: its command line, k3s's flags, the environment.

import { commandsOf, type Command } from './command-line.ts';
import { COMPONENTS, componentOfImage, componentUseOf, type ComponentName } from './components.ts';
import { literalVariablesOf, type Variable } from './environment.ts';
import { flagsNamed } from './flags.ts';
import { asString } from './json.ts';
import type { Container } from './pods.ts';
import { parseShellScript } from './shell-script.ts';
import { wordOf, type Word } from './word.ts';

/** Arguments that a component gets. */
export interface ComponentCommand {
  readonly component: ComponentName;
  readonly command: Command;
  /** True for a whole command line, false for arguments that are added to others that nobody shows us. */
  readonly isWhole: boolean;
}

/**
 * What a container tells components: its own commands where one starts a component, the arguments that k3s and rke2 pass
 * on (`--kubelet-arg=read-only-port=10255`), and variables such as `KUBELET_EXTRA_ARGS`. Linear in the container's size.
 */
export function componentCommandsOf(container: Container): readonly ComponentCommand[] {
  return (container.known.componentCommands ??= readComponentCommands(container));
}

function readComponentCommands(container: Container): readonly ComponentCommand[] {
  const variables = variablesOf(container);
  const commands = commandsOf(container);
  return [
    ...startedBy(commands, asString(container.spec['image']) ?? '', variables),
    ...commands.flatMap(passedOn),
    ...variables.flatMap(fromVariable),
  ];
}

function startedBy(
  commands: readonly Command[],
  image: string,
  variables: readonly Variable[],
): readonly ComponentCommand[] {
  if (commands.length === 0) {
    const component = componentOfImage(image);
    return component === undefined ? [] : [whole(component, { program: '', words: [] }, variables)];
  }
  return commands.flatMap((command) => {
    const use = componentUseOf(command, image);
    return use === undefined ? [] : [whole(use.component, use.command, variables)];
  });
}

/** etcd reads every flag from the environment, too; its command line wins (go.etcd.io/etcd pkg/flags `SetFlagsFromEnv`). */
function whole(component: ComponentName, command: Command, variables: readonly Variable[]): ComponentCommand {
  const fromEnvironment = component === 'etcd' ? variables.flatMap(etcdFlag) : [];
  if (fromEnvironment.length === 0) return { component, command, isWhole: true };
  return { component, command: { ...command, words: [...fromEnvironment, ...command.words] }, isWhole: true };
}

function etcdFlag({ name, value, path }: Variable): Word[] {
  if (!name.startsWith('ETCD_')) return [];
  return [wordOf(`--${name.slice('ETCD_'.length).toLowerCase()}=${value}`, path)];
}

/** Which component each of k3s's flags passes an argument on to. */
const PASSED_BY: ReadonlyMap<string, ComponentName> = new Map(
  COMPONENTS.flatMap(({ name, passedBy = [] }) => passedBy.map((flag) => [flag, name] as const)),
);

function passedOn(command: Command): readonly ComponentCommand[] {
  const flags = command.words.flatMap(({ flag }) => (flag !== undefined && PASSED_BY.has(flag) ? [flag] : []));
  return [...new Set(flags)].flatMap((flag) => {
    const component = PASSED_BY.get(flag);
    if (component === undefined) return [];
    const words = flagsNamed(command, flag).map(({ value, path }) => wordOf(asFlag(value), path));
    return [{ component, command: { program: component, words }, isWhole: false }];
  });
}

/** `read-only-port=0`, as k3s takes it, with the dashes that the component sees. */
export function asFlag(argument: string): string {
  return `--${argument.replace(/^-{1,2}/, '')}`;
}

/** The variables of a container that any component could take arguments from; one that is set twice counts as it is last. */
function variablesOf(container: Container): readonly Variable[] {
  const { entries, values } = literalVariablesOf(container);
  const found = entries.filter(({ name }) => name.startsWith('ETCD_') || isArgumentsVariable(name));
  if (found.length === 0) return found;
  const last = new Map(found.map((variable) => [variable.name, variable]));
  return [...last.values()].filter(({ name }) => values.has(name));
}

/** How the name of a variable ends that holds arguments. */
const ARGUMENTS_ENDING = /_(?:ARGS|ARGUMENTS|OPTS|OPTIONS|FLAGS)$/;

function isArgumentsVariable(name: string): boolean {
  return ARGUMENTS_ENDING.test(name) && ownersOf(name).length > 0;
}

function ownersOf(variable: string): readonly ComponentName[] {
  return COMPONENTS.filter(({ variables = [] }) => variables.some((start) => variable.startsWith(`${start}_`))).map(
    ({ name }) => name,
  );
}

function fromVariable({ name, value, path }: Variable): readonly ComponentCommand[] {
  if (!isArgumentsVariable(name)) return [];
  const words = parseShellScript(value, NO_VARIABLES).flatMap((command) => command.map((text) => wordOf(text, path)));
  return ownersOf(name).map((component) => ({ component, command: { program: component, words }, isWhole: false }));
}

const NO_VARIABLES = { lookup: () => undefined, assign: () => {} };
