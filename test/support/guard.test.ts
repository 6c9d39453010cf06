import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Guard, type GuardedProgram, startGuard } from './guard.ts';
import { startOwner, waitUntilGone } from './processes.ts';

describe('a guard', () => {
  it('tells how a program ended and keeps what it wrote', async () => {
    const guard = await startGuard();
    const program = await run(guard, `console.log('out'); console.error('err'); process.exitCode = 3;`);
    assert.deepEqual(await program.ended, { code: 3, signal: null });
    assert.deepEqual(program.end(), { code: 3, signal: null });
    assert.equal(await readFile(program.logFile, 'utf8'), 'out\nerr\n');
    await guard.end();
    assert.equal(existsSync(guard.directory), false);
  });

  it('gives a program the environment it is told and no other', async () => {
    const guard = await startGuard();
    const program = await run(guard, `console.log(JSON.stringify(Object.keys(process.env)))`);
    await program.ended;
    assert.equal(await readFile(program.logFile, 'utf8'), '["ONLY"]\n');
    await guard.end();
  });

  it('stops a program by SIGTERM, and one that does not listen by SIGKILL', async () => {
    const guard = await startGuard();
    const polite = await run(guard, 'setInterval(() => {}, 1000)');
    assert.deepEqual(await polite.stop(), { code: null, signal: 'SIGTERM' });
    const deaf = await run(guard, `process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)`);
    await waitForOutput(deaf);
    assert.deepEqual(await deaf.stop(100), { code: null, signal: 'SIGKILL' });
    assert.deepEqual(await deaf.stop(), { code: null, signal: 'SIGKILL' }, 'stopping twice is no error');
    await guard.end();
  });

  it('says which program cannot be started', async () => {
    const guard = await startGuard();
    const missing = { args: [], env: {}, cwd: guard.directory, logFile: join(guard.directory, 'log') };
    await assert.rejects(
      guard.start({ command: '/no/such/program', ...missing }),
      /^Error: \/no\/such\/program cannot/,
    );
    await guard.end();
  });
});

describe('programs under a guard, and its folder, are gone within ten seconds', () => {
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
    it(`when their owner gets ${signal}`, async () => {
      const owner = await startOwner('dummies');
      const all = [...owner.pids, ...(await grandchildren(owner.directory))];
      assert.equal(all.length, 4);
      owner.process.kill(signal);
      await waitUntilGone([owner.owner, ...all]);
      await waitUntilRemoved(owner.directory);
    });
  }

  it('when the runner above their owner gets SIGKILL', async () => {
    const runner = await startOwner('parent');
    runner.process.kill('SIGKILL');
    await waitUntilGone([runner.owner, ...runner.pids]);
    await waitUntilRemoved(runner.directory);
  });

  it('when the guard itself gets SIGKILL (the folder stays)', async () => {
    const owner = await startOwner('dummies');
    process.kill(owner.guard ?? 0, 'SIGKILL');
    await waitUntilGone(owner.pids);
    owner.process.kill('SIGKILL');
    await rm(owner.directory, { recursive: true });
  });
});

async function run(guard: Guard, script: string): Promise<GuardedProgram> {
  return guard.start({
    command: process.execPath,
    args: ['-e', script],
    env: { ONLY: 'this' },
    cwd: guard.directory,
    logFile: join(guard.directory, 'log'),
  });
}

async function waitForOutput(program: Pick<GuardedProgram, 'logFile'>): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const output = await readFile(program.logFile, 'utf8');
    if (output.endsWith('\n')) return output;
    await sleep(50);
  }
  throw new Error('The program wrote nothing in five seconds.');
}

/** The dummies write the process ids of their own children. */
async function grandchildren(directory: string): Promise<readonly number[]> {
  const logs = ['one', 'two'].map((name) => ({ logFile: join(directory, name) }));
  const outputs = await Promise.all(logs.map((log) => waitForOutput(log)));
  return outputs.map(Number);
}

async function waitUntilRemoved(directory: string): Promise<void> {
  for (let attempt = 0; attempt < 100 && existsSync(directory); attempt += 1) await sleep(100);
  assert.equal(existsSync(directory), false);
}
