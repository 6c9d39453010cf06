import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { judge } from '../../src/admission/judge.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { makeRuleset } from '../../src/policy/ruleset.ts';
import { labelledDeployment, labelledPod, labelRule } from '../support/label-rule.ts';
import { policyOf, validateWrite } from '../support/validate-review.ts';

const RULES = [labelRule('base'), labelRule('other')];
const BAD = { bad: 'x' };

interface Row {
  readonly name: string;
  readonly object: JsonObject;
  /** Laid over an exception for `base` without further conditions. */
  readonly exception: JsonObject;
  readonly today?: string;
  readonly holds: boolean;
}

const bare = { name: undefined };

const ROWS: readonly Row[] = [
  { name: 'without conditions', object: labelledPod(BAD), exception: {}, holds: true },
  { name: 'for another rule', object: labelledPod(BAD), exception: { rules: ['other'] }, holds: false },
  { name: 'for several rules', object: labelledPod(BAD), exception: { rules: ['other', 'base'] }, holds: true },

  { name: 'the day before its last', object: labelledPod(BAD), exception: {}, today: '2027-03-30', holds: true },
  { name: 'on its last day', object: labelledPod(BAD), exception: {}, today: '2027-03-31', holds: true },
  { name: 'the day after', object: labelledPod(BAD), exception: {}, today: '2027-04-01', holds: false },
  { name: 'a year later', object: labelledPod(BAD), exception: {}, today: '2028-01-01', holds: false },

  { name: 'in its namespace', object: labelledPod(BAD), exception: { namespaces: ['shop'] }, holds: true },
  { name: 'in another namespace', object: labelledPod(BAD), exception: { namespaces: ['shop-2'] }, holds: false },
  { name: 'in one of its namespaces', object: labelledPod(BAD), exception: { namespaces: ['a', 'sh*'] }, holds: true },

  { name: 'for its kind', object: labelledPod(BAD), exception: { kinds: ['Pod'] }, holds: true },
  { name: 'for another kind', object: labelledPod(BAD), exception: { kinds: ['Deployment'] }, holds: false },
  { name: 'for Pods covers templates', object: labelledDeployment(BAD), exception: { kinds: ['Pod'] }, holds: true },
  {
    name: 'for a workload covers its template',
    object: labelledDeployment(BAD),
    exception: { kinds: ['Deployment'], names: ['app'] },
    holds: true,
  },
  {
    name: 'for another workload',
    object: labelledDeployment(BAD),
    exception: { kinds: ['StatefulSet'] },
    holds: false,
  },

  { name: 'by name', object: labelledPod(BAD), exception: { names: ['app'] }, holds: true },
  { name: 'by a name with a star', object: labelledPod(BAD), exception: { names: ['*pp'] }, holds: true },
  { name: 'by another name', object: labelledPod(BAD), exception: { names: ['app-*'] }, holds: false },
  {
    name: 'by generateName where there is no name',
    object: labelledPod(BAD, { ...bare, generateName: 'app-7d9f-' }),
    exception: { names: ['app-*'] },
    holds: true,
  },
  {
    name: 'by name before generateName',
    object: labelledPod(BAD, { generateName: 'old-' }),
    exception: { names: ['old-*'] },
    holds: false,
  },
  {
    name: 'without any name, but for all',
    object: labelledPod(BAD, bare),
    exception: { names: ['*'] },
    holds: true,
  },
  { name: 'without any name', object: labelledPod(BAD, bare), exception: { names: ['app'] }, holds: false },
  {
    name: "for a template by the beginning of its pods' names",
    object: labelledDeployment(BAD),
    exception: { kinds: ['Pod'], names: ['app-*'] },
    holds: true,
  },
  {
    name: 'for a template, but only for a Pod of exactly its name',
    object: labelledDeployment(BAD),
    exception: { kinds: ['Pod'], names: ['app'] },
    holds: false,
  },
];

describe('an exception', () => {
  for (const { name, object, exception, today = '2026-01-01', holds } of ROWS) {
    it(`${name} ${holds ? 'holds' : 'does not hold'}`, () => {
      const spec = {
        exceptions: [{ name: 'e', rules: ['base'], reason: 'a test', expires: '2027-03-31', ...exception }],
      };
      const rules = RULES.slice(0, 1);
      const ruleset = makeRuleset(rules, policyOf(RULES, spec));
      const { findings, exceptions, excepted } = judge(object, ruleset, { view: viewOf([]), today });
      assert.equal(findings.length, holds ? 0 : 1);
      assert.deepEqual(exceptions, holds ? ['e'] : []);
      assert.equal(excepted, holds ? 1 : 0);
    });
  }

  it('is named only where it held something back', async () => {
    const spec = { exceptions: [{ name: 'e', rules: ['base'], reason: 'a test', expires: '2027-03-31' }] };
    const { response } = await validateWrite({ object: labelledPod({}) }, { rules: RULES, spec });
    assert.equal(response.auditAnnotations, undefined);
  });

  it('counts everything that it held back, and every exception is named', async () => {
    const spec = {
      exceptions: [
        { name: 'z', rules: ['base'], reason: 'a test', expires: '2027-03-31' },
        { name: 'never asked', rules: ['base'], reason: 'a test', expires: '2027-03-31' },
        { name: 'a', rules: ['other'], reason: 'a test', expires: '2027-03-31' },
      ],
    };
    const { response, outcome } = await validateWrite(
      { object: labelledPod({ bad: 'x,y', odd: 'x' }) },
      { rules: RULES, spec },
    );
    assert.deepEqual(response.auditAnnotations, { exceptions: 'a,z' });
    assert.equal(outcome.excepted, 6);
  });
});
