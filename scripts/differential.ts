// Compares our authorizer with Kubernetes' own (test/toolchain/authorizer) on generated cases.
//   npm run test:differential -- --cases 1000000 [--seed N]
// Exits 1 at the first difference, with the case and what repeats it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { answer, type AuthorizationCase, authorizationCase } from '../test/rbac/authorization-cases.ts';
import { ensureGoBinaries, type GoModule } from '../test/support/go-module.ts';
import { GO_MODULES } from '../test/support/toolchain.ts';

const { values } = parseArgs({ options: { cases: { type: 'string', default: '20000' }, seed: { type: 'string' } } });
const AUTHORIZER: GoModule = {
  source: fileURLToPath(new URL('../test/toolchain/authorizer', import.meta.url)),
  packages: '.',
  minutes: 2,
  cache: GO_MODULES.kubernetes.cache,
};
const BATCH = 2000;
const REPORT_EVERY = 50;

const total = Number(values.cases);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isInteger(total) || total < 1 || !Number.isInteger(seed)) {
  throw new Error('--cases and --seed take whole numbers.');
}

const oracle = spawn(join(await ensureGoBinaries(AUTHORIZER), 'authorizer'), { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: oracle.stdout })[Symbol.asyncIterator]();
// Whoever ended before it had read everything has answered too little, which is seen below.
oracle.stdin.on('error', () => {});
try {
  process.exitCode = await compare();
} finally {
  oracle.stdin.end();
  oracle.kill();
}

async function compare(): Promise<number> {
  report(`${total} cases with seed ${seed}.`);
  let allowed = 0;
  for (let batch = 0; batch * BATCH < total; batch += 1) {
    const batchSeed = seed + batch;
    const numRuns = Math.min(BATCH, total - batch * BATCH);
    const cases = fc.sample(authorizationCase, { seed: batchSeed, numRuns });
    const difference = await firstDifference(cases, () => (allowed += 1));
    if (difference !== undefined) {
      process.stdout.write(`${JSON.stringify(difference, undefined, 2)}\n`);
      report(`A difference; repeat it with --seed ${batchSeed} --cases ${numRuns}.`);
      return 1;
    }
    if (batch % REPORT_EVERY === REPORT_EVERY - 1) report(`${(batch + 1) * BATCH} cases, no difference.`);
  }
  process.stdout.write(`No difference in ${total} cases with seed ${seed}; ${allowed} requests were allowed.\n`);
  return 0;
}

interface Difference {
  readonly ours: boolean;
  readonly kubernetes: boolean;
  readonly case: AuthorizationCase;
}

async function firstDifference(
  cases: readonly AuthorizationCase[],
  onAllowed: () => void,
): Promise<Difference | undefined> {
  oracle.stdin.write(cases.map((each) => `${JSON.stringify(each)}\n`).join(''));
  // While the other one works: we hold the answers against its own afterwards.
  const ours = cases.map(answer);
  for (const [at, given] of cases.entries()) {
    const { value, done } = await answers.next();
    if (done === true) throw new Error('the authorizer ended before it had answered.');
    const kubernetes = value === 'true';
    if (kubernetes !== ours[at]) return { ours: ours[at] ?? false, kubernetes, case: given };
    if (kubernetes) onAllowed();
  }
  return undefined;
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
