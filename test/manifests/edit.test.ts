import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { PatchOperation } from '../../src/manifests/draft.ts';
import { editStream } from '../../src/manifests/edit.ts';
import { readManifests } from '../../src/manifests/manifests.ts';

/** Edits the first object of a stream. */
function edited(text: string, ...patch: readonly PatchOperation[]): string {
  const [manifest] = readManifests('a.yaml', text).manifests;
  assert.ok(manifest);
  return editStream(text, [{ manifest, patch }]);
}

const add = (path: string, value: unknown): PatchOperation => ({ op: 'add', path, value });
const replace = (path: string, value: unknown): PatchOperation => ({ op: 'replace', path, value });
const remove = (path: string): PatchOperation => ({ op: 'remove', path });

interface Case {
  readonly title: string;
  readonly before: string;
  readonly patch: readonly PatchOperation[];
  readonly after: string;
}

const BLOCK: readonly Case[] = [
  {
    title: 'a key goes behind the last one of its map and the comments that are indented like it',
    before: 'a:\n  b: 1 # one\n  # c: 2\n\n# about d\nd: 3\n',
    patch: [add('/a/new', 'x')],
    after: 'a:\n  b: 1 # one\n  # c: 2\n  new: x\n\n# about d\nd: 3\n',
  },
  {
    title: 'keys of several levels that end together',
    before: 'a:\n  b:\n    c: 1',
    patch: [add('/x', 1), add('/a/x', 2), add('/a/b/x', 3)],
    after: 'a:\n  b:\n    c: 1\n    x: 3\n  x: 2\nx: 1',
  },
  {
    title: 'an item goes behind the last one, a comment of the next key stays with that',
    before: 'list:\n- name: a\n  # args: []\n# about other\nother: 1\n',
    patch: [add('/list/-', { name: 'b', ports: [{ port: 1 }] })],
    after: 'list:\n- name: a\n  # args: []\n- name: b\n  ports:\n  - port: 1\n# about other\nother: 1\n',
  },
  {
    title: 'lists are indented as the text indents them',
    before: 'spec:\n    list:\n      - a\n',
    patch: [add('/spec/more', [{ x: [1] }])],
    after: 'spec:\n    list:\n      - a\n    more:\n        - x:\n              - 1\n',
  },
  {
    title: 'items before the first, between, and in the place of one',
    before: 'list:\n- b # B\n- d\n- e # E\n',
    patch: [add('/list/0', 'a'), add('/list/2', 'c'), replace('/list/3', 'D')],
    after: 'list:\n- a\n- b # B\n- c\n- D\n- e # E\n',
  },
  {
    title: 'a scalar keeps its quotes and its comment',
    before: `a: "1" # one\nb: '2'   # two\nc: 3\n`,
    patch: [replace('/a', '8443'), replace('/b', "it's"), replace('/c', 'https')],
    after: `a: "8443" # one\nb: 'it''s'   # two\nc: https\n`,
  },
  {
    title: 'a scalar that others could take for something else is quoted',
    before: 'a: 1\n',
    patch: [
      '8443',
      'yes',
      '1e3',
      '0x1',
      '12:30',
      '2026-01-01',
      '',
      ' x',
      'a: b',
      'a #b',
      '- a',
      '*a',
      'null',
      'é',
      'a\nb',
    ].map((value, at) => add(`/k${at}`, value)),
    after:
      'a: 1\nk0: "8443"\nk1: "yes"\nk2: "1e3"\nk3: "0x1"\nk4: "12:30"\nk5: "2026-01-01"\nk6: ""\nk7: " x"\nk8: "a: b"\n' +
      'k9: "a #b"\nk10: "- a"\nk11: "*a"\nk12: "null"\nk13: "é"\nk14: "a\\nb"\n',
  },
  {
    title: 'arguments and addresses need no quotes',
    before: 'args:\n- x\n',
    patch: [add('/args/-', '--upstream=http://127.0.0.1:9090/'), add('/args/-', 'a,b (c) d')],
    after: 'args:\n- x\n- --upstream=http://127.0.0.1:9090/\n- a,b (c) d\n',
  },
  {
    title: 'an empty value becomes a map, its comment stays',
    before: 'a: # none\nb: {} # empty\nc:\n  d: []\n',
    patch: [replace('/a', { x: 1 }), add('/b/v', 2), add('/c/d/-', { z: 3 })],
    after: 'a: # none\n  x: 1\nb: # empty\n  v: 2\nc:\n  d:\n    - z: 3\n',
  },
  {
    title: 'a value on a line of its own, below a comment',
    before: 'a:\n  # about a\n  {} # empty\nb:\n  # about b\n  "1"\n',
    patch: [add('/a/x', [1]), replace('/b', { v: 2 })],
    after: 'a:\n  # about a\n  x:\n    - 1 # empty\nb:\n  # about b\n  v: 2\n',
  },
  {
    title: 'a key goes with its line, the last one leaves an empty map',
    before: 'a:\n  b: 1 # b\n  # about c\n  c:\n    d: 1\n  e: 2\nf:\n  g: 1\n',
    patch: [remove('/a/c'), remove('/f/g')],
    after: 'a:\n  b: 1 # b\n  # about c\n  e: 2\nf: {}\n',
  },
  {
    title: 'the first key of an item goes, the dash stays',
    before: 'list:\n- a: 1\n  b: 2\n  c: 3\n- a: 1 # a\n  # about b\n  b: 2\n',
    patch: [remove('/list/0/a'), remove('/list/0/b'), remove('/list/1/a')],
    after: 'list:\n- c: 3\n-  # a\n  # about b\n  b: 2\n',
  },
  {
    title: 'a replaced map keeps what it has in common with the old one',
    before: 'a:\n  b: 1 # b\n  c: [1, 2] # c\n  d: x\n',
    patch: [replace('/a', { b: 1, c: [1, 2, 3], e: true })],
    after: 'a:\n  b: 1 # b\n  c: [1, 2, 3] # c\n  e: true\n',
  },
  {
    title: 'text in a block is not mistaken for anything',
    before: 'a:\n  b: |+\n    # text\n    key: x\n\n  c: |\n    - y\n\nd: 1\n',
    patch: [add('/a/new', 1), replace('/d', 2)],
    after: 'a:\n  b: |+\n    # text\n    key: x\n\n  c: |\n    - y\n  new: 1\n\nd: 2\n',
  },
  {
    title: 'a block of text is replaced up to its end',
    before: 'a: |\n  x\n  y\nb: 1\n',
    patch: [replace('/a', 'z')],
    after: 'a: z\nb: 1\n',
  },
  {
    title: 'a collection where a scalar was, and the other way round',
    before: 'a: 1 # a\nb:\n  c: 1\nd:\n- 1\n- - 2\n',
    patch: [replace('/a', [1]), replace('/b', 'x'), replace('/d/0', { e: 1, f: 2 }), replace('/d/1', 3)],
    after: 'a: # a\n- 1\nb: x\nd:\n- e: 1\n  f: 2\n- 3\n',
  },
  {
    title: 'a key that needs quotes',
    before: 'a:\n  b: 1\n',
    patch: [add('/a/prometheus.io~1port', '1'), add('/a/a b: c', 1), add('/a/8080', 2)],
    after: 'a:\n  b: 1\n  prometheus.io/port: "1"\n  "a b: c": 1\n  "8080": 2\n',
  },
  {
    title: 'unusual spellings of a pair',
    before: '? a\n: 1\n? b\nd : 2\n',
    patch: [replace('/a', 2), replace('/b', { x: 1 }), add('/d', 3), add('/e', 4)],
    after: 'a: 2\nb:\n  x: 1\nd : 3\ne: 4\n',
  },
  {
    title: 'of a key that is given twice the last one counts, and both go',
    before: 'a: 1\nb: 1\na: 2\nb: 2\nc: 3\n',
    patch: [replace('/a', 3), remove('/b')],
    after: 'a: 1\na: 3\nc: 3\n',
  },
];

const FLOW: readonly Case[] = [
  {
    title: 'entries in flow style',
    before: 'a: {b: 1, "c": [x, y] } # a\n',
    patch: [add('/a/d', { e: ['f g', 1] }), add('/a/c/-', 'z'), replace('/a/b', '2')],
    after: 'a: {b: "2", "c": [x, y, z], d: {e: ["f g", 1]} } # a\n',
  },
  {
    title: 'entries on lines of their own, with comments and a comma at the end',
    before: 'a: [\n  x, # x\n  y # y\n]\nb: [\n  x,\n  y, # y\n]\n',
    patch: [add('/a/-', 'z'), add('/b/-', { c: 1 })],
    after: 'a: [\n  x, # x\n  y, # y\n  z\n]\nb: [\n  x,\n  y,\n  {\n    c: 1\n  }, # y\n]\n',
  },
  {
    title: 'entries that go, at both ends and between',
    before: 'a: {b: 1, c: 2, d: 3, e: 4}\nf: [1, 2, 3]\ng: {h: 1}\n',
    patch: [remove('/a/b'), remove('/a/d'), remove('/a/e'), remove('/f/2'), add('/f/-', 4), remove('/g/h')],
    after: 'a: {c: 2}\nf: [1, 2, 4]\ng: {}\n',
  },
  {
    title: 'keys without values, and pairs in a list',
    before: 'a: {b, c: , d: 1}\ne: [f: 1]\n',
    patch: [replace('/a/b', 1), replace('/a/c', 'x'), replace('/e/0/f', 2)],
    after: 'a: {b: 1, c: x, d: 1}\ne: [{f: 2}]\n',
  },
  {
    title: 'an empty one inside a flow collection',
    before: 'a: [{}, []]\n',
    patch: [add('/a/0/b', 1), add('/a/1/-', 2)],
    after: 'a: [{b: 1}, [2]]\n',
  },
];

const ALIASES: readonly Case[] = [
  {
    title: 'a change below an alias is made there alone',
    before: 'a: &x # anchor\n  k: 1\nb: *x # alias\nc: *x\n',
    patch: [add('/b/l', 2)],
    after: 'a: &x # anchor\n  k: 1\nb: # alias\n  k: 1\n  l: 2\nc: *x\n',
  },
  {
    title: 'a change below an anchor leaves its aliases as they were',
    before: 'a: &x\n  k: &y 1\nb: *x # alias\nlist:\n- *x\n- [*x, *y]\n? *y\n: 2\n',
    patch: [replace('/a/k', 5)],
    after: 'a: &x\n  k: 5\nb: # alias\n  k: 1\nlist:\n- k: 1\n- [{k: 1}, 1]\n? 1\n: 2\n',
  },
  {
    title: 'an anchor that goes leaves its value to its aliases',
    before: 'a: &x [1]\nb: *x\n',
    patch: [remove('/a')],
    after: 'b:\n  - 1\n',
  },
  {
    title: 'what a merge brings in is overridden behind it',
    before: 'base: &b {k: 1, l: 2}\na:\n  <<: *b # merged\n  m: 3\n',
    patch: [replace('/a/k', 5)],
    after: 'base: &b {k: 1, l: 2}\na:\n  <<: *b # merged\n  m: 3\n  k: 5\n',
  },
  {
    title: 'a merge keeps what it brought in when its anchor changes',
    before: 'base: &b\n  k: 1\na:\n  <<: *b\n  m: 3\n',
    patch: [replace('/base/k', 2)],
    after: 'base: &b\n  k: 2\na:\n  <<:\n    k: 1\n  m: 3\n',
  },
  {
    title: 'a key of a merge can go only with the merge',
    before: 'base: &b {k: 1, l: 2}\na:\n  <<: *b\n  m: 3\n',
    patch: [remove('/a/k')],
    after: 'base: &b {k: 1, l: 2}\na:\n  l: 2\n  m: 3\n',
  },
];

const STREAMS: readonly Case[] = [
  {
    title: 'Windows line ends and a byte order mark',
    before: '\uFEFFa:\r\n  b: 1 # one\r\nc: {}\r\n',
    patch: [add('/a/x', [1]), add('/c/v', 1)],
    after: '\uFEFFa:\r\n  b: 1 # one\r\n  x:\r\n    - 1\r\nc:\r\n  v: 1\r\n',
  },
  {
    title: 'markers, directives and other documents',
    before: '%YAML 1.1\n--- # first\na: 1\n...\n---\n# second\nb:   2\n--- {c: 3}\n---\n',
    patch: [add('/x', 1)],
    after: '%YAML 1.1\n--- # first\na: 1\nx: 1\n...\n---\n# second\nb:   2\n--- {c: 3}\n---\n',
  },
  {
    title: 'an object of a list',
    before: 'kind: List\nitems:\n- kind: A\n  a: 1\n- kind: B\n  b: 1\n',
    patch: [add('/x', 1)],
    after: 'kind: List\nitems:\n- kind: A\n  a: 1\n  x: 1\n- kind: B\n  b: 1\n',
  },
];

const JSON_TEXTS: readonly Case[] = [
  {
    title: 'JSON keeps its indentation and the digits of its numbers',
    before: '{\n\t"a": 12345678901234567890,\n\t"b": [\n\t\t1.0\n\t],\n\t"c": {}\n}\n',
    patch: [add('/b/-', { x: 1 }), add('/c/y', ['z']), add('/d', 2)],
    after:
      '{\n\t"a": 12345678901234567890,\n\t"b": [\n\t\t1.0,\n\t\t{\n\t\t\t"x": 1\n\t\t}\n\t],\n\t"c": {\n\t\t"y": [\n\t\t\t"z"\n\t\t]\n\t},\n\t"d": 2\n}\n',
  },
  {
    title: 'JSON on one line stays there',
    before: '{"a":{"b":1},"c":[]}',
    patch: [add('/a/x', { y: [1, 2] }), add('/c/-', 'é'), remove('/a/b')],
    after: '{"a":{"x":{"y":[1,2]}},"c":["é"]}',
  },
  {
    title: 'JSON with spaces keeps them',
    before: '{"a": {"b": 1, "c": 2}}',
    patch: [add('/a/x', { y: [1, 2] }), remove('/a/b')],
    after: '{"a": {"c": 2, "x": {"y": [1, 2]}}}',
  },
  {
    title: 'JSON in a stream of YAML, and several JSON texts in a row',
    before: '---\n{"a": 1}\n{"a": 2}\n---\nb: 1\n',
    patch: [add('/x', 'y')],
    after: '---\n{"a": 1, "x": "y"}\n{"a": 2}\n---\nb: 1\n',
  },
];

for (const [name, cases] of Object.entries({ BLOCK, FLOW, ALIASES, STREAMS, JSON_TEXTS })) {
  describe(`editing: ${name.toLowerCase().replace('_', ' ')}`, () => {
    for (const { title, before, patch, after } of cases) {
      it(title, () => assert.equal(edited(before, ...patch), after));
    }
  });
}

describe('editing several objects', () => {
  it('changes each in its place, in a list that is read item by item too', () => {
    const items = Array.from({ length: 6000 }, (_, at) => `- kind: Pod # ${at}\n  note: "${'x'.repeat(200)}"\n`);
    const text = `kind: List\nitems:\n${items.join('')}`;
    const { manifests } = readManifests('a.yaml', text);
    assert.equal(manifests.length, items.length);
    const edits = [0, 3000, 5999].flatMap((at) => {
      const manifest = manifests[at];
      return manifest ? [{ manifest, patch: [add('/at', at)] }] : [];
    });
    const expected = items.map((item, at) => ([0, 3000, 5999].includes(at) ? `${item}  at: ${at}\n` : item));
    assert.equal(editStream(text, edits), `kind: List\nitems:\n${expected.join('')}`);
  });

  it('keeps the documents that cannot be read', () => {
    const text = 'a: [\n---\nb: 1\n---\n{{ c }}\n---\nd: 1\n';
    const edits = readManifests('a.yaml', text).manifests.map((manifest) => ({ manifest, patch: [add('/x', 1)] }));
    assert.equal(editStream(text, edits), 'a: [\n---\nb: 1\nx: 1\n---\n{{ c }}\n---\nd: 1\nx: 1\n');
  });
});

describe('editing what is not there', () => {
  const text = 'a:\n  b: [1]\n  c: x\n';
  const wrong = [
    replace('/x', 1),
    remove('/a/x'),
    add('/x/y', 1),
    add('/a/b/2', 1),
    replace('/a/b/-', 1),
    add('/a/b/01', 1),
    remove('/a/b/1'),
    add('/a/c/d', 1),
    remove(''),
  ];
  for (const operation of wrong) {
    it(`is refused: ${operation.op} ${operation.path}`, () => {
      assert.throws(() => edited(text, operation), { name: 'PatchError' });
    });
  }
});
