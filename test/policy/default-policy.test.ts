import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { defaultPolicy } from '../../src/policy/default-policy.ts';
import { policyParser } from '../../src/policy/parse.ts';
import { RULES } from '../../src/rules/index.ts';

describe('the policy that nobody wrote', () => {
  it('is what the parser makes of one without a spec, in the same order', () => {
    const parsed = policyParser(RULES)({ apiVersion: 'scrapeguard.io/v1alpha1', kind: 'MetricsPolicy' });
    assert.ok(parsed.ok);
    assert.equal(JSON.stringify(defaultPolicy(RULES)), JSON.stringify(parsed.document));
  });

  it('is itself a policy that the parser takes as it is', () => {
    const policy = defaultPolicy(RULES);
    assert.deepEqual(policyParser(RULES)(policy), { ok: true, document: policy });
  });

  it('is made anew, so that nobody changes the schema through it', () => {
    assert.notEqual(defaultPolicy(RULES).spec.administrators, defaultPolicy(RULES).spec.administrators);
  });
});
