import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { toolchainSuite } from '../../support/cluster-suite.ts';
import { startOwner, waitUntilGone } from '../../support/processes.ts';
import { runCommand } from '../../support/run-command.ts';
import { waitUntil } from '../../support/wait-for.ts';

const RUNNER = fileURLToPath(new URL('../../../scripts/test-cluster.ts', import.meta.url));

await toolchainSuite('nothing is left of a test run ten seconds after', {}, () => {
  it('a process that had started a control plane got SIGKILL', async () => {
    const owner = await startOwner('control-plane');
    assert.equal(owner.pids.length >= 2, true);
    owner.process.kill('SIGKILL');
    await waitUntilGone(owner.pids);
    await waitUntilEmpty(owner.directory);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    it(`the runner got ${signal}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'scrapeguard-run-'));
      const runner = startRunner(folder);
      await waitUntil('our server to be started', async () => {
        return (await processesOf(folder)).some((line) => line.includes('launch.mjs serve '));
      });
      const pids = await pidsOf(folder);
      runner.kill(signal);
      await waitUntilGone(pids);
      await waitUntilEmpty(folder);
      await rm(folder, { recursive: true });
    });
  }
});

/** A run of the suites of kubectl.test.ts that keeps everything it makes in the folder. */
function startRunner(folder: string): ReturnType<typeof spawn> {
  const { NODE_TEST_CONTEXT: _, SCRAPEGUARD_TEST_CLUSTER: __, ...env } = process.env;
  return spawn(process.execPath, [RUNNER, 'cluster/kubectl'], { env: { ...env, TMPDIR: folder }, stdio: 'ignore' });
}

/** The process ids of etcd, the API server, the controller manager, our server and the guards. */
async function pidsOf(folder: string): Promise<readonly number[]> {
  return (await processesOf(folder)).map((line) => Number.parseInt(line, 10));
}

async function processesOf(folder: string): Promise<readonly string[]> {
  const { stdout } = await runCommand('ps', ['-A', '-ww', '-o', 'pid=,args=']);
  return stdout.split('\n').filter((line) => line.includes(folder));
}

async function waitUntilEmpty(folder: string): Promise<void> {
  const isEmpty = async (): Promise<boolean> => !existsSync(folder) || (await readdir(folder)).length === 0;
  for (let attempt = 0; attempt < 100 && !(await isEmpty()); attempt += 1) await sleep(100);
  assert.equal(await isEmpty(), true);
}
