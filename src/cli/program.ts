import { Command, CommanderError, type OutputConfiguration } from 'commander';

import { PolicyFileError } from '../config/policy-file.ts';
import { certsCommand } from './certs.ts';
import { checkCommand } from './check.ts';
import type { CommandMaker, Finish } from './command.ts';
import { Failure } from './failure.ts';
import { injectCommand } from './inject.ts';
import type { Io } from './io.ts';
import { policyCommand } from './policy.ts';
import { rulesCommand } from './rules.ts';
import { serveCommand } from './serve.ts';
import { VERSION } from './version.ts';
import { whoCanCommand } from './who-can.ts';

/** Every command, in the order of the help. */
const COMMANDS: readonly CommandMaker[] = [
  serveCommand,
  checkCommand,
  injectCommand,
  whoCanCommand,
  rulesCommand,
  policyCommand,
  certsCommand,
];

/**
 * Runs one command line (without the program's own name) to its end and returns the exit code: 0 clean, 1 findings, 2
 * usage, configuration or internal error. Never rejects.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  const program = makeProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return tell(error, io);
  }
}

function makeProgram(io: Io, finish: Finish): Command {
  const program = new Command('scrapeguard')
    .description('Keeps Kubernetes metrics private.')
    .version(VERSION, '--version', 'print the version');
  for (const make of COMMANDS) program.addCommand(make(io, finish));
  settle(program, outputTo(io));
  return program;
}

/** Makes a command and its own commands speak through `io` and throw where commander would end the process. */
function settle(command: Command, output: OutputConfiguration): void {
  command.helpOption('-h, --help', 'print this help').helpCommand(false).exitOverride().configureOutput(output);
  for (const child of command.commands) settle(child, output);
}

const HELP_WIDTH = 100;

function outputTo({ stdout, stderr }: Io): OutputConfiguration {
  return {
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    outputError: (text, write) => write(`${text.trim().replaceAll('\n', ' ')}\n`),
    getOutHelpWidth: () => stdout.columns ?? HELP_WIDTH,
    getErrHelpWidth: () => stderr.columns ?? HELP_WIDTH,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  };
}

/** One line for what a user can mend, everything for what he cannot. */
function tell(error: unknown, { stderr }: Io): number {
  // commander has said what was wrong; its code is 0 after --help and --version.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof PolicyFileError) stderr.write(`${error.problems.join('\n')}\n`);
  else if (error instanceof Failure) stderr.write(`error: ${error.message}\n`);
  else stderr.write(`internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
  return 2;
}
