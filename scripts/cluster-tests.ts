import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RUNNER_VARIABLES, type SuitesMode } from '../test/support/cluster-suite.ts';
import { type ControlPlane, startControlPlane } from '../test/support/control-plane.ts';
import type { KubernetesLine } from '../test/support/toolchain.ts';
import { joinOutcomes, runTests, type TestOutcome } from './run-tests.ts';
import type { TestFiles } from './test-files.ts';

/** Two files at once: they mostly wait for the API server, and the smallest machine has two cores. */
const SHARED_CONCURRENCY = 2;

/**
 * Runs the cluster suites on one version of Kubernetes: first those that share a control plane, which is started for
 * them and stopped after them, then one by one those that start their own.
 */
export async function runClusterTests(
  line: KubernetesLine,
  files: TestFiles,
  signal: AbortSignal,
): Promise<TestOutcome> {
  tellSuites('required');
  process.env['SCRAPEGUARD_TEST_KUBERNETES'] = line;
  const shared = { title: `Kubernetes ${line}, shared control plane`, files: files.shared };
  const serial = { title: `Kubernetes ${line}, a control plane each`, files: files.serial };
  return joinOutcomes([
    await withSharedControlPlane(line, files.shared.length > 0 && !signal.aborted, () =>
      runTests({ ...shared, concurrency: SHARED_CONCURRENCY }, signal),
    ),
    await runTests({ ...serial, concurrency: 1 }, signal),
  ]);
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
