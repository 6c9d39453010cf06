import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { valueAt } from '../../src/kube/pointer.ts';
import { readManifests, type Problem, type Reading } from '../../src/manifests/manifests.ts';

function read(text: string): Reading {
  return readManifests('a.yaml', text);
}

function objects(text: string): unknown[] {
  const { manifests, errors } = read(text);
  assert.deepEqual(errors, []);
  return manifests.map(({ object }) => object);
}

/** The one problem of a list, as `line: message`. */
function only(problems: readonly Problem[]): string {
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('');
}

describe('a pod that says yes is privileged', () => {
  const rows: readonly (readonly [yaml: string, pointer: string, value: unknown])[] = [
    ['spec: {hostNetwork: on}', '/spec/hostNetwork', true],
    ['spec: {hostNetwork: yes}', '/spec/hostNetwork', true],
    ['spec: {hostNetwork: y}', '/spec/hostNetwork', true],
    ['spec: {hostNetwork: "on"}', '/spec/hostNetwork', 'on'],
    ['on: 1', '/true', 1],
    ['y: 1', '/true', 1],
    ['port: 024017', '/port', 10255],
    ['port: 0x280F', '/port', 10255],
    ['port: 10_255', '/port', 10255],
    ['mode: 0644', '/mode', 420],
    ['mode: 0o17', '/mode', 15],
    ['count: 1_000', '/count', 1000],
    ['date: 2026-01-01', '/date', '2026-01-01'],
    ['time: 1:30', '/time', '1:30'],
    ['base: &b {a: 1}\nit:\n  <<: *b', '/it/a', 1],
    ['hostNetwork: false\nhostNetwork: true', '/hostNetwork', true],
    ['data: {1: a, true: b, 1.5: c}', '/data', { '1': 'a', true: 'b', '1.5': 'c' }],
  ];
  for (const [yaml, pointer, value] of rows) {
    test(`${JSON.stringify(yaml)} has ${JSON.stringify(value)} at ${pointer}`, () => {
      assert.deepEqual(valueAt(objects(`${yaml}\n`)[0], pointer), value);
    });
  }
});

describe('documents', () => {
  test('are counted without the empty ones', () => {
    const { manifests } = read('# none\n---\na: 1\n---\n---\n# none\n---\nnull\n---\nb: 2\n...\nc: 3\n');
    assert.deepEqual(
      manifests.map(({ document, object }) => [document, object]),
      [
        [0, { a: 1 }],
        [1, { b: 2 }],
        [2, { c: 3 }],
      ],
    );
  });

  for (const empty of [
    '',
    '\n',
    '---\n',
    '---',
    '# a comment\n',
    '---\n---\n',
    '\uFEFF',
    'null\n',
    '~',
    '---\r\n',
    '%YAML 1.1\n---\n',
  ]) {
    test(`${JSON.stringify(empty)} holds nothing, and nothing is wrong with it`, () => {
      assert.deepEqual(read(empty), { manifests: [], errors: [], warnings: [] });
    });
  }

  test('may begin on the line of their marker', () => {
    assert.deepEqual(objects('--- {a: 1}\n--- # b\nb: 2\n'), [{ a: 1 }, { b: 2 }]);
  });

  test('may have directives', () => {
    assert.deepEqual(objects('%YAML 1.1\n# c\n---\na: on\n...\n%YAML 1.2\n---\nb: on\n'), [{ a: true }, { b: true }]);
  });

  test('that cannot be read spare the others, and tell their line', () => {
    const { manifests, errors } = read('a: 1\n---\nb: [\n---\nc: "\n---\nd: 1\n');
    assert.deepEqual(
      manifests.map(({ object, document }) => [document, object]),
      [
        [0, { a: 1 }],
        [3, { d: 1 }],
      ],
    );
    assert.deepEqual(
      errors.map(({ line }) => line),
      [3, 5],
    );
  });

  test('that are lists are passed over with a warning: a kustomize patch is one', () => {
    const { manifests, errors, warnings } = read('# a patch\n- {op: add, path: /a, value: 1}\n');
    assert.deepEqual([manifests, errors], [[], []]);
    assert.equal(only(warnings), 'a.yaml:2: the document is a list, not a Kubernetes object');
  });

  test('that are scalars are errors', () => {
    assert.equal(only(read('\nHello there.\n').errors), 'a.yaml:2: the document is a string, not a Kubernetes object');
    assert.equal(only(read('1\n').errors), 'a.yaml:1: the document is a number, not a Kubernetes object');
  });

  test('need not be API objects', () => {
    assert.deepEqual(objects('readOnlyPort: 10255\n'), [{ readOnlyPort: 10255 }]);
  });

  test('share their source with their format and their place', () => {
    const { manifests } = read('---\na: 1\n---\nkind: List\nitems: [{b: 1}, {c: 1}]\n');
    assert.deepEqual(
      manifests.map(({ source }) => [source.format, source.text, source.start]),
      [
        ['yaml', 'a: 1\n', 4],
        ['yaml', 'kind: List\nitems: [{b: 1}, {c: 1}]\n', 13],
        ['yaml', 'kind: List\nitems: [{b: 1}, {c: 1}]\n', 13],
      ],
    );
    assert.equal(manifests[1]?.source, manifests[2]?.source);
  });
});

describe('lists', () => {
  const rows: readonly (readonly [
    name: string,
    yaml: string,
    parts: readonly (readonly [prefix: string, object: unknown])[],
  ])[] = [
    [
      'List',
      'kind: List\nitems:\n- {kind: A}\n- {kind: B}\n',
      [
        ['/items/0', { kind: 'A' }],
        ['/items/1', { kind: 'B' }],
      ],
    ],
    [
      'PodList',
      'kind: PodList\napiVersion: v1\nitems:\n- {kind: Pod, apiVersion: v1}\n',
      [['/items/0', { kind: 'Pod', apiVersion: 'v1' }]],
    ],
    [
      'a typed list of items without a kind',
      'kind: RoleList\napiVersion: rbac.authorization.k8s.io/v1\nitems: [{rules: []}]\n',
      [['/items/0', { kind: 'Role', apiVersion: 'rbac.authorization.k8s.io/v1', rules: [] }]],
    ],
    ['a List of items without a kind', 'kind: List\nitems: [{rules: []}]\n', [['/items/0', { rules: [] }]]],
    [
      'a list in a list',
      'kind: List\nitems: [{kind: A}, {kind: List, items: [{kind: B}]}, {kind: C}]\n',
      [
        ['/items/0', { kind: 'A' }],
        ['/items/1/items/0', { kind: 'B' }],
        ['/items/2', { kind: 'C' }],
      ],
    ],
    ['items that are no objects', 'kind: List\nitems: [null, 1, [], {kind: A}]\n', [['/items/3', { kind: 'A' }]]],
    ['an empty list', 'kind: List\nitems: []\n', []],
    ['a list without items', 'kind: List\n', [['', { kind: 'List' }]]],
    [
      'an object that is a list by its name only',
      'kind: AllowList\nmetadata: {name: a}\nitems: [{b: 1}]\n',
      [['', { kind: 'AllowList', metadata: { name: 'a' }, items: [{ b: 1 }] }]],
    ],
    ['an object with items', 'kind: Shop\nitems: [{b: 1}]\n', [['', { kind: 'Shop', items: [{ b: 1 }] }]]],
  ];
  for (const [name, yaml, parts] of rows) {
    test(name, () => {
      const { manifests, errors } = read(yaml);
      assert.deepEqual(errors, []);
      assert.deepEqual(
        manifests.map(({ prefix, object }) => [prefix, object]),
        parts,
      );
    });
  }

  test('with a __proto__ item keep it as data', () => {
    const [item] = objects('{"kind": "PodList", "items": [{"__proto__": {"kind": "X"}, "spec": {}}]}');
    assert.equal(JSON.stringify(item), '{"kind":"Pod","__proto__":{"kind":"X"},"spec":{}}');
  });
});

describe('JSON', () => {
  test('is read as JSON, whatever the file is called', () => {
    assert.deepEqual(objects('{"a": "\\/\\ud83d\\ude00", "b": "on"}'), [{ a: '/\u{1F600}', b: 'on' }]);
    assert.deepEqual(objects('\uFEFF\n  {"a": 1}\n'), [{ a: 1 }]);
    assert.equal(read('{"a": 1}').manifests[0]?.source.format, 'json');
  });

  test('may be one object behind the other', () => {
    const { manifests, errors } = read('{"a": 1}\n{"b": "}{"}{"c": 3}\n\n');
    assert.deepEqual(errors, []);
    assert.deepEqual(
      manifests.map(({ object, document }) => [document, object]),
      [
        [0, { a: 1 }],
        [1, { b: '}{' }],
        [2, { c: 3 }],
      ],
    );
  });

  test('that is really YAML is YAML', () => {
    assert.deepEqual(objects('{a: on, "b": [1,],}\n'), [{ a: true, b: [1] }]);
    assert.deepEqual(objects('{"a": 1}\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }]);
  });

  test('keeps line breaks that only YAML knows', () => {
    assert.deepEqual(objects('{"a": "\u2028\u2029\u0085"}'), [{ a: '\u2028\u2029\u0085' }]);
  });

  test('that breaks off is an error', () => {
    assert.match(only(read('{"a": 1,\n"b": [\n').errors), /^a\.yaml:\d: not valid YAML/);
  });
});

describe('warnings', () => {
  test('name a key that is given twice, and both places', () => {
    const { manifests, warnings } = read('kind: A\nmetadata:\n  name: a\n  name: b\n---\na: 1\n');
    assert.equal(only(warnings), 'a.yaml:4: key "name" is given twice, the last one counts (first in line 3)');
    assert.equal(manifests.length, 2);
  });

  test('a key spelled in two ways is one key', () => {
    assert.match(only(read('on: 1\n"true": 2\n').warnings), /key "true" is given twice/);
    assert.match(only(read('{1: a, "1": b}\n').warnings), /key "1" is given twice/);
  });

  test('a merge that a key overrides is none', () => {
    assert.deepEqual(read('a: &a {x: 1}\nb: {<<: *a, x: 2}\n').warnings, []);
  });

  test('tell of text that only libyaml reads, once a document', () => {
    const message =
      'the line is indented less than what it belongs to; Kubernetes reads it, other YAML readers may not';
    assert.equal(only(read("a:\n  b: '{\n  x\n}'\n  c: [\n1]\n").warnings), `a.yaml:3: ${message}`);
    assert.deepEqual(read('a: [\n  1\n]\nb: {\n}\nc: "x\n\n  y"\n').warnings, []);
  });
});

/** Nine levels of nine aliases each. */
const BOMB = `a0: &a0 [x]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`).join('\n')}\n`;

describe('refused with a reason', () => {
  const rows: readonly (readonly [name: string, text: string, problem: RegExp])[] = [
    [
      'a Helm template',
      'kind: Pod\nmetadata:\n  name: {{ .Release.Name }}-a\n',
      /^a\.yaml:3: this looks like an unrendered Helm template \(\{\{ \.\.\. \}\}\): render it first/,
    ],
    [
      'a Helm condition',
      'kind: Pod\n{{- if .Values.x }}\nspec: {}\n{{- end }}\n',
      /^a\.yaml:2: this looks like an unrendered Helm template/,
    ],
    ['a Helm value as a whole', 'spec: {{ toYaml .Values.spec }}\n', /unrendered Helm template/],
    ['a Helm value in a list', 'args:\n- {{ .Values.arg }}\n', /unrendered Helm template/],
    ['an alias bomb', BOMB, /aliases make this document too large/],
    ['an anchor inside itself', 'a: &a {b: *a}\n', /^a\.yaml:1: anchor "a" contains itself/],
    ['an unknown anchor', 'a: 1\nb: *x\n', /^a\.yaml:2: unknown anchor "x"/],
    ['a quote that is not closed', 'a: 1\nb: "x\nc: 1\n', /^a\.yaml:2: not valid YAML: this " is not closed/],
    ['a bracket that is not closed', 'a: 1\nb: [1,\nc: 1\n- x\n', /^a\.yaml:2: not valid YAML: this \[ is not closed/],
    ['text behind a bracket', 'a: [1]x\n', /^a\.yaml:1: not valid YAML: Unexpected scalar at node end/],
    [
      'a line that is indented wrongly',
      'a:\n  b: 1\n c: 2\n',
      /^a\.yaml:3: not valid YAML: All mapping items must start/,
    ],
    ['a null key', 'a: 1\n~: 2\n', /^a\.yaml:2: a key must be a string, a number or a boolean/],
    ['a number beyond JSON', 'a: .inf\n', /^a\.yaml:1: "\.inf" is a number that JSON cannot hold/],
    ['a text that does not fit its tag', 'a: !!int x\n', /^a\.yaml:1: "x" does not fit its tag/],
    ['a merge of a scalar', '<<: 1\n', /a merge \(<<\) needs a mapping/],
    [
      'a ? that Kubernetes and YAML 1.2 read differently',
      'spec: {?hostNetwork: true}\n',
      /^a\.yaml:1: a \? in a flow collection needs a space/,
    ],
    [
      'a line break that only Kubernetes sees',
      'a: 1 # x\u2028hostNetwork: true\n',
      /U\+2028 and U\+2029 must be escaped/,
    ],
    ['a control character', 'a: 1\nb: x\u0001y\n', /^a\.yaml:2: control characters are not allowed/],
    ['deep flow', `a: ${'['.repeat(50_000)}`, /nested deeper than 300 levels/],
    ['deep JSON', `{"a": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`, /nested deeper than 300 levels/],
    ['deep blocks', `${'- '.repeat(50_000)}a`, /nested deeper than 300 levels/],
    ['deep keys', `${'? '.repeat(20_000)}a`, /nested deeper than 300 levels/],
    [
      'deep indents',
      Array.from({ length: 1000 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'),
      /nested deeper than 300 levels/,
    ],
    [
      'deep aliases',
      Array.from(
        { length: 1500 },
        (_, index) => `a${index}: &a${index} [${index === 0 ? '1' : `*a${index - 1}`}]`,
      ).join('\n'),
      /too large|nested deeper/,
    ],
  ];
  for (const [name, text, problem] of rows) {
    test(name, () => {
      const { manifests, errors } = read(text);
      assert.deepEqual(manifests, []);
      assert.match(only(errors), problem);
    });
  }

  test('but not what is nested 290 levels deep', () => {
    assert.equal(objects(`a: ${'['.repeat(290)}${']'.repeat(290)}\n`).length, 1);
    assert.equal(objects(`a: ${'{b: '.repeat(290)}1${'}'.repeat(290)}\n`).length, 1);
    assert.equal(objects(`{"a": ${'['.repeat(290)}${']'.repeat(290)}}`).length, 1);
  });

  test('but not braces in quotes', () => {
    assert.deepEqual(objects('a: "{{ .Values.x }}"\nb: x{{y}}\n'), [{ a: '{{ .Values.x }}', b: 'x{{y}}' }]);
  });

  test('but not aliases as a person uses them', () => {
    const uses = Array.from({ length: 1000 }, (_, index) => `k${index}: *a`).join('\n');
    assert.equal(objects(`a: &a {b: 1}\n${uses}\n`).length, 1);
  });
});

test('names of Object.prototype are data', () => {
  const [object] = objects('__proto__: {polluted: true}\nconstructor: {prototype: 1}\n');
  assert.equal(JSON.stringify(object), '{"__proto__":{"polluted":true},"constructor":{"prototype":1}}');
  assert.equal(Object.getPrototypeOf(object), Object.prototype);
});
