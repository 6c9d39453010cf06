// Manifests that other projects publish, and what was found in them by hand: read in place, where they stand.

import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { isObject, type JsonObject } from '../../src/kube/json.ts';
import { readTexts } from '../../src/manifests/files.ts';
import { readManifests, type Manifest, type Reading } from '../../src/manifests/manifests.ts';

const CORPUS = fileURLToPath(new URL('../../../shared/corpus', import.meta.url));

/** Why a test of the corpus is skipped: it is no part of the repository, and no checkout can be asked to have it. */
export const CORPUS_SKIP_REASON = 'there is no ../shared/corpus beside the repository';

/** What the option `skip` of a test takes: a reason where there is no corpus beside the repository. */
export const corpusSkip: string | false = existsSync(CORPUS) ? false : CORPUS_SKIP_REASON;

/** The labels of the corpus in one of its files, one object a line. */
export function readLabels(name: string): JsonObject[] {
  const lines = readFileSync(join(CORPUS, name), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const label: unknown = line === '' ? undefined : JSON.parse(line);
    return isObject(label) ? [label] : [];
  });
}

/** A file of the corpus by its path in there, and what it holds. */
export type CorpusFile = { readonly file: string; readonly text: string; readonly reading: Reading };

/** What was read of each file: the tests of one process read the same ones. */
const filesRead = new Map<string, CorpusFile>();

/** Those files, or every one. */
export async function readCorpusFiles(files: readonly string[] = ['']): Promise<readonly CorpusFile[]> {
  const all: CorpusFile[] = [];
  const paths = files.map((file) => join(CORPUS, file));
  for await (const found of readTexts(paths, process.stdin)) {
    if (!('text' in found)) throw new Error(`${found.file}: ${found.message}`);
    const { text } = found;
    const file = relative(CORPUS, found.file);
    const read = filesRead.get(file) ?? { file, text, reading: readManifests(file, text) };
    filesRead.set(file, read);
    all.push(read);
  }
  return all;
}

/**
 * Every object of the corpus, or of the files that some labels are about, by its place in the words of the labels: file,
 * document, and item of a list.
 */
export async function readCorpus(labels = readLabels('index.jsonl')): Promise<ReadonlyMap<string, Manifest>> {
  const found = new Map<string, Manifest>();
  const files = new Set(labels.map(({ file }) => String(file)));
  for (const { file, reading } of await readCorpusFiles([...files])) {
    for (const manifest of reading.manifests) {
      found.set(placeOf(file, manifest.document, manifest.prefix.split('/').at(-1) || null), manifest);
    }
  }
  return found;
}

/** The place that a label is about. */
export function placeOfLabel({ file, doc, item }: JsonObject): string {
  return placeOf(String(file), Number(doc), typeof item === 'number' ? String(item) : null);
}

function placeOf(file: string, document: number, item: string | null): string {
  return `${file} ${document} ${item ?? '-'}`;
}
