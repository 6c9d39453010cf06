// Runs test files with node's own test runner and tells what a script has to know of the outcome.
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { endWithParent } from '../test/support/orphan-watch.ts';
import { groupTestFiles } from './test-groups.ts';

/** Files that run together; `title` heads their output. */
export type TestGroup = {
  readonly title: string;
  readonly files: readonly string[];
  /** How many files run at once. */
  readonly concurrency: number;
};

/** A test that was skipped, and why. */
export type Skip = { readonly name: string; readonly reason: string };

/** What came of one or more groups. */
export type TestOutcome = { readonly failed: boolean; readonly skips: readonly Skip[] };

/** What takes longer is ended and counts as failed. */
const TEST_LIMIT_MS = 5 * 60_000;
const GROUP_LIMIT_MS = 40 * 60_000;

/**
 * Where Node keeps the compiled code of modules, for every process that a test file is or starts; each of them reads
 * hundreds. Node writes a file there in one step and checks it by its source, so that runs may share the folder.
 */
const COMPILE_CACHE = fileURLToPath(new URL('../node_modules/.cache/node-compile', import.meta.url));

/**
 * Runs a group, a process a file but for those that may share one, with the output of the spec reporter. An empty group
 * is nothing to talk about.
 */
export async function runTests(group: TestGroup, signal: AbortSignal): Promise<TestOutcome> {
  if (group.files.length === 0 || signal.aborted) return { failed: signal.aborted, skips: [] };
  process.stdout.write(`\n# ${group.title}\n`);
  process.env['NODE_COMPILE_CACHE'] ??= COMPILE_CACHE;
  let failed = false;
  const skips: Skip[] = [];
  const stream = run({
    files: [...groupTestFiles(group.files)],
    concurrency: group.concurrency,
    timeout: TEST_LIMIT_MS,
    signal: AbortSignal.any([signal, AbortSignal.timeout(GROUP_LIMIT_MS)]),
  });
  stream.on('test:fail', () => (failed = true));
  stream.on('test:pass', ({ name, skip }) => {
    if (skip !== undefined && skip !== false) skips.push({ name, reason: skip === true ? '' : skip });
  });
  for await (const chunk of stream.compose(new spec())) process.stdout.write(String(chunk));
  return { failed, skips };
}

/** All outcomes as one. */
export function joinOutcomes(outcomes: readonly TestOutcome[]): TestOutcome {
  return {
    failed: outcomes.some((outcome) => outcome.failed),
    skips: outcomes.flatMap((outcome) => outcome.skips),
  };
}

/**
 * Aborts on Ctrl-C, on SIGTERM and when the parent (npm) is gone, so that what runs is ended in order; the second
 * signal ends this process at once, and then the guards clean up.
 */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  endWithParent();
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(name, () => {
      process.exitCode = code;
      controller.abort();
    });
  }
  return controller.signal;
}

/** Says what was skipped and why, a line each; nothing where nothing was. */
export function printSkips(skips: readonly Skip[]): void {
  if (skips.length > 0) process.stdout.write('\nskipped:\n');
  for (const { name, reason } of skips) process.stdout.write(`  ${name}: ${reason}\n`);
}
