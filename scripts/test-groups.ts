import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The folders of `test/` whose files share a process, since what they test is pure: no file of theirs changes anything
 * outside itself (a test sees to it). A process costs more than most files.
 */
export const SHARING_FOLDERS: readonly string[] = ['kube', 'rbac', 'policy', 'inject', 'rules', 'admission', 'report'];

/** How many files share a process at most: every core is to have something to do. */
const GROUP_SIZE = 8;

/** Where the modules are that stand for several test files, each named after what it holds. */
const GROUPS = fileURLToPath(new URL('../node_modules/.cache/test-groups', import.meta.url));

/**
 * Puts files of the same sharing folder together, at most eight into a process, by modules that import them; all other
 * files stay as they are. Tests keep their names and their places.
 */
export function groupTestFiles(files: readonly string[]): readonly string[] {
  const groups = SHARING_FOLDERS.flatMap((folder) => {
    const inFolder = files.filter((file) => basename(dirname(file)) === folder && isSharing(file));
    return chunksOf(inFolder, GROUP_SIZE).map((chunk) => groupOf(folder, chunk));
  });
  return [...groups, ...files.filter((file) => !isSharing(file))];
}

function groupOf(folder: string, files: readonly string[]): string {
  const text = files.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`).join('');
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const group = join(GROUPS, `${folder}-${hash}.test.mjs`);
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
  return basename(dirname(folder)) === 'test' && SHARING_FOLDERS.includes(basename(folder));
}

/** Neighbours by name stay together, since they often read the same. */
function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, chunk) =>
    items.slice(chunk * size, (chunk + 1) * size),
  );
}
