import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { judge } from '../src/admission/judge.ts';
import { viewOf } from '../src/policy/cluster-view.ts';
import type { Finding } from '../src/policy/evaluate.ts';
import { RULES } from '../src/rules/index.ts';
import { examplesOf, type Example } from './support/examples.ts';
import { rulesetOf, STRICTEST, TODAY } from './support/rulesets.ts';

// Every example in policies/ID/examples is judged by all rules together, under a policy that enforces all of them: what
// is denied is denied by its own rule alone, and what only deserves a warning is denied by nobody.

const ruleset = rulesetOf(STRICTEST);

/** What must be true of the findings in an example of a verdict. */
const CHECKS: Readonly<Record<Example['verdict'], (findings: readonly Finding[], rule: string) => void>> = {
  denied(findings, rule) {
    const enforced = findings.filter(({ mode }) => mode === 'enforce');
    assert.ok(enforced.some((finding) => finding.rule.id === rule));
    assert.deepEqual(named(enforced.filter((finding) => finding.rule.id !== rule)), []);
  },
  warned(findings, rule) {
    assert.ok(findings.some((finding) => finding.rule.id === rule));
    assert.deepEqual(named(findings.filter(({ mode }) => mode === 'enforce')), []);
  },
  allowed(findings, rule) {
    assert.deepEqual(named(findings.filter((finding) => finding.rule.id === rule)), []);
  },
};

for (const { meta } of RULES) {
  describe(meta.id, () => {
    for (const example of examplesOf(meta.id)) {
      it(`${example.verdict}: ${nameOf(example)}`, () => CHECKS[example.verdict](findingsIn(example), meta.id));
    }
  });
}

describe('an example', () => {
  const examples = RULES.flatMap(({ meta }) => examplesOf(meta.id));

  it('begins with a comment that says what it shows', () => {
    const silent = examples.filter(({ text }) => !/^(?:#.*\n)*#.*\.\n[^#]/.test(text));
    assert.deepEqual(
      silent.map(({ file }) => file),
      [],
    );
  });

  it('has a kebab-case name', () => {
    assert.deepEqual(
      examples.map(nameOf).filter((name) => !/^[a-z0-9]+(?:-[a-z0-9]+)*\.yaml$/.test(name)),
      [],
    );
  });
});

function nameOf({ file }: Example): string {
  return file.slice(file.lastIndexOf('/') + 1);
}

function findingsIn({ manifests }: Example): readonly Finding[] {
  const objects = manifests.map(({ object }) => object);
  assert.ok(objects.length > 0, 'there is no object in it');
  return objects.flatMap((object) => {
    const { findings, errors } = judge(object, ruleset, { view: viewOf(objects), today: TODAY });
    assert.deepEqual(errors, []);
    return findings;
  });
}

function named(findings: readonly Finding[]): string[] {
  return findings.map(({ rule, messageId, path }) => `${rule.id}/${messageId} at ${path}`);
}
