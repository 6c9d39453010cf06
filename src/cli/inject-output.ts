import { draftOf, valueOf } from '../manifests/draft.ts';
import { applySplices } from '../manifests/splice.ts';
import { unifiedDiff, type DiffLine } from '../manifests/unified-diff.ts';
import { reportedRef } from '../report/report.ts';
import type { Tone } from '../report/text.ts';
import type { InjectedFile, InjectedManifest } from './inject-files.ts';
import type { Io } from './io.ts';
import { styleFor } from './style.ts';

/** The formats of `inject`, the first one where none is named. */
export const INJECT_FORMATS = ['yaml', 'json', 'patch', 'diff'] as const;

/** A row of INJECT_FORMATS. */
export type InjectFormat = (typeof INJECT_FORMATS)[number];

const WRITERS: Readonly<Record<InjectFormat, (files: readonly InjectedFile[], io: Io) => string>> = {
  yaml: yamlStream,
  json: jsonObjects,
  patch: jsonPatches,
  diff: unifiedDiffs,
};

/** Writes to the standard output what injection makes of the files. */
export function writeInjected(files: readonly InjectedFile[], format: InjectFormat, io: Io): void {
  io.stdout.write(WRITERS[format](files, io));
}

/** The files one behind the other; a single one keeps every byte that injection does not touch. */
function yamlStream(files: readonly InjectedFile[]): string {
  const texts = files.map(({ text, splices }) => applySplices(text, splices));
  if (texts.length === 1) return texts.join('');
  return texts.map((text, at) => separated(text.replace(/^\uFEFF/, ''), at === 0)).join('');
}

const MARKED = /^(?:[ \t]*(?:#[^\n]*)?\r?\n)*(---|%)/;

function separated(text: string, isFirst: boolean): string {
  const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  const mark = MARKED.exec(text)?.[1];
  if (isFirst || mark === '---') return whole;
  return mark === '%' ? `...\n${whole}` : `---\n${whole}`;
}

/** One object as it is, several in a List, as kubectl writes them. */
function jsonObjects(files: readonly InjectedFile[]): string {
  const objects = files.flatMap(({ objects: found }) => found.map(injectedObject));
  const [first, ...others] = objects;
  const single = objects.length > 0 && others.length === 0;
  return toJson(single ? first : { apiVersion: 'v1', kind: 'List', items: objects });
}

function injectedObject({ manifest, patch }: InjectedManifest): unknown {
  return valueOf(draftOf(manifest.object, patch));
}

/** The patch of each object that changes, with the object's names and its place. */
function jsonPatches(files: readonly InjectedFile[]): string {
  const changed = files.flatMap(({ objects }) => objects.filter(({ patch }) => patch.length > 0));
  return toJson(
    changed.map(({ manifest, patch }) => ({
      object: reportedRef(manifest.object),
      source: { file: manifest.file, ...manifest.locate('') },
      patch,
    })),
  );
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

const TONES: Readonly<Partial<Record<DiffLine['kind'], Tone>>> = {
  file: 'heading',
  hunk: 'quiet',
  removed: 'removed',
  added: 'added',
};

function unifiedDiffs(files: readonly InjectedFile[], io: Io): string {
  const style = styleFor(io.stdout, io);
  const lines = files.flatMap(({ file, text, splices }) => unifiedDiff(file === '-' ? 'stdin' : file, text, splices));
  return lines
    .map(({ kind, text }) => {
      const tone = TONES[kind];
      return `${tone === undefined ? text : style(tone, text)}\n`;
    })
    .join('');
}
