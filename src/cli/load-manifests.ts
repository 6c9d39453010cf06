import { readTexts } from '../manifests/files.ts';
import { readManifests, type Manifest, type Problem, type Reading } from '../manifests/manifests.ts';
import type { Io } from './io.ts';
import { startProgress } from './progress.ts';

/** Reads what the paths of a command line hold, and says on a terminal how far it is. Never rejects for what they hold. */
export async function loadManifests(paths: readonly string[], io: Io): Promise<Reading> {
  const manifests: Manifest[] = [];
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
    for (const manifest of reading.manifests) manifests.push(manifest);
    errors.push(...reading.errors);
    warnings.push(...reading.warnings);
  }
  progress.end();
  return { manifests, errors, warnings };
}
