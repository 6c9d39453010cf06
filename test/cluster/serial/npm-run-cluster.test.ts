import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { toolchainSuite } from '../../support/cluster-suite.ts';
import { type CommandResult, runCommand } from '../../support/run-command.ts';
import { waitUntil } from '../../support/wait-for.ts';

const SCRIPT = fileURLToPath(new URL('../../../scripts/cluster.ts', import.meta.url));

await toolchainSuite('npm run cluster', { needs: ['kubeControllerManager'] }, () => {
  let folder = '';
  let script: ChildProcess | undefined;
  let output = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scrapeguard-cluster-'));
    script = spawn(process.execPath, [SCRIPT], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    script.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await waitUntil('the last line', () => output.includes('Ctrl-C ends everything') || script?.exitCode !== null);
    assert.equal(script.exitCode, null, 'it ended by itself; what it said is above');
  });
  after(async () => {
    script?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
  });

  /** The lines that are to be typed: two or one that prepare the shell, and the commands. */
  const linesThatBegin = (word: string): readonly string[] =>
    output.split('\n').flatMap((line) => (line.startsWith(`  ${word} `) ? [line.trim()] : []));

  const type = (number: number): Promise<CommandResult> => {
    const lines = [...linesThatBegin('export'), linesThatBegin('kubectl')[number]];
    const env = { PATH: process.env['PATH'] ?? '', HOME: join(folder, 'home') };
    return runCommand('sh', ['-c', lines.join('\n')], { env });
  };

  it('prints how to reach it and three commands', () => {
    assert.match(linesThatBegin('export')[0] ?? '', /^export KUBECONFIG=/);
    assert.equal(linesThatBegin('kubectl').length, 3);
  });

  it('the first command is refused', async () => {
    const { code, stderr } = await type(0);
    assert.equal(code, 1);
    assert.match(stderr, /^Error from server \(Forbidden\): admission webhook .* declares port 10255/);
  });

  it('the second command warns, and ends with the reason why there are no pods', async () => {
    const { code, stdout, stderr } = await type(1);
    assert.equal(code, 0);
    assert.match(stderr, /^Warning: kubelet-read-only-port: /);
    assert.match(stdout, /^deployment\.apps\/web created\n.*Error creating: admission webhook .* declares port 10255/s);
  });

  it('the third command makes the pod', async () => {
    const { code, stdout, stderr } = await type(2);
    assert.equal(code, 0);
    assert.match(stderr, /^Warning: kubelet-read-only-port: /);
    assert.equal(stdout, 'namespace/default labeled\npod/kubelet created\n');
  });

  it('Ctrl-C ends it, and nothing is left', async () => {
    assert.ok(script);
    script.kill('SIGINT');
    const [code] = await once(script, 'exit');
    assert.equal(code, 0);
    // kubectl's cache is ours.
    assert.deepEqual(await readdir(folder), ['home']);
    const { stdout } = await runCommand('ps', ['-A', '-ww', '-o', 'args=']);
    assert.equal(stdout.includes(folder), false);
  });
});
