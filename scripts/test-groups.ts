import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The folders of `test/` whose files share a process, `.` for those in none, since no file of theirs changes anything
 * outside itself (a test sees to it). A process costs more than most files. What takes longest comes first, so that no
 * core has the last of it alone.
 */
export const SHARING_FOLDERS: readonly string[] = [
  'rules',
  'deploy',
  'rbac',
  'manifests',
  'cli',
  'tls',
  'policy',
  'admission',
  'live',
  'inject',
  'server',
  '.',
  'kube',
  'policies',
  'report',
];

/** The files in these folders that have a process of their own, since they speak of what changes one or start others. */
export const ALONE: readonly string[] = [
  'architecture.test.ts',
  'cli/launch.test.ts',
  'cli/self-managed-certificates.test.ts',
];

/** Files that read the same manifests, which takes longer than all else that they do, are a group of their own. */
const CORPUS = 'corpus';

const TEST = fileURLToPath(new URL('../test', import.meta.url));

/** Where the modules are that stand for several test files, each named after what it holds. */
const GROUPS = fileURLToPath(new URL('../node_modules/.cache/test-groups', import.meta.url));

/**
 * Puts files that may share a process together by modules that import them; all others stay as they are. Tests keep
 * their names and their places.
 */
export function groupTestFiles(files: readonly string[]): readonly string[] {
  const members = Map.groupBy(files, groupOf);
  const groups = [CORPUS, ...SHARING_FOLDERS].flatMap((name) => {
    const sharing = members.get(name) ?? [];
    return sharing.length > 0 ? [shareProcess(name, sharing)] : [];
  });
  return [...(members.get(undefined) ?? []), ...groups];
}

/** A module that stands for all the files, which run in its process; `name` begins its own. */
export function shareProcess(name: string, files: readonly string[]): string {
  const text = files.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`).join('');
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const group = join(GROUPS, `${name === '.' ? 'test' : name}-${hash}.test.mjs`);
  if (existsSync(group)) return group;
  mkdirSync(GROUPS, { recursive: true });
  // A rename is all or nothing, for another run may look for the same file.
  const written = `${group}.${process.pid}`;
  writeFileSync(written, text);
  renameSync(written, group);
  return group;
}

/** The name of the group that a file belongs to, or undefined. */
function groupOf(file: string): string | undefined {
  const path = relative(TEST, file).split(sep).join('/');
  const folder = posix.dirname(path);
  if (ALONE.includes(path) || !SHARING_FOLDERS.includes(folder)) return undefined;
  return /\bcorpus\b/.test(posix.basename(path)) ? CORPUS : folder;
}
