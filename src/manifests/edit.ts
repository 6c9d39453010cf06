// Manifests changed where they stand: their streams with JSON Patch operations made, and all else as it was.

import { isDeepStrictEqual } from 'node:util';

import { escapeToken } from '../kube/pointer.ts';
import type { Chunk } from './chunk.ts';
import { draftOf, valueOf, type PatchOperation } from './draft.ts';
import { jsonSplices } from './json-edit.ts';
import { normalized, readManifests, type Manifest } from './manifests.ts';
import { applySplices, moved, type Splice } from './splice.ts';
import { yamlSplices } from './yaml-edit.ts';

/** Operations on one object of a stream. */
export interface ManifestEdit {
  readonly manifest: Manifest;
  readonly patch: readonly PatchOperation[];
}

/**
 * The stream with all operations made: read again it holds exactly the objects that they give. Comments, order, quotes
 * and spacing of what they do not touch are kept, byte for byte; a change below an alias is made there alone. Throws
 * `PatchError` for an operation that names nothing. The manifests must have been read from this stream.
 */
export function editStream(stream: string, edits: readonly ManifestEdit[]): string {
  return applySplices(stream, splicesOf(stream, edits));
}

/** The replacements that `editStream` makes. */
export function splicesOf(stream: string, edits: readonly ManifestEdit[]): Splice[] {
  const changed = edits.filter(({ patch }) => patch.length > 0);
  const mark = stream.length - normalized(stream).raw.length;
  const splices: Splice[] = [];
  for (const [chunk, group] of Map.groupBy(changed, ({ manifest }) => manifest.unit.chunk)) {
    for (const splice of unitSplices(chunk, group)) splices.push(moved(splice, mark + chunk.start));
  }
  return splices;
}

/**
 * True when the stream, with these replacements made and read again, holds exactly the objects that the operations give.
 * There are texts whose other lines read otherwise beside what is added: a last line of blanks, for instance, belongs to
 * the block of text before it, and no longer where a line follows. `edits` has one for every object of the stream.
 */
export function isFaithful(stream: string, edits: readonly ManifestEdit[], splices: readonly Splice[]): boolean {
  if (splices.length === 0) return true;
  const found = readManifests('', applySplices(stream, splices)).manifests.map(({ object }) => object);
  const wanted = edits.map(({ manifest, patch }) => valueOf(draftOf(manifest.object, patch)));
  // A copy is made of plain objects, whatever the patch was made of.
  return isDeepStrictEqual(found, structuredClone(wanted));
}

function unitSplices(chunk: Chunk, edits: readonly ManifestEdit[]): Splice[] {
  const patch = edits.flatMap(({ manifest, patch: operations }) => {
    const prefix = manifest.unit.tokens.map((token) => `/${escapeToken(token)}`).join('');
    return operations.map((operation) => ({ ...operation, path: prefix + operation.path }));
  });
  const [first] = edits;
  const draft = draftOf(first?.manifest.unit.value, patch);
  return first?.manifest.source.format === 'json' ? jsonSplices(chunk.text, draft) : yamlSplices(chunk.text, draft);
}
