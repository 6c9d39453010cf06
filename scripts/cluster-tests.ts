import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { RUNNER_VARIABLES, type SuitesMode } from '../test/support/cluster-suite.ts';
import { type ControlPlane, startControlPlane } from '../test/support/control-plane.ts';
import type { KubernetesLine } from '../test/support/toolchain.ts';
import { runTests, type TestOutcome } from './run-tests.ts';
import type { TestFiles } from './test-files.ts';

/** Files at once: the smallest machine has two cores, and half of a suite is waiting for something. */
const CONCURRENCY = 3;

/** What takes a minute or more is begun first, the longest before all, so that nothing long is left for the end. */
const LONGEST = [
  'self-managed-certificates',
  'plain-manifests',
  'recovery',
  'installed-permissions',
  'corpus-grants',
  'install',
].map((name) => `${name}.test.ts`);

/**
 * Runs the cluster suites on one version of Kubernetes: those that share a control plane, which is started before them
 * and stopped after them, and those that start their own.
 */
export async function runClusterTests(
  line: KubernetesLine,
  files: TestFiles,
  signal: AbortSignal,
): Promise<TestOutcome> {
  tellSuites('required');
  process.env['SCRAPEGUARD_TEST_KUBERNETES'] = line;
  const group = {
    title: `Kubernetes ${line}`,
    files: longestFirst([...files.own, ...files.shared]),
    concurrency: CONCURRENCY,
  };
  return withSharedControlPlane(line, files.shared.length > 0 && !signal.aborted, () => runTests(group, signal));
}

function longestFirst(files: readonly string[]): readonly string[] {
  const longest = LONGEST.flatMap((name) => files.filter((file) => basename(file) === name));
  return [...new Set([...longest, ...files])];
}

/** Tells the suites of the test files that are run from here on whether they run. */
export function tellSuites(mode: SuitesMode): void {
  // node's test runner hands its own environment down to the files.
  process.env[RUNNER_VARIABLES.suites] = mode;
}

async function withSharedControlPlane<T>(line: KubernetesLine, needed: boolean, work: () => Promise<T>): Promise<T> {
  if (!needed) return work();
  const controlPlane = await startControlPlane({ line });
  try {
    process.env[RUNNER_VARIABLES.sharedCluster] = await writeDescription(controlPlane);
    return await work();
  } finally {
    delete process.env[RUNNER_VARIABLES.sharedCluster];
    await controlPlane.stop();
  }
}

async function writeDescription(controlPlane: ControlPlane): Promise<string> {
  const file = join(controlPlane.directory, 'description.json');
  // The functions are left out by JSON.
  await writeFile(file, JSON.stringify(controlPlane), { mode: 0o600 });
  return file;
}
