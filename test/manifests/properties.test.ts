import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { escapeToken, tokensOf, valueAt, type JsonPointer } from '../../src/kube/pointer.ts';
import { readManifests, type Manifest } from '../../src/manifests/manifests.ts';
import { anyText } from '../support/any-text.ts';

/** Objects as JSON gives them; not a List, which would be flattened, and its keys in any order. */
const jsonObject = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });

const BITS = [
  'a kind items List on 1 0x << é x'.split(' '),
  [': ', ':', '- ', '-', '? ', '?', ', ', '[', ']', '{', '}', '{{ ', '"', "'", '\\', '|', '>', '|2-', '&a ', '*a'],
  ['!!str ', '!', '%YAML', '#', ' # ', '@', '~', '\u2028', '\uFEFF', '\0', '\u{1F600}', '\t', ' ', '---'],
  ['\n', '\n', '\n  ', '\n    ', '\n- ', '\r\n', '\r', '\n---\n', '\n...\n'],
].flat();

/** Text that is more like YAML than chance would make it. */
const yamlLike = fc.array(fc.constantFrom(...BITS), { maxLength: 60 }).map((bits) => bits.join(''));

function pointersOf(value: unknown, pointer: JsonPointer = ''): JsonPointer[] {
  if (typeof value !== 'object' || value === null) return [pointer];
  const below = Object.entries(value).flatMap(([key, item]) => pointersOf(item, `${pointer}/${escapeToken(key)}`));
  return [pointer, ...below];
}

/** What stands at a place of a text, up to the end of its line. */
function textAt(text: string, { locate }: Manifest, pointer: JsonPointer): string {
  const { line, column } = locate(pointer);
  return text.split('\n')[line - 1]?.slice(column - 1) ?? '';
}

test('an object written as JSON is read as it was', () => {
  fc.assert(
    fc.property(jsonObject, fc.constantFrom(undefined, 1, '\t'), (object, indent) => {
      const text = JSON.stringify(object, undefined, indent);
      const { manifests, errors } = readManifests('a', text);
      assert.deepEqual(errors, []);
      assert.equal(JSON.stringify(manifests[0]?.object), JSON.stringify(JSON.parse(text)));
    }),
    { numRuns: 300 },
  );
});

test('an object written as JSON and read as YAML is the same, but for what YAML cannot hold', () => {
  const plain = fc.string({ unit: fc.constantFrom(...'abz019 :-#,[]{}"\'\\/&*!|>%@`~_.<=é'.split('')) });
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      plain,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('value'), { maxLength: 4 }),
    object: fc.dictionary(plain, tie('value'), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(value.object, fc.constantFrom(undefined, 2), (object, indent) => {
      // A comment makes it YAML.
      const text = `# yaml\n${JSON.stringify(object, undefined, indent)}\n`;
      const { manifests, errors } = readManifests('a', text);
      assert.deepEqual(errors, []);
      assert.equal(JSON.stringify(manifests[0]?.object), JSON.stringify(JSON.parse(JSON.stringify(object))));
    }),
    { numRuns: 300 },
  );
});

test('no text makes reading throw, nor any pointer locating; a place is one of the text', () => {
  const pointers = ['', '/a', '/items/0/kind', '/0', '/', 'x', '/__proto__', '/constructor/name'];
  fc.assert(
    fc.property(fc.oneof(fc.string(), anyText(), yamlLike), (text) => {
      const { manifests, errors, warnings } = readManifests('a', text);
      const lines = text.split(/\r\n|[\r\n\u0085]/).length;
      for (const manifest of manifests) {
        for (const pointer of [...pointers, ...pointersOf(manifest.object)]) {
          const { line, column } = manifest.locate(pointer);
          assert.ok(line >= 1 && line <= lines && column >= 1, `${line}:${column} of ${lines}`);
        }
      }
      for (const { line } of [...errors, ...warnings]) assert.ok(line !== undefined && line >= 1 && line <= lines);
    }),
    { numRuns: 2000 },
  );
});

test('a place in JSON is that of the key, or of the item', () => {
  fc.assert(
    fc.property(jsonObject, fc.constantFrom(undefined, 1), fc.boolean(), (object, indent, asYaml) => {
      const json = JSON.stringify(object, undefined, indent);
      fc.pre(!asYaml || /^[\x20-\x7E\n]*$/.test(json));
      const text = asYaml ? `# yaml\n${json}` : json;
      const [manifest] = readManifests('a', text).manifests;
      assert.ok(manifest);
      for (const pointer of pointersOf(JSON.parse(json)).slice(1)) {
        const key = tokensOf(pointer).at(-1);
        const owner = valueAt(manifest.object, pointer.slice(0, pointer.lastIndexOf('/')));
        const value = JSON.stringify(valueAt(manifest.object, pointer), undefined, indent).split('\n')[0] ?? '';
        const label = Array.isArray(owner) ? value : JSON.stringify(key);
        assert.ok(textAt(text, manifest, pointer).startsWith(label), `${pointer} in ${text}`);
      }
    }),
    { numRuns: 300 },
  );
});

test('documents do not touch each other', () => {
  const document = fc.constantFrom(
    'a: 1',
    '# c\nb: [1]',
    '{"c": 1}',
    'd: |\n  x',
    'e: "',
    '[',
    '- 1',
    'f: &x {a: *x}',
    '{{ x }}',
    'g: 1\ng: 2',
    '',
  );
  fc.assert(
    fc.property(fc.array(document, { maxLength: 8 }), (documents) => {
      const objects = (text: string): unknown[] => readManifests('a', text).manifests.map(({ object }) => object);
      const apart = documents.flatMap((text) => objects(`${text}\n`));
      assert.deepEqual(objects(documents.map((text) => `${text}\n`).join('---\n')), apart);
    }),
    { numRuns: 200 },
  );
});
