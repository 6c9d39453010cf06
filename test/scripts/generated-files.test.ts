import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { parseAllDocuments } from 'yaml';

import { differences, generatedFiles, type Files } from '../../scripts/generated-files.ts';
import { prose, table } from '../../scripts/pages/markdown.ts';
import { yamlText } from '../../scripts/pages/yaml-text.ts';
import { RULES } from '../../src/rules/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'scrapeguard-generate-'));
const root = pathToFileURL(`${directory}/`);
after(() => rmSync(directory, { recursive: true }));

function write(files: Files): void {
  for (const [path, text] of files) {
    const file = fileURLToPath(new URL(path, root));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

describe('generated files', () => {
  it('are the same each time, and end with one line break', () => {
    const repository = new URL('../../', import.meta.url);
    const files = generatedFiles(repository, RULES);
    assert.deepEqual([...generatedFiles(repository, RULES)], [...files]);
    for (const [path, text] of files) assert.match(text, /[^\n]\n$/, path);
  });

  for (const name of ['webhooks.yaml', 'webhooks-namespace-opt-in.yaml']) {
    it(`${name} registers all webhooks as Ignore, without a caBundle, and never for their own namespace`, () => {
      const text = generatedFiles(new URL('../../', import.meta.url), RULES).get(`deploy/${name}`) ?? '';
      assert.doesNotMatch(text, /caBundle:|failurePolicy: Fail/);
      const [validating, mutating, ...others] = parseAllDocuments(text).map((document) => document.toJS());
      assert.deepEqual(
        [validating.kind, mutating.kind, others],
        ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration', []],
      );
      assert.ok(validating.webhooks.length > 0 && mutating.webhooks.length > 0);
      for (const { namespaceSelector } of [...validating.webhooks, ...mutating.webhooks]) {
        assert.ok(namespaceSelector.matchExpressions[0].values.includes('scrapeguard-system'));
      }
    });
  }
});

describe('differences', () => {
  const files: Files = new Map([
    ['docs/rules/a-rule.md', 'a\n'],
    ['docs/errors.md', 'b\n'],
  ]);

  it('are none when every file is as it would be made', () => {
    write(files);
    assert.deepEqual(differences(root, files), []);
  });

  it('are what is missing, stale or too much', () => {
    write(
      new Map([
        ['docs/rules/a-rule.md', 'old\n'],
        ['docs/rules/gone-rule.md', 'a\n'],
      ]),
    );
    rmSync(new URL('docs/errors.md', root));
    assert.deepEqual(differences(root, files), [
      { path: 'docs/errors.md', state: 'missing' },
      { path: 'docs/rules/a-rule.md', state: 'stale' },
      { path: 'docs/rules/gone-rule.md', state: 'extra' },
    ]);
  });
});

describe('Markdown', () => {
  it('aligns a narrow table', () => {
    assert.equal(
      table(['id', 'meaning'], [['`a`', 'first']]),
      ['| id  | meaning |', '| --- | ------- |', '| `a` | first   |'].join('\n'),
    );
  });

  it('leaves a wide table compact', () => {
    const wide = 'x'.repeat(120);
    assert.equal(table(['a', 'b'], [['1', wide]]), `| a | b |\n| --- | --- |\n| 1 | ${wide} |`);
  });

  it('keeps a bar inside its cell', () => {
    assert.match(table(['a'], [['one|two']]), /one\\\|two/);
  });

  it('escapes what would be markup', () => {
    assert.equal(prose('https://<node>/m* of [a] `b`'), 'https://\\<node>/m\\* of \\[a\\] \\`b\\`');
  });
});

describe('YAML', () => {
  it('is written as people write it, with quotes where YAML 1.1 needs them', () => {
    assert.equal(
      yamlText({ ports: [1, 2], mode: 'off', expires: '2027-03-31', rules: [{ id: 'a', names: ['*'] }] }),
      'ports: [1, 2]\nmode: "off"\nexpires: "2027-03-31"\nrules:\n- id: a\n  names: ["*"]\n',
    );
  });
});
