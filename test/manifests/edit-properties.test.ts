import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import * as fc from 'fast-check';
import jsonPatch from 'fast-json-patch';
import { Document, visit } from 'yaml';

import { isObject } from '../../src/kube/json.ts';
import { escapeToken } from '../../src/kube/pointer.ts';
import type { PatchOperation } from '../../src/manifests/draft.ts';
import { editStream, isFaithful, splicesOf } from '../../src/manifests/edit.ts';
import { readManifests } from '../../src/manifests/manifests.ts';
import { applySplices } from '../../src/manifests/splice.ts';

const KEYS = ['a', 'b', 'name', 'prometheus.io/port', 'a b', '# x', '- y', '1.5', 'true', 'é', 'k: v', '~/1', ''];
const TEXTS = [
  'x',
  'TRUE',
  '8443',
  '',
  'two words',
  ' lead',
  'a: b',
  '# c',
  "it's",
  '"q"',
  'l1\nl2',
  'l1\n\n',
  '\t',
  '---',
  '\u2028',
];

const json = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.constantFrom<unknown>(...TEXTS), fc.integer(), fc.boolean(), fc.constant(null), fc.constant(0.5)),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 5 }),
}));

interface Choice {
  readonly at: number;
  readonly op: number;
  readonly key: string;
  readonly value: unknown;
}

const choices = fc.array(
  fc.record({ at: fc.nat(), op: fc.nat({ max: 5 }), key: fc.constantFrom(...KEYS), value: json.value }),
  { minLength: 1, maxLength: 5 },
);

interface Place {
  readonly pointer: string;
  readonly value: unknown;
}

function placesOf(value: unknown, pointer = ''): Place[] {
  if (typeof value !== 'object' || value === null) return [{ pointer, value }];
  return [
    { pointer, value },
    ...Object.entries(value).flatMap(([key, item]) => placesOf(item, `${pointer}/${escapeToken(key)}`)),
  ];
}

/** An operation that applies to a value; a choice says where and which. */
function anyOperation(document: unknown, { at, op, key, value }: Choice): PatchOperation {
  const places = placesOf(document);
  const place = places[at % places.length] ?? { pointer: '', value: document };
  if (Array.isArray(place.value) && op < 3) {
    return { op: 'add', path: `${place.pointer}/${at % (place.value.length + 1)}`, value };
  }
  if (isObject(place.value) && op < 4) return { op: 'add', path: `${place.pointer}/${escapeToken(key)}`, value };
  if (place.pointer === '') return { op: 'add', path: '/new', value };
  return op === 5 ? { op: 'remove', path: place.pointer } : { op: 'replace', path: place.pointer, value };
}

/** An operation that takes nothing away but a scalar. */
function growingOperation(document: unknown, { at, key, value }: Choice): PatchOperation {
  const places = placesOf(document);
  const place = places[at % places.length] ?? { pointer: '', value: document };
  if (Array.isArray(place.value)) return { op: 'add', path: `${place.pointer}/-`, value };
  if (!isObject(place.value)) return { op: 'replace', path: place.pointer, value };
  const free = Object.hasOwn(place.value, key) ? `new-${at}` : key;
  return { op: 'add', path: `${place.pointer}/${escapeToken(free)}`, value };
}

function patchFor(
  document: unknown,
  chosen: readonly Choice[],
  operationFor = anyOperation,
): { patch: PatchOperation[]; after: unknown } {
  let after: unknown = structuredClone(document);
  const patch = chosen.map((choice) => {
    const operation = operationFor(after, choice);
    after = jsonPatch.applyPatch(after, [structuredClone(operation)]).newDocument;
    return operation;
  });
  return { patch, after };
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function editFirst(text: string, patch: readonly PatchOperation[]): string {
  const [manifest] = readManifests('a', text).manifests;
  assert.ok(manifest);
  return editStream(text, [{ manifest, patch }]);
}

function objectsOf(text: string): unknown[] {
  const { manifests, errors } = readManifests('a', text);
  assert.deepEqual(errors, [], text);
  return manifests.map(({ object }) => plain(object));
}

interface Style {
  readonly indent: number;
  readonly indentSeq: boolean;
  readonly flow: number;
  readonly comments: number;
  readonly quote: 'QUOTE_SINGLE' | 'QUOTE_DOUBLE' | 'PLAIN';
  readonly newline: string;
}

const style: fc.Arbitrary<Style> = fc.record({
  indent: fc.constantFrom(2, 4),
  indentSeq: fc.boolean(),
  flow: fc.constantFrom(0, 3, 7),
  comments: fc.constantFrom(0, 2, 3),
  quote: fc.constantFrom('QUOTE_SINGLE', 'QUOTE_DOUBLE', 'PLAIN'),
  newline: fc.constantFrom('\n', '\r\n'),
});

/** An object as YAML, with numbered comments at many of its nodes. */
function written(object: unknown, { indent, indentSeq, flow, comments, quote, newline }: Style): string {
  const document = new Document(object, { version: '1.1' });
  let count = 0;
  visit(document, {
    Node: (key, node) => {
      count += 1;
      if (flow > 0 && count % flow === 0 && 'items' in node) node.flow = true;
      if (key === 'key' || comments === 0) return;
      if (count % comments === 0 && !('items' in node)) node.comment = ` c${count}`;
      else if (count % (comments + 2) === 0 && typeof key === 'number') node.commentBefore = ` b${count}`;
    },
  });
  const text = document.toString({ indent, indentSeq, defaultStringType: quote, lineWidth: 0, directives: false });
  return text.replaceAll('\n', newline);
}

test('the edited text holds what the operations give, whatever its style', () => {
  fc.assert(
    fc.property(json.object, style, choices, (object, how, chosen) => {
      const text = `${written(object, how)}---${how.newline}kind: Other # untouched${how.newline}`;
      const [before] = readManifests('a', text).manifests;
      fc.pre(before !== undefined && readManifests('a', text).manifests.length === 2);
      const { patch, after } = patchFor(plain(before.object), chosen);
      const edited = editFirst(text, patch);
      assert.deepEqual(objectsOf(edited), [plain(after), { kind: 'Other' }], `${text}\n=== becomes\n${edited}`);
    }),
    { numRuns: 150 },
  );
});

test('comments survive where something is added, or a scalar is replaced', () => {
  fc.assert(
    fc.property(json.object, style, choices, (object, how, chosen) => {
      const text = written(object, { ...how, comments: 2 });
      const [before] = readManifests('a', text).manifests;
      fc.pre(before !== undefined);
      const { patch } = patchFor(plain(before.object), chosen, growingOperation);
      const edited = editFirst(text, patch);
      const comments = (from: string): string[] => (from.match(/# [bc][0-9]+(?=\r?\n|$)/g) ?? []).toSorted();
      assert.deepEqual(comments(edited), comments(text), `${text}\n=== becomes\n${edited}`);
    }),
    { numRuns: 100 },
  );
});

test('JSON stays JSON with its indentation', () => {
  fc.assert(
    fc.property(json.object, fc.constantFrom(undefined, 2, 4, '\t'), choices, (object, indent, chosen) => {
      const text = JSON.stringify(object, undefined, indent);
      fc.pre(Object.keys(object).length > 0);
      const { patch, after } = patchFor(plain(object), chosen);
      const edited = editFirst(text, patch);
      const canonical = JSON.stringify(JSON.parse(edited), undefined, indent);
      assert.equal(edited, canonical.replaceAll('\u2028', '\u2028'));
      assert.deepEqual(JSON.parse(edited), plain(after));
    }),
    { numRuns: 100 },
  );
});

const BITS = [
  'a kind on 1 0x é x'.split(' '),
  [': ', ': ', ':', '- ', '- ', ', ', ', ', '[', ']', '{', '}', "'", '|', '>', '|+', '&a ', '*a', '*a ', '<<: *a'],
  ['!!str ', ' # c', '~', ' ', '  ', '---'],
  ['\n', '\n', '\n', '\n  ', '\n  ', '\n    ', '\n- ', '\n  - ', '\r\n'],
].flat();
const START = [
  'a: ',
  'a: &a ',
  'a:\n  b: ',
  'a:\n- ',
  '- ',
  '{',
  'a: &a {b: 1}\nc: *a\nd: ',
  'a: &a\n  b: 1\nc:\n  <<: *a\n',
];

/** What the reader takes one way by itself and another way beside what an edit adds. */
const READ_IN_TWO_WAYS: readonly RegExp[] = [
  // A last line of blanks without its break is a part of a block scalar before it, and no longer where a line follows.
  /\n[ \t]+$/,
  // A key whose colon stands on a later line; YAML allows none, and the reader takes some.
  /\n[ \t]*:/,
  // An empty key with a tag.
  /!!str\s*:/,
];

const yamlLike = fc
  .tuple(fc.constantFrom(...START), fc.array(fc.constantFrom(...BITS), { maxLength: 16 }))
  .map(([start, bits]) => start + bits.join(''));

test('the edited text holds what the operations give, however odd it is', () => {
  fc.assert(
    fc.property(yamlLike, choices, (text, chosen) => {
      const { manifests, errors } = readManifests('a', text);
      const [manifest, ...others] = manifests;
      fc.pre(errors.length === 0 && manifest !== undefined && !READ_IN_TWO_WAYS.some((odd) => odd.test(text)));
      const { patch, after } = patchFor(plain(manifest.object), chosen);
      const edited = editFirst(text, patch);
      const expected = [plain(after), ...others.map(({ object }) => plain(object))];
      assert.deepEqual(objectsOf(edited), expected, `${JSON.stringify(text)}\n=== becomes\n${JSON.stringify(edited)}`);
    }),
    { numRuns: 250 },
  );
});

test('an edit that changes more than it should is told from one that does not', () => {
  fc.assert(
    fc.property(yamlLike, choices, (text, chosen) => {
      const { manifests, errors } = readManifests('a', text);
      const [manifest, ...others] = manifests;
      fc.pre(errors.length === 0 && manifest !== undefined);
      const { patch, after } = patchFor(plain(manifest.object), chosen);
      const edits = [{ manifest, patch }, ...others.map((other) => ({ manifest: other, patch: [] }))];
      const splices = splicesOf(text, edits);
      const expected = [plain(after), ...others.map(({ object }) => plain(object))];
      const found = readManifests('a', applySplices(text, splices)).manifests.map(({ object }) => plain(object));
      const isRight = isDeepStrictEqual(found, expected);
      assert.equal(isFaithful(text, edits, splices), isRight || splices.length === 0);
    }),
  );
});

test('a stream without operations is the same text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), yamlLike), (text) => {
      const { manifests } = readManifests('a', text);
      assert.equal(
        editStream(
          text,
          manifests.map((manifest) => ({ manifest, patch: [] })),
        ),
        text,
      );
    }),
  );
});
