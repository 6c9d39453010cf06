import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The folders of `test/` whose files share a process, since no file of theirs changes anything outside itself (a test
 * sees to it). A process costs more than most files.
 */
export const SHARING_FOLDERS: readonly string[] = [
  'kube',
  'rbac',
  'policy',
  'inject',
  'rules',
  'admission',
  'report',
  'manifests',
  'policies',
  'cli',
  'server',
  'live',
  'tls',
];

/** The files in these folders that have a process of their own, since they change it or mostly wait for others. */
export const ALONE: readonly string[] = ['cli/launch.test.ts', 'cli/self-managed-certificates.test.ts'];

/** How many files share a process at most: every core is to have something to do. */
const GROUP_SIZE = 12;

/** Files that read the same manifests, which takes longer than all else that they do: a group whatever their folder. */
const CORPUS = /\bcorpus\b/;

/** Where the modules are that stand for several test files, each named after what it holds. */
const GROUPS = fileURLToPath(new URL('../node_modules/.cache/test-groups', import.meta.url));

/**
 * Puts files that may share a process together by modules that import them: those that read the corpus, and otherwise
 * those of a folder, at most twelve; all other files stay as they are. Tests keep their names and their places.
 */
export function groupTestFiles(files: readonly string[]): readonly string[] {
  const sharing = Map.groupBy(files.filter(isSharing), (file) =>
    CORPUS.test(basename(file)) ? 'corpus' : basename(dirname(file)),
  );
  const groups = [...sharing].flatMap(([name, members]) =>
    chunksOf(members, GROUP_SIZE).map((chunk) => shareProcess(name, chunk)),
  );
  return [...groups, ...files.filter((file) => !isSharing(file))];
}

/** A module that stands for all the files, which run in its process; `name` begins its own. */
export function shareProcess(name: string, files: readonly string[]): string {
  const text = files.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`).join('');
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const group = join(GROUPS, `${name}-${hash}.test.mjs`);
  if (existsSync(group)) return group;
  mkdirSync(GROUPS, { recursive: true });
  // A rename is all or nothing, for another run may look for the same file.
  const written = `${group}.${process.pid}`;
  writeFileSync(written, text);
  renameSync(written, group);
  return group;
}

function isSharing(file: string): boolean {
  const folder = dirname(file);
  const name = basename(folder);
  if (basename(dirname(folder)) !== 'test' || ALONE.includes(`${name}/${basename(file)}`)) return false;
  return SHARING_FOLDERS.includes(name);
}

/** Neighbours by name stay together, since they often read the same. */
function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, chunk) =>
    items.slice(chunk * size, (chunk + 1) * size),
  );
}
