// Stand-ins for the two bases of the Dockerfile, made of what this machine has: for where no registry answers.
import { chmod, copyFile, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runCommand } from '../test/support/run-command.ts';

/** A root file system in a folder, and the configuration of the image that it becomes, as options of buildah. */
export interface Base {
  readonly root: string;
  readonly config: readonly string[];
}

const NONROOT = 65_532;
const TRUSTED = '/etc/ssl/certs/ca-certificates.crt';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The path of a program of this machine, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** The folder of an npm that can be copied: one that has its packages within. Undefined where there is none. */
export function findNpm(): string | undefined {
  const program = process.env['npm_execpath'] ?? findProgram('npm');
  if (program === undefined) return undefined;
  const folder = dirname(dirname(realpathSync(program)));
  return existsSync(join(folder, 'node_modules')) && existsSync(join(folder, 'bin/npm-cli.js')) ? folder : undefined;
}

/** In place of node:24-bookworm-slim: a shell, Node and npm, which asks the registry that it asks on this machine. */
export async function makeBuildBase(root: string, npm: string): Promise<Base> {
  await makeFolders(root, ['/tmp', '/root', '/proc', '/dev', '/sys', '/usr/local/lib/node_modules', '/usr/bin']);
  await writeAccounts(root, ['root:x:0:0:root:/root:/bin/sh']);
  await copyProgram(root, '/bin/sh', '/bin/sh');
  await copyProgram(root, process.execPath, '/usr/local/bin/node');
  await copyProgram(root, findProgram('env') ?? '/usr/bin/env', '/usr/bin/env');
  await cp(npm, join(root, '/usr/local/lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, '/usr/local/bin/npm'));
  const isTrusting = await copyTrusted(root);
  await writeFile(join(root, '/root/.npmrc'), `registry=${await registryOf(npm)}\n`);
  const trusting = isTrusting ? ['--env', `NODE_EXTRA_CA_CERTS=${TRUSTED}`] : [];
  return { root, config: ['--env', PATH, '--env', 'HOME=/root', ...trusting, '--cmd', 'node'] };
}

/** In place of distroless' Node: Node, its libraries, certificates and accounts, and nothing else; no shell. */
export async function makeFinalBase(root: string): Promise<Base> {
  await makeFolders(root, ['/tmp', '/home/nonroot', '/root', '/proc', '/dev', '/sys']);
  await writeAccounts(root, [
    'root:x:0:0:root:/root:/sbin/nologin',
    `nonroot:x:${NONROOT}:${NONROOT}::/home/nonroot:/sbin/nologin`,
  ]);
  await copyProgram(root, process.execPath, '/nodejs/bin/node');
  await copyTrusted(root);
  const config = ['--env', PATH, '--env', `SSL_CERT_FILE=${TRUSTED}`, '--user', String(NONROOT)];
  return { root, config: [...config, '--workingdir', '/home/nonroot', '--entrypoint', '["/nodejs/bin/node"]'] };
}

async function makeFolders(root: string, folders: readonly string[]): Promise<void> {
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  await chmod(join(root, '/tmp'), 0o1777);
}

async function writeAccounts(root: string, accounts: readonly string[]): Promise<void> {
  await mkdir(join(root, '/etc'), { recursive: true });
  await writeFile(join(root, '/etc/passwd'), accounts.map((line) => `${line}\n`).join(''));
  const groups = accounts.map((line) => line.split(':')).map(([name = '', , , group = '']) => `${name}:x:${group}:\n`);
  await writeFile(join(root, '/etc/group'), groups.join(''));
  await writeFile(join(root, '/etc/nsswitch.conf'), 'hosts: files dns\n');
}

/** A program with the libraries that it is linked with, those where its loader looks for them. */
async function copyProgram(root: string, from: string, to: string): Promise<void> {
  const { stdout } = await runCommand('ldd', [from]);
  const libraries = [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, path = '']) => path);
  for (const path of libraries) await copyAs(root, path, path);
  await copyAs(root, from, to);
  await chmod(join(root, to), 0o755);
}

async function copyAs(root: string, from: string, to: string): Promise<void> {
  const target = join(root, to);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(from, target);
}

/** What this machine trusts, which need not be what a base from a registry trusts. False where it does not say. */
async function copyTrusted(root: string): Promise<boolean> {
  const from = process.env['NODE_EXTRA_CA_CERTS'] ?? TRUSTED;
  if (!existsSync(from)) return false;
  await copyAs(root, from, TRUSTED);
  return true;
}

/** The address alone: what npm is configured with besides may be secret. */
async function registryOf(npm: string): Promise<string> {
  const { stdout } = await runCommand(process.execPath, [join(npm, 'bin/npm-cli.js'), 'config', 'get', 'registry']);
  return stdout.trim();
}
