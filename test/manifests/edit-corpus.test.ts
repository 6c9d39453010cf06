import assert from 'node:assert/strict';
import { test } from 'node:test';

import jsonPatch from 'fast-json-patch';

import { isObject, type JsonObject } from '../../src/kube/json.ts';
import { valueAt } from '../../src/kube/pointer.ts';
import type { PatchOperation } from '../../src/manifests/draft.ts';
import { splicesOf } from '../../src/manifests/edit.ts';
import { readManifests } from '../../src/manifests/manifests.ts';
import { applySplices } from '../../src/manifests/splice.ts';
import { unifiedDiff } from '../../src/manifests/unified-diff.ts';
import { corpusSkip, readCorpusFiles } from '../support/corpus.ts';

/** Longer texts repeat themselves. */
const LONGEST = 12_000;

/** Places that a sidecar needs, where they are there. */
const LISTS = [
  '/spec/template/spec/containers',
  '/spec/containers',
  '/spec/template/spec/volumes',
  '/spec/ports',
  '/rules',
];
const MAPS = ['/metadata/annotations', '/metadata', '/spec/template/metadata', '/spec/template/spec', '/spec', '/data'];

/** Adds at the end of every list and map that is there, and an annotation with its map where there is none. */
function growing(object: JsonObject): PatchOperation[] {
  const lists = LISTS.filter((path) => Array.isArray(valueAt(object, path)));
  const maps = MAPS.filter((path) => isObject(valueAt(object, path)));
  return [
    ...lists.map((path): PatchOperation => ({ op: 'add', path: `${path}/-`, value: { name: 'x', args: ['--a=1'] } })),
    ...maps.map((path): PatchOperation => ({ op: 'add', path: `${path}/example.com~1new`, value: '8443' })),
  ];
}

test('the objects of the corpus can grow where it stands, and no comment is lost', { skip: corpusSkip }, async () => {
  let edited = 0;
  for (const found of await readCorpusFiles()) {
    if (found.text.length > LONGEST) continue;
    const edits = found.reading.manifests.map((manifest) => ({ manifest, patch: growing(manifest.object) }));
    const splices = splicesOf(found.text, edits);
    const after = readManifests(found.file, applySplices(found.text, splices));
    assert.deepEqual(after.errors, [], found.file);
    for (const [at, { manifest, patch }] of edits.entries()) {
      const expected = jsonPatch.applyPatch(structuredClone(manifest.object), structuredClone(patch)).newDocument;
      assert.deepEqual(after.manifests[at]?.object, expected, `${found.file} ${manifest.document}`);
      edited += patch.length > 0 ? 1 : 0;
    }
    const lost = unifiedDiff(found.file, found.text, splices).filter(({ kind }) => kind === 'removed');
    // What is in flow style, or JSON, grows within its line.
    const comments = lost.filter(({ text }) => /^-\s*#/.test(text));
    assert.deepEqual(comments, [], found.file);
    assert.ok(lost.length <= 4 * edits.length, `${found.file}: ${lost.length} lines`);
  }
  assert.ok(edited > 1000, `${edited} objects`);
});
