// `npm run image:check`: builds the Dockerfile where no registry has its bases, over stand-ins that are made of this
// machine's own files, and runs what comes of it as the chart does. Needs Linux, root and buildah; skipped by the name
// of what is missing.
import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };
import { exampleCall } from '../src/cli/example-call.ts';
import { asObject, asString, asStrings } from '../src/kube/json.ts';
import { type ApiRequest, type ApiResponse, requestApi } from '../test/support/api-request.ts';
import { findFreePorts } from '../test/support/free-ports.ts';
import { type Guard, type GuardedProgram, startGuard } from '../test/support/guard.ts';
import { type CommandResult, runCommand } from '../test/support/run-command.ts';
import { waitUntil } from '../test/support/wait-for.ts';
import { findNpm, findProgram, makeBuildBase, makeFinalBase } from './image-bases.ts';
import { contain, SANDBOX_PROGRAMS } from './image-sandbox.ts';
import { type ImageConfig, openStore } from './image-store.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const IMAGE = 'localhost/scrapeguard';
const BASES = { NODE: 'localhost/stand-in/node', BASE: 'localhost/stand-in/nodejs' };
const USER = '65532:65532';
/** As long as a pod of the chart has after it was asked to end. */
const GRACE_MS = 40_000;

const missing = whatIsMissing();
if (missing === undefined) describe('the image', check);
else test('the image', { skip: missing });

function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux') return 'it takes Linux';
  const absent = ['buildah', 'ldd', ...SANDBOX_PROGRAMS].filter((name) => findProgram(name) === undefined);
  if (absent.length > 0) return `there is no ${absent.join(', no ')}`;
  if (process.getuid?.() !== 0) return 'it takes root';
  return findNpm() === undefined ? 'there is no npm that has its packages in its own folder' : undefined;
}

function check(): void {
  let guard: Guard | undefined;
  let config: ImageConfig = {};
  let root = '';
  let base = '';

  before(async () => {
    guard = await startGuard();
    const store = openStore(guard);
    base = join(guard.directory, 'final');
    await store.commit(await makeBuildBase(join(guard.directory, 'build'), findNpm() ?? ''), BASES.NODE);
    await store.commit(await makeFinalBase(base), BASES.BASE);
    await store.build(ROOT, IMAGE, BASES);
    config = await store.configOf(IMAGE);
    root = await store.open(IMAGE);
  });
  after(() => guard?.end());

  it('says how it is run', () => {
    const { User, Entrypoint, Cmd, ExposedPorts, Labels } = config;
    assert.deepEqual(
      { User, Entrypoint, Cmd, ExposedPorts: Object.keys(asObject(ExposedPorts)).sort() },
      {
        User: USER,
        Entrypoint: ['/nodejs/bin/node', '/app/scrapeguard.mjs'],
        Cmd: ['serve'],
        ExposedPorts: ['8443/tcp', '9443/tcp'],
      },
    );
    const { 'org.opencontainers.image.title': title, 'org.opencontainers.image.licenses': licenses } = asObject(Labels);
    assert.deepEqual([title, licenses], [packageJson.name, packageJson.license]);
  });

  it('adds the bundle to its base and nothing else, no shell either', async (t) => {
    const [added, standing] = [await filesIn(root), await filesIn(base)];
    const isOurs = /^app\/(?:scrapeguard[\w-]*\.mjs|LICENSES\.txt)$/;
    assert.deepEqual(
      [...added.keys()].filter((path) => !standing.has(path) && !isOurs.test(path)),
      [],
    );
    assert.ok(added.has('app/scrapeguard.mjs') && added.has('app/LICENSES.txt'));
    const shells = /(?:^|\/)(?:ba|da|a|z|k)?sh$|(?:^|\/)(?:busybox|npm|npx|apt|dpkg)$/;
    assert.deepEqual(
      [...added.keys()].filter((path) => shells.test(path)),
      [],
    );
    const ours = [...added].filter(([path]) => !standing.has(path)).map(([, size]) => size);
    t.diagnostic(`${mebibytes([...added.values()])} MiB, of which ${mebibytes(ours)} MiB are added to the base`);
  });

  it('has the start of the product where a user may not write', async () => {
    const [{ uid, mode }, { mode: folder }] = [
      await stat(join(root, 'app/scrapeguard.mjs')),
      await stat(join(root, 'app')),
    ];
    assert.deepEqual([uid, mode & 0o022, folder & 0o022], [0, 0, 0]);
  });

  /** What runs in the image, with nothing in its environment but what the image says. */
  const contained = (argv: readonly string[]) => contain({ root, user: USER, env: asStrings(config['Env']), argv });
  const node = (script: string): Promise<CommandResult> => {
    const { command, args } = contained([asStrings(config['Entrypoint'])[0] ?? '', '-e', script]);
    return runCommand(command, args);
  };

  it('can write nowhere', async () => {
    const script = `for (const path of ['/', '/app', '/tmp', '/home/nonroot', '/nodejs/bin']) {
      try { fs.writeFileSync(path + '/x', ''); console.log(path); } catch ({ code }) { console.log(path, code); }
    }`;
    const { stdout } = await node(script);
    assert.equal(stdout, '/ EROFS\n/app EROFS\n/tmp EROFS\n/home/nonroot EROFS\n/nodejs/bin EROFS\n');
  });

  it('has no privilege, and is the first process', async () => {
    const { stdout } = await node(`console.log(process.pid, fs.readFileSync('/proc/self/status', 'utf8'))`);
    assert.match(stdout, /^1 Name:/);
    for (const line of [
      /^Uid:(?:\t65532){4}$/m,
      /^Groups:\t\s*$/m,
      /^CapEff:\t0+$/m,
      /^CapPrm:\t0+$/m,
      /^NoNewPrivs:\t1$/m,
    ]) {
      assert.match(stdout, line);
    }
  });

  describe('a server in it', () => {
    let server: GuardedProgram | undefined;
    let port = 0;

    const ask = (path: string, request: ApiRequest = {}): Promise<ApiResponse> =>
      requestApi({ url: `https://127.0.0.1:${port}` }, 'anonymous', path, request);

    before(async () => {
      assert.ok(guard);
      [port = 0] = await findFreePorts(1);
      await mkdir(join(root, 'etc/scrapeguard'));
      await copyFile(join(ROOT, 'policies/cluster-wide.yaml'), join(root, 'etc/scrapeguard/policy.yaml'));
      const flags = ['serve', '--policy=/etc/scrapeguard/policy.yaml', `--port=${port}`, '--drain-seconds=10'];
      const { command, args } = contained([...asStrings(config['Entrypoint']), ...flags]);
      const { PATH = '' } = process.env;
      const logFile = join(guard.directory, 'server.log');
      server = await guard.start({ command, args, env: { PATH }, cwd: guard.directory, logFile });
      await waitUntil('the server to be ready', async () => {
        assert.equal(server?.end(), undefined, await readFile(logFile, 'utf8'));
        return ask('/readyz')
          .then(({ status }) => status === 200)
          .catch(() => false);
      });
    });

    const expectRefusal = async (): Promise<void> => {
      const [, review = ''] = /-d '(.*)'/.exec(exampleCall('127.0.0.1', port)) ?? [];
      const { status, body } = await ask('/validate', { method: 'POST', body: review });
      const response = asObject(asObject(body)['response']);
      assert.deepEqual([status, response['allowed'], asObject(response['status'])['code']], [200, false, 403]);
      assert.match(asString(asObject(response['status'])['message']) ?? '', /takes port 10255 of the node/);
    };

    it('refuses a pod with port 10255', expectRefusal);

    it('goes on for as long as it is told when it is asked to end, and then ends by itself', async () => {
      assert.ok(server);
      const ended = server.stop(GRACE_MS);
      await waitUntil('the server to say that it is not ready', async () => (await ask('/readyz')).status === 503);
      await expectRefusal();
      assert.deepEqual(await ended, { code: 0, signal: null });
      const lines = (await readFile(server.logFile, 'utf8')).trimEnd().split('\n');
      assert.ok(lines.some((line) => line.includes('"msg":"stopping"')));
      // Node has nothing to say either: about a home that is missing, or a cache that it cannot write.
      assert.deepEqual(
        lines.filter((line) => !line.startsWith('{')),
        [],
      );
    });
  });
}

/** The files of a root file system with their sizes, by their paths; what is no plain file counts as nothing. */
async function filesIn(root: string): Promise<ReadonlyMap<string, number>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file).catch(() => undefined))?.size ?? 0));
  return new Map(files.map((file, index) => [file.slice(root.length + 1), sizes[index] ?? 0]));
}

function mebibytes(sizes: readonly number[]): number {
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20);
}
