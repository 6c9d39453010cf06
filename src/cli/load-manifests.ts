import { readTexts, type TextFile } from '../manifests/files.ts';
import { readManifests, type Manifest, type Problem, type Reading } from '../manifests/manifests.ts';
import type { Io } from './io.ts';
import { startProgress } from './progress.ts';

/** A text that was read, and its objects. */
export interface LoadedText extends TextFile {
  readonly manifests: readonly Manifest[];
}

/** The texts of a command line, and what could not be read or deserves a word. */
export interface LoadedTexts {
  readonly files: readonly LoadedText[];
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Reads what the paths of a command line hold, and says on a terminal how far it is. Never rejects for what they hold. */
export async function loadManifests(paths: readonly string[], io: Io): Promise<Reading> {
  const manifests: Manifest[] = [];
  const { errors, warnings } = await load(paths, io, (file) => {
    for (const manifest of file.manifests) manifests.push(manifest);
  });
  return { manifests, errors, warnings };
}

/** The same, with the texts themselves. */
export async function loadTexts(paths: readonly string[], io: Io): Promise<LoadedTexts> {
  const files: LoadedText[] = [];
  return { files, ...(await load(paths, io, (file) => files.push(file))) };
}

async function load(
  paths: readonly string[],
  io: Io,
  take: (file: LoadedText) => void,
): Promise<Omit<LoadedTexts, 'files'>> {
  const errors: Problem[] = [];
  const warnings: Problem[] = [];
  const progress = startProgress(io, 'Reading');
  let files = 0;
  for await (const found of readTexts(paths, io.stdin)) {
    progress.tell(`${(files += 1)} files`);
    if (!('text' in found)) {
      errors.push(found);
      continue;
    }
    const reading = readManifests(found.file, found.text);
    take({ ...found, manifests: reading.manifests });
    errors.push(...reading.errors);
    warnings.push(...reading.warnings);
  }
  progress.end();
  return { errors, warnings };
}
