import { Readable } from 'node:stream';

import type { Output } from '../../src/cli/io.ts';
import { run } from '../../src/cli/program.ts';
import { inFolder } from '../support/in-folder.ts';

/** How the surroundings of a run differ from a pipe on the first day of 2026. */
export interface Surroundings {
  readonly stdin?: string;
  readonly isTTY?: boolean;
  /** The folder in which the run is. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: () => Date;
}

/** What a run said, and the exit code that the process would have. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process. */
export async function runCli(
  argv: readonly string[],
  { stdin = '', isTTY = false, cwd = '.', env = {}, now = () => new Date('2026-01-01T12:00:00Z') }: Surroundings = {},
): Promise<Ran> {
  const stdout = new Recorder(isTTY);
  const stderr = new Recorder(isTTY);
  const never = new AbortController().signal;
  const io = { stdin: Readable.from([stdin]), stdout, stderr, env, now, stopped: () => never };
  const code = await inFolder(cwd, () => run(argv, io));
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Recorder implements Output {
  readonly isTTY: boolean;
  text = '';

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }
}
