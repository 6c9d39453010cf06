import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { toolchainSuite } from '../../support/cluster-suite.ts';
import { runCommand } from '../../support/run-command.ts';

const SCRIPT = fileURLToPath(new URL('../../../scripts/differential.ts', import.meta.url));

/** The authorizer may have to be built first. */
const TIMEOUT_MS = 10 * 60_000;

await toolchainSuite("our authorizer and Kubernetes' own", { needs: ['go'] }, () => {
  it('answer twenty thousand generated requests alike, some of them with yes', async (t) => {
    const options = { timeoutMs: TIMEOUT_MS };
    const { code, stdout, stderr } = await runCommand(process.execPath, [SCRIPT, '--cases', '20000'], options);
    assert.equal(code, 0, `${stdout}${stderr}`);
    const [, allowed] =
      /^No difference in 20000 cases with seed \d+; (\d+) requests were allowed\.$/m.exec(stdout) ?? [];
    assert.ok(Number(allowed) > 1000 && Number(allowed) < 19_000, stdout);
    t.diagnostic(stdout.trim());
  });
});
