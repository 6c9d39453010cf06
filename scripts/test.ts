// `npm test [-- WORD...]`: the test files whose path contains one of the words. Needs nothing but npm: the cluster suites
// run when the toolchain is there already, and are reported as skipped otherwise. In CI they are left to
// `npm run test:cluster`, which comes next there, so that they run once.
import { availableParallelism } from 'node:os';
import { defaultLine, findToolchain } from '../test/support/toolchain.ts';
import { runClusterTests, tellSuites } from './cluster-tests.ts';
import { abortOnSignals, joinOutcomes, printSkips, runTests, type TestOutcome } from './run-tests.ts';
import { findTestFiles } from './test-files.ts';
import { shareProcess } from './test-groups.ts';

const files = findTestFiles(process.argv.slice(2));
const signal = abortOnSignals();
const { failed, skips } = await runAll();
printSkips(skips);
if (failed) process.exitCode ??= 1;

async function runAll(): Promise<TestOutcome> {
  const clusterFiles = [...files.own, ...files.shared];
  if (files.unit.length + clusterFiles.length === 0) {
    process.stderr.write('No test file has such a path.\n');
    return { failed: true, skips: [] };
  }
  // One more than there are cores: some files wait for what they started.
  const concurrency = availableParallelism() + 1;
  const isCi = process.env['CI'] === 'true';
  if (clusterFiles.length > 0 && !isCi && (await findToolchain(defaultLine())) !== undefined) {
    const unit = await runTests({ title: 'unit', files: files.unit, concurrency }, signal);
    return joinOutcomes([unit, await runClusterTests(defaultLine(), files, signal)]);
  }
  if (isCi) tellSuites('left-out');
  // All that these have to say is that they are skipped.
  const skipped = clusterFiles.length > 0 ? [shareProcess('cluster', clusterFiles)] : [];
  return runTests({ title: 'unit', files: [...files.unit, ...skipped], concurrency }, signal);
}
