import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import type { JsonObject } from '../../src/kube/json.ts';
import { matchesLabels, requirementsOf } from '../../src/kube/labels.ts';

/** Whether a selector selects labels; one that cannot be read selects nothing. */
function selects(selector: unknown, labels: JsonObject): boolean {
  const requirements = requirementsOf(selector);
  return requirements !== undefined && matchesLabels(requirements, labels);
}

const expression = (operator: string, ...values: string[]): object => ({
  matchExpressions: [{ key: 'tier', operator, ...(values.length === 0 ? {} : { values }) }],
});

describe('a label selector', () => {
  // As apimachinery's LabelSelectorAsSelector and Requirement.Matches.
  const cases: readonly (readonly [string, unknown, JsonObject, boolean])[] = [
    ['an absent one selects nothing', undefined, { tier: 'web' }, false],
    ['null selects nothing', null, { tier: 'web' }, false],
    ['an empty one selects everything', {}, {}, true],
    ['matchLabels', { matchLabels: { tier: 'web' } }, { tier: 'web', app: 'a' }, true],
    ['matchLabels, another value', { matchLabels: { tier: 'web' } }, { tier: 'db' }, false],
    ['matchLabels, all of them', { matchLabels: { tier: 'web', app: 'a' } }, { tier: 'web' }, false],
    ['In', expression('In', 'web', 'db'), { tier: 'db' }, true],
    ['In, absent', expression('In', 'web'), {}, false],
    ['NotIn', expression('NotIn', 'web'), { tier: 'db' }, true],
    ['NotIn, the value', expression('NotIn', 'web'), { tier: 'web' }, false],
    ['NotIn, absent', expression('NotIn', 'web'), {}, true],
    ['Exists', expression('Exists'), { tier: '' }, true],
    ['Exists, absent', expression('Exists'), {}, false],
    ['DoesNotExist', expression('DoesNotExist'), {}, true],
    ['DoesNotExist, there', expression('DoesNotExist'), { tier: '' }, false],
    ['an inherited name is no label', { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, {}, false],
    ['an unknown operator selects nothing', expression('Like', 'web'), { tier: 'web' }, false],
    ['a value that is no text selects nothing', { matchLabels: { tier: 1 } }, { tier: '1' }, false],
    ['an expression without a key selects nothing', { matchExpressions: [{ operator: 'Exists' }] }, {}, false],
    ['labels and expressions', { matchLabels: { app: 'a' }, ...expression('Exists') }, { app: 'a' }, false],
  ];
  for (const [name, selector, labels, expected] of cases) {
    it(name, () => assert.equal(selects(selector, labels), expected));
  }

  it('selects the labels that it was made of, and In is the opposite of NotIn', () => {
    const labels = fc.dictionary(fc.string({ minLength: 1 }), fc.string());
    fc.assert(
      fc.property(labels, fc.array(fc.string()), fc.string(), (matchLabels, values, key) => {
        assert.equal(selects({ matchLabels }, matchLabels), true);
        const one = (operator: string): object => ({ matchExpressions: [{ key, operator, values }] });
        assert.notEqual(selects(one('In'), matchLabels), selects(one('NotIn'), matchLabels));
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.anything(),
        fc.dictionary(fc.string(), fc.anything()),
        (selector, labels) => void selects(selector, labels),
      ),
    );
  });
});
