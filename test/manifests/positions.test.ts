import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readManifests, type Manifest } from '../../src/manifests/manifests.ts';

/** The text, and the pointers whose place is marked in it by a ^ below the line. */
interface Case {
  readonly name: string;
  readonly text: string;
  readonly places: Readonly<Record<string, string>>;
}

const BLOCK = `apiVersion: v1
kind: Pod
metadata:
  name: a # the name
  labels: {app: a, "tier": b}
spec:
  containers:
    - name: x
      ports: [{containerPort: 1}, {containerPort: 10255, hostPort: 2}]
    -
      name: y
      args:
      - --a
      - "--b=\\"c\\""
`;

const CASES: readonly Case[] = [
  {
    name: 'block YAML',
    text: BLOCK,
    places: {
      '': '1:1',
      '/kind': '2:1',
      '/metadata/name': '4:3',
      '/metadata/labels': '5:3',
      '/metadata/labels/app': '5:12',
      '/metadata/labels/tier': '5:20',
      '/spec/containers': '7:3',
      '/spec/containers/0': '8:7',
      '/spec/containers/0/name': '8:7',
      '/spec/containers/0/ports/0': '9:15',
      '/spec/containers/0/ports/1/hostPort': '9:58',
      '/spec/containers/1': '11:7',
      '/spec/containers/1/args/0': '13:9',
      '/spec/containers/1/args/1': '14:9',
    },
  },
  {
    name: 'the nearest ancestor of what is not there',
    text: BLOCK,
    places: {
      '/nothing': '1:1',
      '/metadata/annotations/a~1b': '3:1',
      '/metadata/name/0/x': '4:3',
      '/spec/containers/2': '7:3',
      '/spec/containers/-': '7:3',
      '/spec/containers/x/y': '7:3',
      '/spec/containers/0/ports/1/hostIP': '9:35',
      '/constructor': '1:1',
      '/__proto__/x': '1:1',
      'no pointer': '1:1',
    },
  },
  {
    name: 'CRLF, tabs and a byte order mark',
    text: '\uFEFFa: 1\r\nb:\r\n  - x: 1\r\n    w:\t2\r\nc: "d\r\n  e"\r\nf: 1\r\n',
    places: { '/a': '1:1', '/b/0/x': '3:5', '/b/0/w': '4:5', '/c': '5:1', '/f': '7:1' },
  },
  {
    name: 'keys that are no strings, and pointers with escapes',
    text: 'on: 1\n0x10: 2\na/b: {c~d: 3}\n"": 4\n',
    places: { '/true': '1:1', '/16': '2:1', '/a~1b': '3:1', '/a~1b/c~0d': '3:7', '/': '4:1' },
  },
  {
    name: 'the last of equal keys',
    text: 'a: 1\nb: {c: 1}\na: 2\n',
    places: { '/a': '3:1' },
  },
  {
    name: 'aliases and merges: where the content is written',
    text: 'base: &base\n  x: {w: 1}\n  z: 1\nuse:\n  <<: *base\n  z: 2\nitems:\n- *base\n- k: *base\n',
    places: {
      '/use/x/w': '2:7',
      '/use/z': '6:3',
      '/items/0': '8:3',
      '/items/0/x': '2:3',
      '/items/1/k': '9:3',
      '/items/1/k/z': '3:3',
      '/use/nothing': '4:1',
    },
  },
  {
    name: 'JSON',
    text: '\n{\n  "a": {"b": [1, {"c\\"d": [], "e/f": "}"}], "g": 2},\n\t"h" : 3, "a\\u0062": 4\n}\n',
    places: {
      '': '2:1',
      '/a': '3:3',
      '/a/b': '3:9',
      '/a/b/0': '3:15',
      '/a/b/1': '3:18',
      '/a/b/1/c"d': '3:19',
      '/a/b/1/e~1f': '3:31',
      '/a/b/1/e~1f/x': '3:31',
      '/a/b/2': '3:9',
      '/a/g': '3:45',
      '/h': '4:2',
      '/ab': '4:11',
      '/constructor': '2:1',
    },
  },
];

function at(manifest: Manifest | undefined, pointer: string): string {
  const { line, column } = manifest?.locate(pointer) ?? { line: 0, column: 0 };
  return `${line}:${column}`;
}

for (const { name, text, places } of CASES) {
  test(name, () => {
    const { manifests, errors } = readManifests('a.yaml', text);
    assert.deepEqual(errors, []);
    const found = Object.fromEntries(Object.keys(places).map((pointer) => [pointer, at(manifests[0], pointer)]));
    assert.deepEqual(found, places);
  });
}

describe('in later documents and in lists', () => {
  test('lines are those of the file', () => {
    const { manifests } = readManifests('a', '# x\na: 1\n---\n# y\n\nb:\n  c: 1\n--- # z\nd: [1,\n 2]\n--- {e: 1}\n');
    assert.deepEqual(
      manifests.map((manifest, index) => at(manifest, ['/a', '/b/c', '/d/1', '/e'][index] ?? '')),
      ['2:1', '7:3', '10:2', '11:6'],
    );
  });

  test('a pointer begins at the item, in YAML', () => {
    const { manifests } = readManifests(
      'a',
      'kind: List\nitems:\n- kind: A\n  x: 1\n- {kind: B, x: 1}\n- kind: List\n  items:\n  - {x: 1}\n',
    );
    assert.deepEqual(
      manifests.map((manifest) => at(manifest, '')),
      ['3:3', '5:3', '8:5'],
    );
    assert.deepEqual(
      manifests.map((manifest) => at(manifest, '/x')),
      ['4:3', '5:13', '8:6'],
    );
  });

  test('a pointer begins at the item, in JSON', () => {
    const { manifests } = readManifests('a', '{"kind": "List", "items": [\n  {"x": 1},\n  {"y": {"x": 2}}\n]}\n');
    assert.deepEqual(
      manifests.map((manifest) => at(manifest, '')),
      ['2:3', '3:3'],
    );
    assert.deepEqual(
      manifests.map((manifest) => at(manifest, '/y/x')),
      ['2:3', '3:10'],
    );
  });

  test('JSON objects one behind the other', () => {
    const { manifests } = readManifests('a', '{"x": 1}\n{"x": 2} {"y": 3}\n');
    assert.deepEqual(
      manifests.map((manifest) => at(manifest, '/y')),
      ['1:1', '2:1', '2:11'],
    );
  });

  test('the order of asking does not matter', () => {
    const { manifests } = readManifests('a', 'a: 1\n---\n{"b": 1}\n---\nkind: List\nitems: [{c: 1}, {d: 1}]\n');
    const pointers = ['/a', '/b', '/c', '/d'];
    const forth = manifests.map((manifest, index) => at(manifest, pointers[index] ?? ''));
    const back = manifests.toReversed().map((manifest, index) => at(manifest, pointers[3 - index] ?? ''));
    assert.deepEqual(forth, ['1:1', '3:2', '6:10', '6:18']);
    assert.deepEqual(back.toReversed(), forth);
  });
});
