import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { poll } from './poll.ts';
import { holdPair, PART_NAMES, type CertificateSource, type ServingPair } from './source.ts';
import { isCertificateList, isStepBack, whyOutdated, whyUnusable } from './validity.ts';

/** Where the files are, how often to look (milliseconds), and who hears of a pair that was not taken. */
export type CertificateFilesOptions = {
  readonly directory: string;
  readonly intervalMs: number;
  readonly now: () => Date;
  readonly onProblem: (sentence: string) => void;
};

/** A source over a directory; `check` looks at the files now instead of at the next interval. */
export type CertificateFiles = CertificateSource & { readonly check: () => Promise<void> };

/**
 * Serves `tls.crt`, `tls.key` and, if it is there, `ca.crt` of a directory, and takes a changed pair when it is good.
 * A bad one leaves the old in force and is reported once, when it is seen unchanged a second time; one that has expired
 * takes no place of one that has not. A pair that is not valid yet is taken: a machine whose clock is ahead has made it.
 * That the pair in force is not valid by its dates is reported once, too.
 * Throws an Error with one sentence when the first pair cannot be used.
 */
export async function watchCertificateFiles(options: CertificateFilesOptions): Promise<CertificateFiles> {
  const { directory, intervalMs, now, onProblem } = options;
  const first = await readParts(directory);
  const initial = toPair(first);
  if (typeof initial === 'string') throw new Error(`The certificate in ${directory} cannot be used: ${initial}`);
  const { source, replace } = holdPair(initial);
  const look = makeComparer(first, (pair) => {
    const problem = typeof pair === 'string' ? pair : whyNoBetter(pair, source.current, now());
    if (typeof pair !== 'string' && problem === undefined) return replace(pair);
    onProblem(`The new certificate in ${directory} cannot be used, the old one stays in force: ${problem}`);
  });
  let outdated: string | undefined;
  const lookAtDates = (): void => {
    const sentence = whyOutdated(source.current, now());
    if (sentence !== undefined && sentence !== outdated) onProblem(`Nobody believes this server: ${sentence}`);
    outdated = sentence;
  };
  // Polled, not watched: a mounted Secret changes by a symlink swap that file events report differently on each system.
  const polling = poll(async (isStopped) => {
    const parts = await readParts(directory);
    if (isStopped()) return;
    look(parts);
    lookAtDates();
  }, intervalMs);
  return {
    get current() {
      return source.current;
    },
    onChange: source.onChange,
    check: polling.runNow,
    stop() {
      polling.stop();
      source.stop();
    },
  };
}

function whyNoBetter(pair: ServingPair, current: ServingPair, at: Date): string | undefined {
  return isStepBack(pair, current, at) ? whyOutdated(pair, at) : undefined;
}

/** Calls back with each new content, good or bad, once. */
function makeComparer(first: Content, onNew: (pair: ServingPair | string) => void): (parts: Content) => void {
  let settled = JSON.stringify(first);
  let suspect: string | undefined;
  return (parts) => {
    const content = JSON.stringify(parts);
    const seenBefore = content === suspect;
    suspect = undefined;
    if (content === settled) return;
    const pair = toPair(parts);
    if (typeof pair === 'string' && !seenBefore) {
      // Perhaps a writer caught between two files, or we between two generations of a mounted Secret: look again.
      suspect = content;
      return;
    }
    settled = content;
    onNew(pair);
  };
}

type Parts = { readonly cert: string; readonly key: string; readonly ca: string };
type Content = Parts | { readonly problem: string };

async function readParts(directory: string): Promise<Content> {
  try {
    return {
      cert: await readPart(directory, PART_NAMES.cert),
      key: await readPart(directory, PART_NAMES.key),
      ca: await readPart(directory, PART_NAMES.ca, ''),
    };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

async function readPart(directory: string, name: string, whenMissing?: string): Promise<string> {
  try {
    return await readFile(join(directory, name), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code !== 'ENOENT') throw new Error(`${name} cannot be read (${code}).`, { cause: error });
    if (whenMissing !== undefined) return whenMissing;
    throw new Error(`${name} is not there.`, { cause: error });
  }
}

/** The pair, or the sentence that says why it is none. cert-manager leaves ca.crt empty where it does not know the CA. */
function toPair(content: Content): ServingPair | string {
  if ('problem' in content) return content.problem;
  const { cert, key, ca } = content;
  const problem = whyUnusable({ cert, key });
  if (problem !== undefined) return problem;
  if (ca.trim() === '') return { cert, key };
  return isCertificateList(ca) ? { cert, key, ca } : `${PART_NAMES.ca} holds no certificate that can be read.`;
}
