import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { repeatNotes } from '../../src/cli/repeated-objects.ts';
import { readManifests } from '../../src/manifests/manifests.ts';

/** The notes about documents of which each is one line. */
const notes = (...documents: string[]): string[] =>
  repeatNotes(readManifests('a', documents.join('\n---\n')).manifests);

const object = (kind: string, metadata: string, apiVersion = 'v1'): string =>
  `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: ${metadata}}`;

describe('objects that are given more than once', () => {
  it('are the same by group, kind, namespace and name', () => {
    assert.deepEqual(notes(object('Pod', '{name: a}'), object('Pod', '{name: a, namespace: default}')), [
      'Pod default/a is given 2 times, each is judged: a:1, a:3',
    ]);
    const versions = [object('Role', '{name: a}', 'rbac/v1'), object('Role', '{name: a}', 'rbac/v1beta1')];
    assert.equal(notes(...versions).length, 1);
  });

  it('are not the same where one of these differs, or where there is no name', () => {
    assert.deepEqual(notes(object('Pod', '{name: a}'), object('Pod', '{name: b}')), []);
    assert.deepEqual(notes(object('Pod', '{name: a}'), object('Pod', '{name: a, namespace: b}')), []);
    assert.deepEqual(notes(object('Pod', '{name: a}'), object('Job', '{name: a}')), []);
    assert.deepEqual(notes(object('A', '{name: a}', 'x/v1'), object('A', '{name: a}', 'y/v1')), []);
    assert.deepEqual(notes(object('Pod', '{generateName: a-}'), object('Pod', '{generateName: a-}')), []);
    assert.deepEqual(notes('{readOnlyPort: 0}', '{readOnlyPort: 0}'), []);
  });

  it('are not told without end', () => {
    const names = Array.from({ length: 8 }, (_, index) => object('ClusterRole', `{name: r${index}}`));
    const all = notes(...names, ...names, ...names, ...names);
    assert.equal(all.length, 6);
    assert.equal(all[0], 'ClusterRole r0 is given 4 times, each is judged: a:1, a:17, a:33, ...');
    assert.equal(all.at(-1), '3 more objects are given more than once, too');
  });
});
