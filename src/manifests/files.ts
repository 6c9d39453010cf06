// Files, folders and the standard input to manifests: the only part of this folder that touches the file system.

import { createReadStream, readdirSync, readFileSync, realpathSync, statSync, type Dirent, type Stats } from 'node:fs';
import { join } from 'node:path';
import { readManifests, type Manifest, type Problem, type Reading } from './manifests.ts';

/** A text, and its path as a person would type it. */
export interface TextFile {
  readonly file: string;
  readonly text: string;
}

/** The largest file, or standard input, that is read. */
export const LARGEST_FILE_MIB = 256;

const LARGEST = LARGEST_FILE_MIB * 1024 * 1024;
const MANIFEST_NAME = /\.(?:yaml|yml|json)$/;
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or folder'],
  ['EACCES', 'permission denied'],
  ['ELOOP', 'too many symbolic links'],
]);

/** All manifests that the paths hold, in the order of `readTexts`. Never rejects for what a path names or holds. */
export async function readFiles(paths: readonly string[], stdin: AsyncIterable<Uint8Array | string>): Promise<Reading> {
  const manifests: Manifest[] = [];
  const errors: Problem[] = [];
  const warnings: Problem[] = [];
  for await (const found of readTexts(paths, stdin)) {
    const reading =
      'text' in found ? readManifests(found.file, found.text) : { manifests: [], errors: [found], warnings: [] };
    for (const manifest of reading.manifests) manifests.push(manifest);
    errors.push(...reading.errors);
    warnings.push(...reading.warnings);
  }
  return { manifests, errors, warnings };
}

/**
 * The texts that the paths name, in their order: a file whatever its ending, the `*.yaml`, `*.yml` and `*.json` files of
 * a folder and its subfolders by name, the standard input for `-`. `node_modules` and folders that begin with a dot are
 * passed over, and a folder is read once, whatever links lead to it. What cannot be read (absent, above 256 MiB, binary,
 * not UTF-8) is a problem in its place.
 */
export async function* readTexts(
  paths: readonly string[],
  stdin: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<TextFile | Problem> {
  for (const path of paths) {
    if (path === '-') yield await readStream(path, stdin);
    else yield* readPath(path);
  }
}

async function* readPath(path: string): AsyncGenerator<TextFile | Problem> {
  const stats = statOf(path);
  if (typeof stats === 'string') yield { file: path, message: stats };
  else if (stats.isDirectory()) yield* readFolder(path, new Set());
  else if (stats.isFile()) yield readRegular(path, stats);
  // A pipe, such as a shell makes for <(helm template ...).
  else yield await readStream(path, createReadStream(path));
}

function* readFolder(folder: string, seen: Set<string>): Generator<TextFile | Problem> {
  const entries = listFolder(folder, seen);
  if (typeof entries === 'string') {
    yield { file: folder, message: entries };
    return;
  }
  for (const { name } of entries) {
    const path = join(folder, name);
    const stats = statOf(path);
    if (typeof stats === 'string') {
      if (MANIFEST_NAME.test(name)) yield { file: path, message: stats };
    } else if (stats.isDirectory()) {
      if (!name.startsWith('.') && name !== 'node_modules') yield* readFolder(path, seen);
    } else if (stats.isFile() && MANIFEST_NAME.test(name)) yield readRegular(path, stats);
  }
}

/** A folder's entries by name; none when it was seen before; a string says why it cannot be listed. */
function listFolder(folder: string, seen: Set<string>): readonly Dirent[] | string {
  try {
    const real = realpathSync(folder);
    if (seen.has(real)) return [];
    seen.add(real);
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    return reasonOf(error);
  }
}

/** What a path leads to, links followed; a string says why it leads nowhere. */
function statOf(path: string): Stats | string {
  try {
    return statSync(path);
  } catch (error) {
    return reasonOf(error);
  }
}

function readRegular(file: string, stats: Stats): TextFile | Problem {
  if (stats.size > LARGEST) return tooLarge(file);
  try {
    return decode(file, readFileSync(file));
  } catch (error) {
    return { file, message: reasonOf(error) };
  }
}

async function readStream(file: string, stream: AsyncIterable<Uint8Array | string>): Promise<TextFile | Problem> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of stream) {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part;
      size += bytes.length;
      if (size > LARGEST) return tooLarge(file);
      parts.push(bytes);
    }
  } catch (error) {
    return { file, message: reasonOf(error) };
  }
  return decode(file, Buffer.concat(parts));
}

function decode(file: string, bytes: Uint8Array): TextFile | Problem {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { file, message: 'this is UTF-16, which Kubernetes does not read: save it as UTF-8' };
  }
  if (bytes.includes(0)) return { file, message: 'this is a binary file' };
  try {
    return { file, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { file, message: 'this is not UTF-8 text' };
  }
}

function tooLarge(file: string): Problem {
  return { file, message: `above ${LARGEST_FILE_MIB} MiB, too large to be read` };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return REASONS.get(code) ?? error.message;
}
