import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The folders of `test/` whose files share a process, `.` for those in none, under the name of that process, since no
 * file of theirs changes anything outside itself (a test sees to it). What a process compiles and prepares costs more
 * than most files, and those of one row need much the same. What takes longest comes first, so that no core has it
 * alone at the end.
 */
export const SHARING_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  rules: ['rules', 'manifests', 'policy', 'policies', 'kube', 'report'],
  deploy: ['deploy', 'tls', 'cli', 'live', 'server'],
  rbac: ['rbac', 'admission', 'inject', 'certs', 'scripts', 'support', '.'],
};

/** The files in these folders that have a process of their own, since they speak of what changes one or start others. */
export const ALONE: readonly string[] = [
  'architecture.test.ts',
  'cli/launch.test.ts',
  'cli/self-managed-certificates.test.ts',
  'scripts/bundle.test.ts',
  'scripts/new-rule.test.ts',
  'scripts/run-tests.test.ts',
  'scripts/test-groups.test.ts',
  'support/guard.test.ts',
];

/** Where the files of all these folders are that read the same manifests, which takes longer than all else that they do. */
const CORPUS = 'rules';

const TEST = fileURLToPath(new URL('../test', import.meta.url));

/** Where the modules are that stand for several test files, each named after what it holds. */
const GROUPS = fileURLToPath(new URL('../node_modules/.cache/test-groups', import.meta.url));

/**
 * Puts files that may share a process together by modules that import them; all others stay as they are. Tests keep
 * their names and their places.
 */
export function groupTestFiles(files: readonly string[]): readonly string[] {
  const members = Map.groupBy(files, groupOf);
  const groups = Object.keys(SHARING_FOLDERS).flatMap((name) => {
    const sharing = members.get(name) ?? [];
    return sharing.length > 0 ? [shareProcess(name, sharing)] : [];
  });
  // What takes longest comes first.
  return [...groups, ...(members.get(undefined) ?? [])];
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

/** The name of the group that a file belongs to, or undefined. */
function groupOf(file: string): string | undefined {
  const path = relative(TEST, file).split(sep).join('/');
  const folder = posix.dirname(path);
  const name = Object.keys(SHARING_FOLDERS).find((each) => SHARING_FOLDERS[each]?.includes(folder));
  if (name === undefined || ALONE.includes(path)) return undefined;
  return /\bcorpus\b/.test(posix.basename(path)) ? CORPUS : name;
}
