// `npm run test:cluster [-- WORD...]`: the cluster suites on the newest Kubernetes, whose toolchain is built if need be;
// with --versions (`npm run test:versions`) on the oldest supported one too. With CI=true a skipped suite is a failure,
// except for those of ACCEPTED_SKIPS.
import { PROXY_SKIP_REASON } from '../test/support/cluster-suite.ts';
import { CORPUS_SKIP_REASON } from '../test/support/corpus.ts';
import { PROMETHEUS_SKIP_REASON } from '../test/support/prometheus.ts';
import { ensureToolchain, KUBERNETES_LINES } from '../test/support/toolchain.ts';
import { runClusterTests } from './cluster-tests.ts';
import { abortOnSignals, joinOutcomes, printSkips, type TestOutcome } from './run-tests.ts';
import { findTestFiles } from './test-files.ts';

/** How reasons begin that CI accepts: for programs and manifests of others, which neither a checkout nor npm brings. */
const ACCEPTED_SKIPS = [PROXY_SKIP_REASON, CORPUS_SKIP_REASON, PROMETHEUS_SKIP_REASON];

const words = process.argv.slice(2);
const lines = words.includes('--versions') ? KUBERNETES_LINES : KUBERNETES_LINES.slice(0, 1);
const files = findTestFiles(words.filter((word) => word !== '--versions'));

for (const line of lines) await ensureToolchain(line);
// Not before: a build is ended by the end of this process.
const signal = abortOnSignals();
const outcomes: TestOutcome[] = [];
for (const line of lines) outcomes.push(await runClusterTests(line, files, signal));
const { failed, skips } = joinOutcomes(outcomes);
printSkips(skips);
const unaccepted = skips.filter(({ reason }) => !ACCEPTED_SKIPS.some((accepted) => reason.startsWith(accepted)));
if (process.env['CI'] === 'true' && unaccepted.length > 0) {
  process.stderr.write(`In CI no cluster suite may be skipped; ${unaccepted.length} were.\n`);
  process.exitCode ??= 1;
}
if (failed) process.exitCode ??= 1;
