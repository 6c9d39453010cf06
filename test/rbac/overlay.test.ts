import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterRoleBindingOf } from '../../src/rbac/bindings.ts';
import { clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import { OverlayView } from '../../src/rbac/overlay.ts';
import { clusterRole, clusterRoleBinding, indexOf } from './objects.ts';

const JANE = [{ kind: 'User', name: 'jane' }];
const index = indexOf([clusterRole('r', []), clusterRole('s', []), clusterRoleBinding('b', 'r', JANE)]);
const read = (name: string): ReturnType<typeof clusterRoleOf> =>
  clusterRoleOf(clusterRole(name, [], { labels: { m: '1' } }));

const namesOf = (items: Iterable<{ readonly name: string }>): readonly string[] =>
  Array.from(items, ({ name }) => name);

test('a view that is not current knows its changes and nothing else', () => {
  const stale = new OverlayView(index, {
    clusterRoles: new Map([
      ['r', read('r')],
      ['gone', undefined],
    ]),
    isCurrent: false,
  });
  assert.deepEqual(stale.clusterRole('r'), read('r'));
  assert.equal(stale.clusterRole('gone'), 'not found');
  assert.equal(stale.clusterRole('s'), 'unknown');
  assert.equal(stale.clusterRole('never'), 'unknown');
  const over = new OverlayView(stale, { clusterRoles: new Map([['s', undefined]]) });
  assert.deepEqual([over.isCurrent, over.clusterRole('s'), over.clusterRole('never')], [false, 'not found', 'unknown']);
});

test('a current view over one that is not answers from below', () => {
  const stale = new OverlayView(index, { isCurrent: false });
  const current = new OverlayView(index, { isCurrent: true });
  assert.equal(new OverlayView(stale, { isCurrent: true }).clusterRole('s'), 'unknown');
  assert.equal(current.clusterRole('never'), 'not found');
});

test('a changed binding is found by its new role and subjects only', () => {
  const moved = clusterRoleBindingOf(clusterRoleBinding('b', 's', [{ kind: 'Group', name: 'devs' }]));
  const view = new OverlayView(index, { clusterRoleBindings: new Map([['b', moved]]) });
  assert.deepEqual([namesOf(view.clusterRoleBindingsTo('r')), namesOf(view.clusterRoleBindingsTo('s'))], [[], ['b']]);
  assert.deepEqual(namesOf(view.clusterRoleBindingsFor({ name: 'jane', groups: [] })), []);
  assert.deepEqual(namesOf(view.clusterRoleBindingsFor({ name: 'x', groups: ['devs'] })), ['b']);
});

test('a binding to a Role is none to the ClusterRole of the same name', () => {
  const toRole = clusterRoleBindingOf({ ...clusterRoleBinding('b', 'r', JANE), roleRef: { kind: 'Role', name: 'r' } });
  const view = new OverlayView(index, { clusterRoleBindings: new Map([['b', toRole]]) });
  assert.deepEqual(namesOf(view.clusterRoleBindingsTo('r')), []);
  assert.deepEqual(namesOf(view.clusterRoleBindings()), ['b']);
});

test('without changes a view gives what is below', () => {
  const view = new OverlayView(index, {});
  assert.deepEqual(namesOf(view.clusterRoles()), ['r', 's']);
  assert.deepEqual([view.isCurrent, namesOf(view.clusterRoleBindingsTo('r'))], [true, ['b']]);
});
