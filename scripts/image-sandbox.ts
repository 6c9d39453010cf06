// Runs a program of an image's root file system as the chart has it run: read-only, as nobody in particular, with no
// capability and no way to get one, as the first process of its own, and with the environment of the image alone.
import { findProgram } from './image-bases.ts';

/** A program in a root file system. */
export interface Contained {
  readonly root: string;
  readonly user: string;
  readonly env: readonly string[];
  readonly argv: readonly string[];
}

/** The programs of this machine that it takes. */
export const SANDBOX_PROGRAMS = ['unshare', 'mount', 'setpriv', 'env', 'chroot', 'sh'] as const;

// chroot is the last that needs a capability, and has none left when it has become the user.
const KEPT = '+sys_chroot,+setuid,+setgid';
const PREPARE = [
  'mount --bind "$1" "$1"',
  'mount -t proc -o ro proc "$1/proc"',
  'mount -o remount,bind,ro "$1"',
  'shift',
  'exec "$@"',
].join(' && ');

/** The command line that runs a program so. SIGTERM to its group reaches it, and its exit code is passed on. */
export function contain({ root, user, env, argv }: Contained): {
  readonly command: string;
  readonly args: readonly string[];
} {
  const chroot = findProgram('chroot') ?? 'chroot';
  const words = [
    '--mount --pid --ipc --fork --kill-child --propagation private sh -c'.split(' '),
    [PREPARE, 'sh', root, 'setpriv', '--no-new-privs', `--bounding-set=-all,${KEPT}`],
    ['env', '-i', ...env, chroot, `--userspec=${user}`, '--groups=', root, ...argv],
  ];
  return { command: 'unshare', args: words.flat() };
}
