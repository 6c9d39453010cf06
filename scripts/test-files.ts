import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Paths of test files by how they are run. */
export type TestFiles = {
  /** Need nothing but npm. */
  readonly unit: readonly string[];
  /** On the control plane that they share. */
  readonly shared: readonly string[];
  /** Each on a control plane of its own. */
  readonly own: readonly string[];
};

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLUSTER = join('test', 'cluster') + sep;
const OWN = join(CLUSTER, 'own') + sep;

/** The test files whose path contains one of the words, or all of them when there is none. Sorted. */
export function findTestFiles(words: readonly string[]): TestFiles {
  const all = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .map((file) => join('test', file))
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();
  const select = (belongs: (file: string) => boolean): readonly string[] =>
    all.filter((file) => belongs(file)).map((file) => join(ROOT, file));
  return {
    unit: select((file) => !file.startsWith(CLUSTER)),
    shared: select((file) => file.startsWith(CLUSTER) && !file.startsWith(OWN)),
    own: select((file) => file.startsWith(OWN)),
  };
}
