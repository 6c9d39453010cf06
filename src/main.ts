import { run } from './cli/program.ts';

// The process around the program: its streams, its signals, its exit code.

/** A reader that has seen enough, as `| head`, is no failure. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** The first signal aborts; the second of its kind ends the process at once, because nobody listens any more. */
function stopOnSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(name));
  return controller.signal;
}

process.stdout.on('error', ignoreClosedPipe);
process.stderr.on('error', ignoreClosedPipe);
// An error that nobody awaits must not end as 1, which means findings.
process.on('uncaughtException', (error) => {
  process.stderr.write(`internal error: ${error.stack ?? error.message}\n`);
  process.exit(2);
});

process.exitCode = await run(process.argv.slice(2), {
  // Opened only by a command that reads it.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  now: () => new Date(),
  stopped: stopOnSignal,
});
