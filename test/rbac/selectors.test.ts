import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Requirement } from '../../src/kube/labels.ts';
import { anchorsOfLabels, EVERYWHERE, hasSameLabels, selectorOf } from '../../src/rbac/selectors.ts';

const requirement = (key: string, operator: Requirement['operator'], ...values: readonly string[]): Requirement => ({
  key,
  operator,
  values,
});

test('selectors that select differently have different keys', () => {
  const selectors: readonly (readonly Requirement[])[] = [
    [],
    [requirement('a', 'In', '1')],
    [requirement('a', 'In', '2')],
    [requirement('a', 'In', '1', '2')],
    [requirement('a', 'In', '1', '3')],
    [requirement('a', 'In', '1 2')],
    [requirement('a', 'In', '1,2')],
    [requirement('a', 'In', '1\nIn b 1')],
    [requirement('a', 'In', '1'), requirement('b', 'In', '1')],
    [requirement('a', 'NotIn', '1')],
    [requirement('a', 'NotIn', '1', '2')],
    [requirement('a', 'Exists')],
    [requirement('a', 'DoesNotExist')],
    [requirement('a 1', 'Exists')],
    [requirement('a', 'In', '')],
    [requirement('', 'In', 'a')],
  ];
  const keys = selectors.map((requirements) => selectorOf(requirements).key);
  assert.equal(new Set(keys).size, keys.length);
});

test('a selector looks where the fewest roles are', async (t) => {
  const rows: readonly [string, readonly Requirement[], readonly string[]][] = [
    ['one value', [requirement('a', 'In', '1')], ['a=1']],
    ['each of several values', [requirement('a', 'In', '1', '2', '1')], ['a=1', 'a=2']],
    ['the requirement with fewer values', [requirement('a', 'In', '1', '2'), requirement('b', 'In', '1')], ['b=1']],
    ['the same the other way round', [requirement('b', 'In', '1'), requirement('a', 'In', '1', '2')], ['b=1']],
    ['a value rather than a key', [requirement('a', 'Exists'), requirement('b', 'In', '1')], ['b=1']],
    ['a key', [requirement('b', 'NotIn', '1'), requirement('a', 'Exists')], ['a']],
    ['nothing to go by', [requirement('a', 'DoesNotExist')], [EVERYWHERE]],
    ['nothing at all', [], [EVERYWHERE]],
    ['values that nobody has', [requirement('a', 'In')], []],
  ];
  for (const [title, requirements, anchors] of rows) {
    await t.test(title, () => assert.deepEqual(selectorOf(requirements).anchors, anchors));
  }
});

test('labels that are no strings are nowhere', () => {
  assert.deepEqual(anchorsOfLabels({ a: '1', b: 2, c: null, d: '' }), ['a', 'a=1', 'd', 'd=']);
});

test('labels are the same whatever their order and whatever cannot be selected', () => {
  assert.equal(hasSameLabels({ a: '1', b: '2', c: 3 }, { b: '2', a: '1' }), true);
  for (const other of [{}, { a: '1' }, { a: '1', b: '3' }, { a: '1', c: '2' }, { a: '1', b: '2', c: '3' }]) {
    assert.equal(hasSameLabels({ a: '1', b: '2' }, other), false);
  }
});
