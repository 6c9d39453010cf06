// Images in a folder of their own, made and opened with buildah, which needs no daemon.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asObject, type JsonObject } from '../src/kube/json.ts';
import type { Guard } from '../test/support/guard.ts';
import { runCommand } from '../test/support/run-command.ts';
import type { Base } from './image-bases.ts';

/** What an image says about how it is run. */
export type ImageConfig = JsonObject;

/** A store of images that goes away with its guard. */
export interface ImageStore {
  /** Makes an image of a root file system. */
  readonly commit: (base: Base, name: string) => Promise<void>;
  /** Builds the Dockerfile of a folder over bases by the names of its arguments. */
  readonly build: (folder: string, name: string, bases: Readonly<Record<string, string>>) => Promise<void>;
  readonly configOf: (name: string) => Promise<ImageConfig>;
  /** The path of the root file system of a new container of an image. */
  readonly open: (name: string) => Promise<string>;
}

const BUILD_MS = 8 * 60_000;

/**
 * Opens an empty store in the folder of a guard, which ends buildah too. The functions throw an Error with what buildah
 * said when it failed.
 */
export function openStore(guard: Guard): ImageStore {
  const { directory } = guard;
  // Plain folders: a store that is made of mounts would have to be unmounted, whatever ends us.
  const places = ['--root', join(directory, 'store'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs'];
  const env = { ...process.env, TMPDIR: directory };

  /** What is over at once: what it says. */
  const ask = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCommand('buildah', [...places, ...args], { env });
    if (code !== 0) throw new Error(`buildah ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    return stdout.trim();
  };

  /** What takes its time: whatever ends this process ends it. */
  const work = async (...args: readonly string[]): Promise<void> => {
    const logFile = join(directory, 'buildah.log');
    const program = await guard.start({ command: 'buildah', args: [...places, ...args], env, cwd: directory, logFile });
    const timer = setTimeout(() => void program.stop(), BUILD_MS);
    const { code } = await program.ended.finally(() => clearTimeout(timer));
    if (code !== 0) throw new Error(`buildah ${args.join(' ')} ended with ${code}:\n${await said(logFile)}`);
  };

  return {
    async commit({ root, config }, name) {
      const container = await ask('from', 'scratch');
      await work('add', '--quiet', container, root, '/');
      await ask('config', ...config, container);
      await work('commit', '--quiet', '--rm', container, name);
    },
    async build(folder, name, bases) {
      const args = Object.entries(bases).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
      await work('bud', '--isolation', 'chroot', '--pull-never', ...args, '--tag', name, folder);
    },
    async configOf(name) {
      const described = asObject(JSON.parse(await ask('inspect', '--type', 'image', name)));
      return asObject(asObject(described['OCIv1'])['config']);
    },
    open: async (name) => ask('mount', await ask('from', '--pull-never', name)),
  };
}

async function said(logFile: string): Promise<string> {
  return (await readFile(logFile, 'utf8')).trimEnd();
}
