import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { editStream } from '../../src/manifests/edit.ts';
import { readManifests, type Manifest } from '../../src/manifests/manifests.ts';

/** Above the length from which a list is read item by item. */
const PADDING = 'x'.repeat(1024 * 1024);

function place({ locate }: Manifest, pointer: string): string {
  const { line, column } = locate(pointer);
  return `${line}:${column}`;
}

describe('a long list', () => {
  for (const [name, indent] of [
    ['as kubectl writes it', ''],
    ['with indented items', '    '],
  ] as const) {
    test(`${name} is read as a short one is`, () => {
      const list = (padding: string): string =>
        [
          '# a list',
          'apiVersion: v1',
          'items: # all of them',
          `${indent}# the first`,
          `${indent}- kind: A`,
          `${indent}  data:`,
          `${indent}    script: |`,
          `${indent}      - kind: no`,
          '',
          `${indent}      items:`,
          `${indent}    on: 1`,
          `${indent}    on: 2`,
          '#x',
          `${indent}- {kind: B, x: 1}`,
          `${indent}-`,
          `${indent}  kind: C`,
          `${indent}  data: "${padding}"`,
          'kind: List',
          'metadata:',
          '  resourceVersion: ""',
          '  resourceVersion: "1"',
          '',
        ].join('\n');
      const long = readManifests('a', `---\n${list(PADDING)}---\nkind: D\n`);
      const short = readManifests('a', `---\n${list('')}---\nkind: D\n`);
      const view = ({ manifests, errors, warnings }: typeof long): unknown => ({
        errors,
        warnings: warnings.map(({ line, message }) => `${line}: ${message}`).toSorted(),
        objects: manifests.map((manifest) => [
          manifest.prefix,
          manifest.document,
          JSON.stringify(manifest.object).replaceAll(PADDING, ''),
          ...['', '/kind', '/data/true', '/x', '/nothing'].map((pointer) => place(manifest, pointer)),
        ]),
      });
      assert.deepEqual(view(long), view(short));
      assert.equal(long.manifests.length, 4);
    });
  }

  const rows: readonly (readonly [name: string, text: string, objects: number])[] = [
    ['whose items share an anchor', `items:\n- &a {kind: A, x: ${PADDING}}\n- *a\nkind: List\n`, 2],
    [
      'whose quoted text looks like items',
      `note: "x\nitems:\n- kind: A\n"\nkind: List\nx: ${PADDING}\nitems: [{kind: B}]\n`,
      1,
    ],
    ['that is no List', `kind: Shop\nitems:\n- kind: A\n- kind: ${PADDING}\n`, 1],
    ['whose items are a mapping', `kind: List\nitems:\n  a: 1\n  b: ${PADDING}\n`, 1],
    ['without items', `kind: List\nx: ${PADDING}\nitems:\n`, 1],
  ];
  for (const [name, text, objects] of rows) {
    test(`${name} is read as a whole`, () => {
      const { manifests, errors } = readManifests('a', text);
      assert.deepEqual(errors, []);
      assert.equal(manifests.length, objects);
    });
  }

  for (const [name, kind] of [
    ['that is no List', 'Shop'],
    ['with a name, which makes it an object of such a kind', 'PriceList\nmetadata: {name: a}'],
  ] as const) {
    test(`${name} has places, and can be edited`, () => {
      const text = `x: ${PADDING}\nitems:\n- kind: A\nkind: ${kind}\n`;
      const { manifests } = readManifests('a', text);
      const [manifest = assert.fail()] = manifests;
      assert.equal(manifests.length, 1);
      assert.deepEqual(
        ['/items/0/kind', '/kind'].map((pointer) => place(manifest, pointer)),
        ['3:3', '4:1'],
      );
      const edited = editStream(text, [{ manifest, patch: [{ op: 'replace', path: '/items/0/kind', value: 'B' }] }]);
      assert.equal(edited, text.replace('kind: A', 'kind: B'));
    });
  }

  test('tells the line of an item that cannot be read', () => {
    const { manifests, errors } = readManifests('a', `items:\n- kind: A\n- kind: "${PADDING}"\n- kind: [\n- kind: B\n`);
    assert.deepEqual(manifests, []);
    assert.deepEqual(errors, [{ file: 'a', line: 4, message: 'not valid YAML: this [ is not closed' }]);
  });
});

describe('above 16 MiB', () => {
  const big = PADDING.repeat(17);

  test('a list is read, if it can be item by item', () => {
    const item = `- kind: A # ${PADDING}\n  x: 1\n`;
    const { manifests, errors } = readManifests('a', `kind: List\nitems:\n${item.repeat(17)}`);
    assert.deepEqual(errors, []);
    assert.equal(manifests.length, 17);
    assert.equal(place(manifests[16] ?? assert.fail(), '/x'), '36:3');
    const bad = readManifests('a', `kind: List\nitems:\n${item.repeat(17)}- kind: [\n`);
    assert.deepEqual(
      bad.errors.map(({ line, message }) => `${line}: ${message}`),
      ['37: not valid YAML: this [ is not closed'],
    );
  });

  test('JSON is read', () => {
    const { manifests, errors } = readManifests('a', JSON.stringify({ a: big, b: { c: 1 } }, undefined, 1));
    assert.deepEqual(errors, []);
    assert.equal(place(manifests[0] ?? assert.fail(), '/b/c'), '4:3');
  });

  test('other YAML is refused', () => {
    const { errors } = readManifests('a', `a: ${big}\n---\nb: 1\n`);
    assert.deepEqual(
      errors.map(({ message }) => message),
      ['a document above 16 MiB is read as JSON only, and this is not valid JSON'],
    );
  });
});
