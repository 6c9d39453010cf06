import type { Problem } from '../manifests/manifests.ts';
import { oneLine } from '../policy/message.ts';
import type { Io } from './io.ts';

/** Tells each sentence on a line of its own, behind the word for what it is. */
export function say({ stderr }: Io, word: string, sentences: readonly string[]): void {
  for (const sentence of sentences) stderr.write(`${word}: ${oneLine(sentence)}\n`);
}

/** A problem behind its place. */
export function sentenceOf({ file, line, message }: Problem): string {
  return line === undefined ? `${file}: ${message}` : `${file}:${line}: ${message}`;
}
