import { stringify } from 'yaml';

import type { JsonObject } from '../kube/json.ts';
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

/** The formats that have room for objects of their own beside those of the files. */
export const WHOLE_FORMATS: readonly InjectFormat[] = ['yaml', 'json'];

/** The formats that are the text of the files, with something added where it stands. */
export const TEXT_FORMATS: readonly InjectFormat[] = ['yaml', 'diff'];

/** What is written: the files, and objects that they lack. */
export interface InjectedTexts {
  readonly files: readonly InjectedFile[];
  readonly companions: readonly JsonObject[];
}

const WRITERS: Readonly<Record<InjectFormat, (texts: InjectedTexts, io: Io) => string>> = {
  yaml: yamlStream,
  json: jsonObjects,
  patch: jsonPatches,
  diff: unifiedDiffs,
};

/** Writes to the standard output what injection makes of the files. */
export function writeInjected(texts: InjectedTexts, format: InjectFormat, io: Io): void {
  io.stdout.write(WRITERS[format](texts, io));
}

/** Kubernetes reads `on` and `012` as YAML 1.1 does. */
const KUBERNETES_YAML = { version: '1.1' } as const;

/** The files one behind the other; a single one keeps every byte that injection does not touch. */
function yamlStream({ files, companions }: InjectedTexts): string {
  const injected = files.map(({ text, splices }) => applySplices(text, splices));
  const texts = [...injected, ...companions.map((object) => stringify(object, KUBERNETES_YAML))];
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
function jsonObjects({ files, companions }: InjectedTexts): string {
  const objects = [...files.flatMap(({ objects: found }) => found.map(injectedObject)), ...companions];
  const [first, ...others] = objects;
  const single = objects.length > 0 && others.length === 0;
  return toJson(single ? first : { apiVersion: 'v1', kind: 'List', items: objects });
}

function injectedObject({ manifest, patch }: InjectedManifest): unknown {
  return valueOf(draftOf(manifest.object, patch));
}

/** The patch of each object that changes, with the object's names and its place. */
function jsonPatches({ files }: InjectedTexts): string {
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

function unifiedDiffs({ files }: InjectedTexts, io: Io): string {
  const style = styleFor(io.stdout, io);
  const lines = files.flatMap(({ file, text, splices }) => unifiedDiff(file === '-' ? 'stdin' : file, text, splices));
  return lines
    .map(({ kind, text }) => {
      const tone = TONES[kind];
      return `${tone === undefined ? text : style(tone, text)}\n`;
    })
    .join('');
}
