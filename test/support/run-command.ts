import { spawn } from 'node:child_process';

/** What a command that ran to its end said. `code` is null when a signal, such as our own time limit's, ended it. */
export type CommandResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** `env` is the whole environment; the command is killed after `timeoutMs` (60 seconds unless told). */
export type CommandOptions = {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 60_000;

/** Runs a command to its end, whatever its exit code. Throws an Error only when it cannot be started. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { env = process.env, cwd, input = '', timeoutMs = TIMEOUT_MS }: CommandOptions = {},
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const child = spawn(command, args, {
    env,
    ...(cwd !== undefined && { cwd }),
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  child.once('error', reject);
  child.once('close', (code) => resolve({ code, stdout: stdout(), stderr: stderr() }));
  // A command that ends without reading its input is no problem of ours.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return promise;
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}
