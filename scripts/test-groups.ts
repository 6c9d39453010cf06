import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The folders of `test/` whose files share a process, since what they test is pure: no file of theirs changes anything
 * outside itself (a test sees to it). A process costs more than most files.
 */
export const SHARING_FOLDERS: readonly string[] = ['kube', 'rbac', 'policy', 'inject', 'rules', 'admission', 'report'];

/** How many files share a process at most: every core is to have something to do. */
const GROUP_SIZE = 8;

/** Test files of which some stand for several others, until `remove` is called. */
export type TestGroups = { readonly files: readonly string[]; readonly remove: () => void };

/**
 * Puts files of the same sharing folder together, at most eight into a process, by modules that import them; all other
 * files stay as they are. Tests keep their names and their places.
 */
export function groupTestFiles(files: readonly string[]): TestGroups {
  const directory = mkdtempSync(join(tmpdir(), 'scrapeguard-test-groups-'));
  const alone = files.filter((file) => !isSharing(file));
  const groups = SHARING_FOLDERS.flatMap((folder) => {
    const inFolder = files.filter((file) => basename(dirname(file)) === folder && isSharing(file));
    return chunksOf(inFolder, GROUP_SIZE).map((chunk, index) => {
      const file = join(directory, `${folder}-${index + 1}.test.mjs`);
      const imports = chunk.map((path) => `import ${JSON.stringify(pathToFileURL(path).href)};\n`);
      writeFileSync(file, imports.join(''));
      return file;
    });
  });
  return { files: [...groups, ...alone], remove: () => rmSync(directory, { recursive: true }) };
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
