import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { describeTour, TOUR, type TourStep } from '../../../scripts/tour.ts';
import { asObject, type JsonObject } from '../../../src/kube/json.ts';
import { toolchainSuite } from '../../support/cluster-suite.ts';
import { type CommandResult, runCommand } from '../../support/run-command.ts';
import { waitFor, waitUntil } from '../../support/wait-for.ts';

const SCRIPT = fileURLToPath(new URL('../../../scripts/cluster.ts', import.meta.url));

const REPLICA_SETS = 'system:serviceaccount:kube-system:replicaset-controller';
const ADMIN = 'administrator';

/** Fields of lines that the log has to hold after the story. */
const LOGGED: readonly JsonObject[] = [
  { msg: 'injected', operation: 'CREATE', kind: 'Pod', namespace: 'shop', user: REPLICA_SETS },
  { msg: 'denied', kind: 'Pod', namespace: 'shop', name: 'sibling', user: ADMIN, rules: ['kubelet-read-only-port'] },
  { msg: 'denied', kind: 'ClusterRoleBinding', name: 'prometheus', user: ADMIN, rules: ['metrics-grant'] },
  { msg: 'policy reloaded', policy: 'namespace-opt-in' },
];

function isAsPromised({ shows, exitCode = 0 }: TourStep, { code, stdout, stderr }: CommandResult): boolean {
  return code === exitCode && shows.every((sight) => sight.test(`${stdout}${stderr}`));
}

function isSubset(fields: JsonObject, line: JsonObject): boolean {
  return Object.entries(fields).every(([key, value]) => isDeepStrictEqual(line[key], value));
}

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

  /** What a shell that was prepared as is printed answers to a command. */
  const type = (command: string): Promise<CommandResult> => {
    const prepared = output.split('\n').filter((line) => /^ {2}(?:cd|export) /.test(line));
    const env = { PATH: process.env['PATH'] ?? '', HOME: join(folder, 'home') };
    return runCommand('sh', ['-c', [...prepared, command].join('\n')], { env });
  };

  it('tells the whole story', () => {
    assert.ok(output.includes(`\n\n${describeTour()}`), output);
  });

  for (const [index, step] of TOUR.entries()) {
    it(`command ${index + 1}: ${step.expected}`, async () => {
      const result = await waitFor('what it promises', async () => {
        const typed = await type(step.command);
        return step.takesTime !== true || isAsPromised(step, typed) ? typed : undefined;
      });
      assert.ok(isAsPromised(step, result), JSON.stringify(result, undefined, 2));
    });
  }

  it('the log names who wrote what, what became of it and which rules spoke', async () => {
    const { stdout } = await type(TOUR.at(-1)?.command ?? '');
    const told = stdout
      .trimEnd()
      .split('\n')
      .map((line) => asObject(JSON.parse(line)));
    const missing = LOGGED.filter((fields) => !told.some((line) => isSubset(fields, line)));
    assert.deepEqual(missing, []);
  });

  it('a namespace that did not opt in is left alone', async () => {
    const { code, stdout, stderr } = await type('kubectl run kubelet --image=nginx --port=10255');
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'pod/kubelet created\n', stderr: '' });
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
