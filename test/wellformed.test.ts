import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { transformSync } from 'esbuild';

import { filesIn, examplesOf } from '../scripts/pages/examples.ts';
import type { Rule } from '../src/policy/rule.ts';
import { RULES } from '../src/rules/index.ts';

// What every rule owes its readers: metadata that reads well, a page, a test and examples under the same name.

const ROOT = new URL('../', import.meta.url);

/** A capital letter, or the name of a component, which has none: kube-proxy, etcd. */
const SENTENCE_START = /^(?:[A-Z]|[a-z]+-[a-z]|etcd\b)/;

const ids = RULES.map(({ meta }) => meta.id);

describe('the list of rules', () => {
  it('holds every file of src/rules', () => {
    const files = filesIn(new URL('src/rules/', ROOT)).filter((name) => name !== 'index.ts');
    assert.deepEqual([...ids].sort(), files.map((name) => name.replace(/\.ts$/, '')).sort());
  });

  it('holds no id twice', () => assert.equal(new Set(ids).size, ids.length));

  it('is what the folders of policies are named after', () => {
    const folders = filesIn(new URL('policies/', ROOT)).filter((name) => !name.includes('.'));
    assert.deepEqual(folders.sort(), [...ids].sort());
  });
});

for (const rule of RULES) describe(rule.meta.id, () => checkRule(rule));

function checkRule({ meta, params }: Rule): void {
  const messages = Object.entries(meta.messages);

  it('has a kebab-case id', () => assert.match(meta.id, /^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/));

  it('has a file, a test and a page of its name', () => {
    for (const path of [`src/rules/${meta.id}.ts`, `test/rules/${meta.id}.test.ts`, `docs/rules/${meta.id}.md`]) {
      assert.ok(existsSync(new URL(path, ROOT)), `${path} is missing`);
    }
  });

  it('has examples of what it allows and of what it refuses, or warns about when it only gives advice', () => {
    const verdicts = new Set(examplesOf(ROOT, meta.id).map(({ verdict }) => verdict));
    const worst = messages.some(([, { level }]) => level === 'violation') ? 'denied' : 'warned';
    assert.ok(verdicts.has('allowed'), 'no allowed example');
    assert.ok(verdicts.has(worst), `no ${worst} example`);
  });

  it('has a title without a period, a rationale and a remediation that are sentences', () => {
    assert.match(meta.title, /^.*[^.]$/);
    assert.match(meta.title, SENTENCE_START);
    for (const text of [meta.rationale, meta.remediation]) assertSentences(text);
  });

  it('rests on something that is published', () => {
    assert.ok(meta.references.length > 0, 'no reference');
    for (const reference of meta.references) assert.equal(new URL(reference).protocol, 'https:');
    for (const control of meta.controls) assert.match(control, /^CIS [0-9]+(?:\.[0-9]+)+$/);
  });

  it('judges something, once', () => {
    assert.ok(meta.targets.length > 0, 'no target');
    assert.equal(new Set(meta.targets).size, meta.targets.length);
  });

  it('says its messages without a period, so that they fit into a sentence', () => {
    assert.ok(messages.length > 0, 'no message');
    for (const [id, { text, remediation }] of messages) {
      assert.match(id, /^[a-z][a-zA-Z0-9]*$/);
      assert.match(text, /^[^A-Z\s].*[^.\s]$/, id);
      assert.doesNotMatch(text.replaceAll(/\{\{[a-zA-Z]+\}\}/g, ''), /[{}]/, id);
      if (remediation !== undefined) assertSentences(remediation);
    }
  });

  it('uses each of its messages', () => {
    const code = checkCode(meta.id);
    for (const [id] of messages) assert.match(code, new RegExp(`['"]${id}['"]`), `${id} is never reported`);
  });

  it('describes each parameter and gives it a default', () => {
    for (const [name, schema] of Object.entries(params.properties)) {
      assert.ok('default' in schema, `${name} has no default`);
      assert.ok('description' in schema, `${name} has no description`);
      assertSentences(String(schema.description));
    }
  });
}

function assertSentences(text: string): void {
  assert.match(text, /^.*\.$/, text);
  assert.match(text, SENTENCE_START);
  assert.doesNotMatch(text, /\s\s|\n|^\s|\s$/, text);
}

/** The file of a rule without types and comments, where a message id in quotes is one that is reported. */
function checkCode(id: string): string {
  const source = readFileSync(new URL(`src/rules/${id}.ts`, ROOT), 'utf8');
  return transformSync(source, { loader: 'ts', target: 'esnext' }).code;
}
