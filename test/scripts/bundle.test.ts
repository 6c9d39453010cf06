import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import packageJson from '../../package.json' with { type: 'json' };
import { bundle, type Bundle } from '../../scripts/bundle.ts';
import { findFreePorts } from '../support/free-ports.ts';

const execute = promisify(execFile);

/** Nothing is compiled for the next run, whose bundle is in another folder. */
const env = { ...process.env, NODE_COMPILE_CACHE: undefined };

describe('the bundle', () => {
  // Outside the repository, where nothing in node_modules can help.
  const directory = mkdtempSync(join(tmpdir(), 'scrapeguard-bundle-'));
  let made: Bundle;
  before(async () => {
    made = await bundle(directory);
  });
  after(() => rmSync(directory, { recursive: true }));

  it('tells its version', async () => {
    const { stdout } = await execute(process.execPath, [made.start, '--version'], { cwd: directory, env });
    assert.equal(stdout, `${packageJson.version}\n`);
  });

  it('checks the standard input', async () => {
    const running = execute(process.execPath, [made.start, 'check', '-'], { cwd: directory, env });
    running.child.stdin?.end('kind: Service\napiVersion: v1\nspec: {ports: [{port: 10255}]}\n');
    await assert.rejects(running, { code: 1, stdout: /enforce {2}kubelet-read-only-port/ });
  });

  it('serves with a certificate of its own', { timeout: 60_000 }, async () => {
    const [port = 0] = await findFreePorts(1);
    const server = spawn(process.execPath, [made.start, 'serve', '--port', String(port)], {
      cwd: directory,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      let log = '';
      for await (const chunk of server.stderr) {
        log += String(chunk);
        if (log.includes('"serving"')) break;
      }
      assert.match(log, /"serving"/);
      assert.equal(await statusOf(port, '/livez'), 200);
    } finally {
      server.kill('SIGKILL');
    }
  });

  it('asks a cluster', { timeout: 60_000 }, async () => {
    const asked: (string | undefined)[] = [];
    const cluster = createServer(({ url }, response) => {
      asked.push(url?.split('?')[0]);
      response.setHeader('content-type', 'application/json').end('{"metadata":{"resourceVersion":"1"},"items":[]}');
    });
    await new Promise<void>((resolve) => cluster.listen(0, '127.0.0.1', resolve));
    try {
      const kubeconfig = join(directory, 'kubeconfig');
      writeFileSync(kubeconfig, kubeconfigFor(cluster.address()));
      const args = ['who-can', 'get', 'nodes/proxy', '--kubeconfig', kubeconfig];
      await execute(process.execPath, [made.start, ...args], { cwd: directory, env });
      assert.ok(asked.includes('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'), asked.join(' '));
    } finally {
      cluster.close();
    }
  });

  it('carries the licences of what is in it', () => {
    const text = readFileSync(join(directory, 'LICENSES.txt'), 'utf8');
    for (const name of ['fastify', 'pino', 'yaml']) assert.match(text, new RegExp(`^# ${name} [0-9.]+, `, 'm'));
  });
});

function kubeconfigFor(address: ReturnType<Server['address']>): string {
  assert.ok(typeof address === 'object' && address !== null);
  return JSON.stringify({
    clusters: [
      { name: 'a', cluster: { server: `http://127.0.0.1:${address.port}`, 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'a', user: { token: 'a' } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  });
}

function statusOf(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
