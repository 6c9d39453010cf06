import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  asUser,
  canonicalSubject,
  coversSubject,
  displaySubject,
  type Subject,
  userSubject,
} from '../../src/rbac/subjects.ts';

const SERVICE_ACCOUNT = { kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus' };

test('subjects in canonical form', async (t) => {
  const rows: readonly [string, unknown, string | undefined][] = [
    ['a ServiceAccount', SERVICE_ACCOUNT, 'ServiceAccount monitoring/prometheus'],
    [
      'the User that is a ServiceAccount',
      { kind: 'User', name: 'system:serviceaccount:monitoring:prometheus' },
      'ServiceAccount monitoring/prometheus',
    ],
    ['a User called like one', { kind: 'User', name: 'prometheus' }, 'User prometheus'],
    ['the namespace of a User is nothing', { kind: 'User', name: 'jane', namespace: 'monitoring' }, 'User jane'],
    ['nor is that of a Group', { kind: 'Group', name: 'devs', namespace: 'monitoring' }, 'Group devs'],
    ['nor an apiGroup', { kind: 'Group', name: 'devs', apiGroup: 'example.com' }, 'Group devs'],
    ['a star is a letter', { kind: 'User', name: '*' }, 'User *'],
    [
      'a user name that is almost a ServiceAccount',
      { kind: 'User', name: 'system:serviceaccount:a' },
      'User system:serviceaccount:a',
    ],
    ['without a namespace in it', { kind: 'User', name: 'system:serviceaccount::a' }, 'User system:serviceaccount::a'],
    [
      'with one part too many',
      { kind: 'User', name: 'system:serviceaccount:a:b:c' },
      'User system:serviceaccount:a:b:c',
    ],
    [
      'the same with the colon in a field',
      { ...SERVICE_ACCOUNT, namespace: 'a:b', name: 'c' },
      'User system:serviceaccount:a:b:c',
    ],
    ['a kind in lower case', { kind: 'user', name: 'jane' }, undefined],
    ['no kind', { name: 'jane' }, undefined],
    ['no name', { kind: 'User' }, undefined],
    ['an empty name', { kind: 'Group', name: '' }, undefined],
    ['a name that is a number', { kind: 'Group', name: 7 }, undefined],
    ['a ServiceAccount without a namespace', { kind: 'ServiceAccount', name: 'app' }, undefined],
    ['null', null, undefined],
    ['a string', 'User jane', undefined],
    ['a list', [SERVICE_ACCOUNT], undefined],
    ['names that objects inherit', { kind: 'constructor', name: '__proto__' }, undefined],
  ];
  for (const [title, raw, expected] of rows) {
    await t.test(title, () => {
      const subject = canonicalSubject(raw);
      assert.equal(subject && displaySubject(subject), expected);
    });
  }
});

test('in a RoleBinding a ServiceAccount is in the namespace of the binding unless it says otherwise', () => {
  assert.equal(displayed({ kind: 'ServiceAccount', name: 'app' }, 'team-a'), 'ServiceAccount team-a/app');
  assert.equal(displayed({ kind: 'ServiceAccount', name: 'app', namespace: 'b' }, 'team-a'), 'ServiceAccount b/app');
});

test('the same identity has the same key, however it is spelled', () => {
  const namePart = fc.string({ unit: fc.constantFrom('a', 'b', ':', '-'), minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(namePart, namePart, (namespace, name) => {
      const account = canonicalSubject({ kind: 'ServiceAccount', namespace, name });
      const user = canonicalSubject({ kind: 'User', name: `system:serviceaccount:${namespace}:${name}` });
      assert.deepEqual(account, user);
    }),
  );
});

test('who is meant by another subject as well', async (t) => {
  const account = userSubject('system:serviceaccount:team-a:app');
  const group = (name: string): Subject => ({ kind: 'Group', name, key: `group:${name}` });
  const rows: readonly [Subject, Subject, boolean][] = [
    [account, account, true],
    [group('system:serviceaccounts'), account, true],
    [group('system:serviceaccounts:team-a'), account, true],
    [group('system:serviceaccounts:team-b'), account, false],
    [group('system:authenticated'), account, true],
    [group('system:unauthenticated'), account, false],
    [group('system:authenticated'), userSubject('jane'), true],
    [group('system:authenticated'), userSubject('system:anonymous'), false],
    [group('system:unauthenticated'), userSubject('system:anonymous'), true],
    [group('system:serviceaccounts'), group('system:serviceaccounts:team-a'), true],
    [group('system:authenticated'), group('system:serviceaccounts'), true],
    [group('system:authenticated'), group('system:masters'), true],
    [group('system:authenticated'), group('system:unauthenticated'), false],
    [group('System:Authenticated'), account, false],
    [account, group('system:serviceaccounts:team-a'), false],
  ];
  for (const [wider, narrower, expected] of rows) {
    await t.test(
      `${displaySubject(wider)} ${expected ? 'covers' : 'does not cover'} ${displaySubject(narrower)}`,
      () => {
        assert.equal(coversSubject(wider, narrower), expected);
      },
    );
  }
});

test('a ServiceAccount asks under its user name and with its groups; a Group never asks', () => {
  assert.deepEqual(asUser(userSubject('system:serviceaccount:team-a:app')), {
    name: 'system:serviceaccount:team-a:app',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:team-a', 'system:authenticated'],
  });
  assert.deepEqual(asUser(userSubject('jane')), { name: 'jane', groups: ['system:authenticated'] });
  assert.equal(asUser({ kind: 'Group', name: 'devs', key: 'group:devs' }), undefined);
});

function displayed(raw: unknown, namespace: string): string | undefined {
  const subject = canonicalSubject(raw, namespace);
  return subject && displaySubject(subject);
}
