// The manifests under policies/<rule>/examples, which documentation shows and tests judge.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readManifests, type Manifest } from '../../src/manifests/manifests.ts';

const POLICIES = fileURLToPath(new URL('../../policies', import.meta.url));

/** What becomes of an example where everything is enforced, templates too: the name of its folder. */
export const VERDICTS = ['allowed', 'warned', 'denied'] as const;

/** One example of one rule. */
export interface Example {
  readonly rule: string;
  readonly verdict: (typeof VERDICTS)[number];
  /** `policies/<rule>/examples/denied/pod.yaml`. */
  readonly file: string;
  readonly text: string;
  readonly manifests: readonly Manifest[];
}

/** The examples of a rule, by folder and name; none when it has none. Throws for one that cannot be read whole. */
export function examplesOf(rule: string): Example[] {
  return VERDICTS.flatMap((verdict) => {
    const folder = join(POLICIES, rule, 'examples', verdict);
    if (!existsSync(folder)) return [];
    const names = readdirSync(folder).sort();
    return names.map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const file = `policies/${rule}/examples/${verdict}/${name}`;
      const { manifests, errors, warnings } = readManifests(file, text);
      const problem = [...errors, ...warnings][0];
      if (problem !== undefined) throw new Error(`${file}:${problem.line}: ${problem.message}`);
      return { rule, verdict, file, text, manifests };
    });
  });
}
