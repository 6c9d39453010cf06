import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { RULES } from '../../src/rules/index.ts';
import { runCli } from './run-cli.ts';

describe('rules list', () => {
  it('is a table with a row for each rule', async () => {
    const { code, stdout, stderr } = await runCli(['rules', 'list']);
    assert.deepEqual([code, stderr], [0, '']);
    const [head = '', ...rows] = stdout.trimEnd().split('\n');
    assert.match(head, /^ID +PROFILE +SEVERITY +TITLE$/);
    assert.equal(rows.length, RULES.length);
    const column = head.indexOf('TITLE');
    for (const [index, { meta }] of RULES.entries()) {
      assert.ok(rows[index]?.startsWith(`${meta.id} `));
      assert.equal(rows[index]?.slice(column), meta.title);
    }
  });

  it('is what "rules" alone prints', async () => {
    assert.equal((await runCli(['rules'])).stdout, (await runCli(['rules', 'list'])).stdout);
    assert.equal(
      (await runCli(['rules', '-o', 'json'])).stdout,
      (await runCli(['rules', 'list', '-o', 'json'])).stdout,
    );
  });

  it('is the same as JSON', async () => {
    const { stdout } = await runCli(['rules', 'list', '-o', 'json']);
    const summaries = RULES.map(({ meta: { id, profile, severity, title } }) => ({ id, profile, severity, title }));
    assert.deepEqual(JSON.parse(stdout), summaries);
  });
});

describe('rules show', () => {
  for (const { meta, params } of RULES) {
    it(`says everything about ${meta.id}`, async () => {
      const { code, stdout } = await runCli(['rules', 'show', meta.id]);
      assert.equal(code, 0);
      const texts = Object.values(meta.messages).flatMap(({ text, remediation = '' }) => [text, remediation]);
      const lists = [meta.targets, meta.controls, meta.references, Object.keys(meta.messages), texts].flat();
      const own = [meta.title, meta.severity, meta.profile, meta.rationale, meta.remediation];
      const facts = [...own, ...lists, ...Object.keys(params.properties)];
      for (const fact of facts) assert.ok(stdout.includes(fact), fact);
      assert.doesNotMatch(stdout, /undefined|\[object/);
    });

    it(`says the same about ${meta.id} as JSON`, async () => {
      const { stdout } = await runCli(['rules', 'show', meta.id, '-o', 'json']);
      const { id, profile, severity, title, targets, rationale, remediation, references, controls, messages } = meta;
      const facts = { id, profile, severity, title, targets, rationale, remediation, references, controls, messages };
      const docs = `https://scrapeguard.io/rules/${id}`;
      const expected = { ...facts, docs, params: params.properties };
      assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(expected)));
    });
  }

  it('names the rule that may have been meant', async () => {
    const { code, stdout, stderr } = await runCli(['rules', 'show', 'kubelet-readonly-port']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.equal(stderr, 'error: No rule is called "kubelet-readonly-port"; did you mean "kubelet-read-only-port"?\n');
  });
});

it('rules names the command that may have been meant', async () => {
  const { code, stderr } = await runCli(['rules', 'shwo', 'kubelet-read-only-port']);
  assert.equal(code, 2);
  assert.equal(stderr, `error: unknown command 'shwo'; did you mean "show"?\n`);
});
