// The executed vectors, written through the whole webhook under the default policy: first the role, then the binding.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { AdmissionResponse } from '../../src/kube/admission-review.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { objectsOf, readVectors, type Vector, VECTORS_SKIP } from '../rbac/vectors.ts';
import { validateWrite } from '../support/validate-review.ts';

/** Vectors that are warned about because of what they grant. */
const STRICT_GRANTS: Readonly<Record<string, string>> = {
  R050: 'kubelet-api-grant',
  R122: 'indirect-grant',
  R127: 'indirect-grant',
  R128: 'indirect-grant',
};

/** The rules that warn about the others. */
const WITHOUT_EFFECT = /^(?:ineffective-metrics-rule|dangling-role-reference): /;

describe('the executed vectors, under the default policy', { skip: VECTORS_SKIP }, () => {
  const vectors = VECTORS_SKIP === false ? readVectors() : [];

  it('are all there', () => assert.equal(vectors.length, 92));

  for (const vector of vectors.filter(({ verdict }) => !verdict.startsWith('n/a'))) {
    it(`${vector.id}: ${vector.verdict}`, async () => {
      const answers = await answersTo(objectsOf(vector));
      const denials = answers.filter(({ allowed }) => !allowed);
      const warnings = answers.flatMap((answer) => answer.warnings ?? []);
      assert.equal(denials.length > 0, isDenied(vector), JSON.stringify(answers));
      if (isDenied(vector)) assert.match(String(denials[0]?.status?.message), /ClusterRoleBinding "b"/);
      if (vector.verdict === 'ignore') assert.deepEqual(warnings, []);
      if (!vector.verdict.startsWith('warn')) return;
      const strictRule = STRICT_GRANTS[vector.id.slice(0, 4)];
      const warning = strictRule === undefined ? WITHOUT_EFFECT : new RegExp(`^${strictRule}: `);
      assert.ok(
        warnings.some((each) => warning.test(each)),
        warnings.join('\n'),
      );
    });
  }
});

function isDenied({ verdict }: Vector): boolean {
  return verdict.startsWith('deny');
}

async function answersTo(objects: readonly JsonObject[]): Promise<readonly AdmissionResponse[]> {
  const answers: AdmissionResponse[] = [];
  for (const [index, object] of objects.entries()) {
    const { response } = await validateWrite({ object }, { clusterObjects: objects.slice(0, index) });
    answers.push(response);
  }
  return answers;
}
