import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { asList, asObject, asString, asStrings, isObject, own } from '../../src/kube/json.ts';

const VALUES: readonly unknown[] = [{}, { a: 1 }, [], [1], '', 'text', 0, 1.5, true, false, null, undefined];

describe('a JSON value', () => {
  it('is an object only when it is one: no list, no null, no scalar', () => {
    assert.deepEqual(VALUES.filter(isObject), [{}, { a: 1 }]);
  });

  it('reads as empty when it is something else', () => {
    const object = { a: 1 };
    const list = [1];
    assert.equal(asObject(object), object);
    assert.equal(asList(list), list);
    for (const value of VALUES.filter((each) => !isObject(each))) assert.deepEqual(asObject(value), {});
    for (const value of VALUES.filter((each) => !Array.isArray(each))) assert.deepEqual(asList(value), []);
  });

  it('is a text only when it is one', () => {
    assert.deepEqual(
      VALUES.map(asString).filter((text) => text !== undefined),
      ['', 'text'],
    );
    assert.deepEqual(asStrings(['a', 1, null, ['b'], '']), ['a', '']);
    assert.deepEqual(asStrings('a'), []);
  });

  it('has the keys that were written, and none that are inherited', () => {
    const object: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "a": 1}');
    assert.ok(isObject(object));
    assert.equal(own(object, 'a'), 1);
    assert.deepEqual(own(object, '__proto__'), { polluted: 1 });
    for (const key of ['constructor', 'toString', 'hasOwnProperty']) assert.equal(own(object, key), undefined);
    assert.equal(own({}, '__proto__'), undefined);
  });
});
