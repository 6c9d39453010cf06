import { readdirSync, readFileSync } from 'node:fs';

/** What becomes of an example under a policy that enforces every rule, strongest first; also the name of its folder. */
export const VERDICTS = ['denied', 'warned', 'allowed'] as const;

/** One of VERDICTS. */
export type Verdict = (typeof VERDICTS)[number];

/** A file of `policies/<rule>/examples/<verdict>`. */
export interface Example {
  readonly rule: string;
  readonly verdict: Verdict;
  /** The path from the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** The examples of a rule, strongest verdict first, then by name; none when there is no such folder. */
export function examplesOf(root: URL, rule: string): Example[] {
  return VERDICTS.flatMap((verdict) => {
    const folder = `policies/${rule}/examples/${verdict}`;
    return filesIn(new URL(folder, root))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => {
        const path = `${folder}/${name}`;
        return { rule, verdict, path, text: readFileSync(new URL(path, root), 'utf8') };
      });
  });
}

/** The names in a folder, sorted; none when it does not exist. */
export function filesIn(folder: URL): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
