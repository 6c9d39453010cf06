import { readFile } from 'node:fs/promises';

import type { PolicyDocument } from '../policy/document.ts';
import type { PolicyParser } from '../policy/parse.ts';
import { parsePolicyText, PolicyFileError, readText } from './policy-file.ts';

/** A policy file that is looked at every so often, and who hears of what is found. */
export interface PolicyWatchOptions {
  readonly file: string;
  readonly intervalMs: number;
  readonly parse: PolicyParser;
  readonly onChange: (document: PolicyDocument) => void;
  /** Hears once of each new content that cannot be used; the old policy stays in force. */
  readonly onProblem: (error: PolicyFileError) => void;
}

/** A policy that follows its file; `check` looks now instead of at the next interval. */
export interface PolicyWatch {
  readonly document: PolicyDocument;
  readonly check: () => Promise<void>;
  readonly stop: () => void;
}

/**
 * Reads a policy and keeps reading it: by content, so that a ConfigMap's symbolic links and a plain overwrite are alike.
 * Rejects with a PolicyFileError when the first content cannot be used.
 */
export async function watchPolicy(options: PolicyWatchOptions): Promise<PolicyWatch> {
  const { file, intervalMs, parse, onChange, onProblem } = options;
  const first = await readText(file);
  const document = parsePolicyText(file, first, parse);
  let known: string | undefined = first;
  const check = async (): Promise<void> => {
    const content = await contentOf(file);
    if (content === known) return;
    known = content;
    try {
      if (content === undefined) throw new PolicyFileError([`${file}: is gone`]);
      onChange(parsePolicyText(file, content, parse));
    } catch (error) {
      if (!(error instanceof PolicyFileError)) throw error;
      onProblem(error);
    }
  };
  const timer = setInterval(() => void check(), intervalMs).unref();
  return { document, check, stop: () => clearInterval(timer) };
}

async function contentOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
