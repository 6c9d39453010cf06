import { readFile } from 'node:fs/promises';

import { readManifests } from '../manifests/manifests.ts';
import { defaultPolicy } from '../policy/default-policy.ts';
import type { PolicyDocument } from '../policy/document.ts';
import type { PolicyParser } from '../policy/parse.ts';
import type { Rule } from '../policy/rule.ts';

/** A policy file that cannot be used; `problems` has a line for each thing wrong, with file, line and column. */
export class PolicyFileError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'PolicyFileError';
    this.problems = problems;
  }
}

/**
 * Reads a policy, complete with every default; the default policy when no file is named. Rejects with a PolicyFileError
 * that names every problem and its place.
 */
export async function readPolicy(file: string | undefined, rules: readonly Rule[]): Promise<PolicyDocument> {
  if (file === undefined) return defaultPolicy(rules);
  return parsePolicyText(file, await readText(file), await loadPolicyParser(rules));
}

/** The parser for policies over these rules. Its library is loaded only where there is something to parse. */
export async function loadPolicyParser(rules: readonly Rule[]): Promise<PolicyParser> {
  const { policyParser } = await import('../policy/parse.ts');
  return policyParser(rules);
}

/** The same for a text that was read already; throws a PolicyFileError. */
export function parsePolicyText(file: string, text: string, parse: PolicyParser): PolicyDocument {
  const { manifests, errors, warnings } = readManifests(file, text);
  const unreadable = [...errors, ...warnings].map((problem) => `${file}:${problem.line ?? 1}: ${problem.message}`);
  if (unreadable.length > 0) throw new PolicyFileError(unreadable);
  const [manifest, ...others] = manifests;
  if (manifest === undefined) throw new PolicyFileError([`${file}: holds no policy`]);
  if (others.length > 0) throw new PolicyFileError([`${file}: holds ${manifests.length} documents; a policy is one`]);
  const parsed = parse(manifest.object);
  if (parsed.ok) return parsed.document;
  throw new PolicyFileError(
    parsed.problems.map(({ path, message }) => {
      const { line, column } = manifest.locate(path);
      return `${file}:${line}:${column}: ${message}`;
    }),
  );
}

/** The text of a policy file; rejects with a PolicyFileError. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new PolicyFileError([`${file}: cannot be read (${error instanceof Error ? error.message : String(error)})`]);
  }
}
