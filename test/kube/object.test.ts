import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { JsonObject } from '../../src/kube/json.ts';
import { annotationOf, groupOf, labelOf, labelsOf, refOf } from '../../src/kube/object.ts';

describe('the names of an object', () => {
  const rows: readonly (readonly [name: string, object: JsonObject, ref: readonly string[]])[] = [
    [
      'are its own',
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'shop', name: 'web', generateName: 'x-' } },
      ['apps/v1', 'Deployment', 'shop', 'web'],
    ],
    [
      'end with a prefix that is yet to be completed',
      { kind: 'Pod', metadata: { generateName: 'web-' } },
      ['', 'Pod', '', 'web-'],
    ],
    [
      'take the prefix for an empty name',
      { kind: 'Pod', metadata: { name: '', generateName: 'web-' } },
      ['', 'Pod', '', 'web-'],
    ],
    ['are empty where there are none', {}, ['', '', '', '']],
    [
      'are empty where they are malformed',
      { apiVersion: 1, kind: [], metadata: { namespace: {}, name: 7 } },
      ['', '', '', ''],
    ],
    ['are empty without metadata', { metadata: 'web' }, ['', '', '', '']],
  ];
  for (const [name, object, ref] of rows) it(name, () => assert.deepEqual(Object.values(refOf(object)), ref));
});

describe('labels and annotations', () => {
  const metadata: unknown = JSON.parse(
    '{"labels": {"a": "1", "b": 2, "__proto__": "3"}, "annotations": {"c": "4", "d": null}}',
  );
  const object = { metadata };

  it('are the entries that are texts', () => {
    assert.deepEqual(Object.entries(labelsOf(object)), [
      ['a', '1'],
      ['__proto__', '3'],
    ]);
    assert.deepEqual(labelsOf({ metadata: { labels: ['a'] } }), {});
  });

  it('are found one by one, without what is inherited', () => {
    assert.deepEqual(
      ['a', 'b', '__proto__', 'constructor', 'c'].map((key) => labelOf(object, key)),
      ['1', undefined, '3', undefined, undefined],
    );
    assert.deepEqual(
      ['c', 'd', 'a'].map((key) => annotationOf(object, key)),
      ['4', undefined, undefined],
    );
  });
});

describe('the group of an apiVersion', () => {
  for (const [apiVersion, group] of [
    ['v1', ''],
    ['apps/v1', 'apps'],
    ['rbac.authorization.k8s.io/v1beta1', 'rbac.authorization.k8s.io'],
    ['', ''],
  ] as const) {
    it(`"${apiVersion}" is "${group}"`, () => assert.equal(groupOf(apiVersion), group));
  }
});
