import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { accountOf, missingTokenReviews, tokenReviewsOf } from '../../src/admission/token-reviews.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { grantsOfObjects } from '../../src/rbac/grants-of-objects.ts';
import { OverlayView } from '../../src/rbac/overlay.ts';
import { clusterRole, clusterRoleBinding, roleBinding } from '../rbac/objects.ts';

const FRONT = { namespace: 'shop', name: 'front' };
const ACCOUNT = { kind: 'ServiceAccount', ...FRONT };

function reviews(apiGroup: string, resource: string, more: JsonObject = {}): JsonObject {
  return { apiGroups: [apiGroup], resources: [resource], verbs: ['create'], ...more };
}

const TOKENS = reviews('authentication.k8s.io', 'tokenreviews');
const ACCESS = reviews('authorization.k8s.io', 'subjectaccessreviews');
const bound = (roleName: string, subject: JsonObject): JsonObject => clusterRoleBinding('b', roleName, [subject]);

interface Row {
  readonly name: string;
  readonly objects: readonly JsonObject[];
  readonly answer: 'granted' | 'missing';
}

const ROWS: readonly Row[] = [
  { name: 'an account that nobody bound', objects: [], answer: 'missing' },
  { name: 'a binding to system:auth-delegator', objects: [bound('system:auth-delegator', ACCOUNT)], answer: 'granted' },
  {
    name: 'a binding of the user that the account is',
    objects: [bound('system:auth-delegator', { kind: 'User', name: 'system:serviceaccount:shop:front' })],
    answer: 'granted',
  },
  {
    name: 'a binding of all accounts of the namespace',
    objects: [bound('system:auth-delegator', { kind: 'Group', name: 'system:serviceaccounts:shop' })],
    answer: 'granted',
  },
  {
    name: 'a binding of all accounts',
    objects: [bound('system:auth-delegator', { kind: 'Group', name: 'system:serviceaccounts' })],
    answer: 'granted',
  },
  { name: 'cluster-admin', objects: [bound('cluster-admin', ACCOUNT)], answer: 'granted' },
  {
    name: 'a binding of another account',
    objects: [bound('system:auth-delegator', { ...ACCOUNT, name: 'back' })],
    answer: 'missing',
  },
  {
    name: 'a binding of the same name elsewhere',
    objects: [bound('system:auth-delegator', { ...ACCOUNT, namespace: 'bank' })],
    answer: 'missing',
  },
  {
    name: 'a RoleBinding, which gives nothing outside its namespace',
    objects: [roleBinding('shop', 'b', 'system:auth-delegator', [ACCOUNT])],
    answer: 'missing',
  },
  {
    name: 'one question of the two',
    objects: [clusterRole('half', [TOKENS]), bound('half', ACCOUNT)],
    answer: 'missing',
  },
  {
    name: 'the questions in two roles',
    objects: [
      clusterRole('tokens', [TOKENS]),
      clusterRole('access', [ACCESS]),
      clusterRoleBinding('b1', 'tokens', [ACCOUNT]),
      clusterRoleBinding('b2', 'access', [ACCOUNT]),
    ],
    answer: 'granted',
  },
  {
    name: 'the resources of another group',
    objects: [clusterRole('r', [reviews('example.com', 'tokenreviews'), ACCESS]), bound('r', ACCOUNT)],
    answer: 'missing',
  },
  {
    name: 'another verb',
    objects: [clusterRole('r', [{ ...TOKENS, verbs: ['get'] }, ACCESS]), bound('r', ACCOUNT)],
    answer: 'missing',
  },
  { name: 'a role that does not exist', objects: [bound('nobody-made-it', ACCOUNT)], answer: 'missing' },
];

describe('whether an account may create tokenreviews and subjectaccessreviews', () => {
  for (const { name, objects, answer } of ROWS) {
    it(`${name}: ${answer}`, () => assert.equal(tokenReviewsOf(FRONT, grantsOfObjects(objects)), answer));
  }

  it('is unknown where the view is out of date, whatever it showed before', () => {
    const stale = (objects: readonly JsonObject[]): OverlayView =>
      new OverlayView(grantsOfObjects(objects), { isCurrent: false });
    assert.equal(tokenReviewsOf(FRONT, stale([])), 'unknown');
    assert.equal(tokenReviewsOf(FRONT, stale([bound('system:auth-delegator', ACCOUNT)])), 'unknown');
  });
});

describe('the account of a pod', () => {
  const rows: readonly (readonly [JsonObject, string])[] = [
    [{ spec: { serviceAccountName: 'front' } }, 'front'],
    [{ spec: {} }, 'default'],
    [{}, 'default'],
    [{ spec: { serviceAccountName: '' } }, 'default'],
    [{ spec: { serviceAccount: 'older' } }, 'older'],
    [{ spec: { serviceAccountName: 'front', serviceAccount: 'older' } }, 'front'],
    [{ spec: { serviceAccountName: 7 } }, 'default'],
  ];
  for (const [pod, name] of rows) {
    it(`of ${JSON.stringify(pod)} is ${name}`, () => {
      assert.deepEqual(accountOf(pod, 'shop'), { namespace: 'shop', name });
    });
  }
});

describe('what is said of an account without the permission', () => {
  it('names it and gives the command', () => {
    assert.deepEqual(missingTokenReviews({ namespace: 'a', name: 'b' }), [
      'ServiceAccount a/b may not create tokenreviews, so scrapes get 401; run:',
      'kubectl create clusterrolebinding a-b --clusterrole=system:auth-delegator --serviceaccount=a:b',
    ]);
  });

  it('gives a command that is longer than a warning on two lines', () => {
    assert.deepEqual(missingTokenReviews({ namespace: 'monitoring', name: 'kube-state-metrics' }).slice(1), [
      'kubectl create clusterrolebinding monitoring-kube-state-metrics --clusterrole=system:auth-delegator \\',
      '--serviceaccount=monitoring:kube-state-metrics',
    ]);
  });

  it('gives a command for the whole namespace where the name alone is as long as a warning', () => {
    const [, command, subject] = missingTokenReviews({ namespace: 'shop', name: 'x'.repeat(200) });
    assert.match(command ?? '', /^kubectl create clusterrolebinding shop-x+ --clusterrole=system:auth-delegator \\$/);
    assert.equal(subject, '--group=system:serviceaccounts:shop');
  });

  it('is never longer than a warning', () => {
    for (let length = 1; length <= 253; length += 1) {
      for (const namespace of ['n', 'n'.repeat(63)]) {
        for (const line of missingTokenReviews({ namespace, name: 'x'.repeat(length) })) {
          assert.ok(line.length <= 120, line);
        }
      }
    }
  });

  it('is nothing for what is no name, which the API server refuses', () => {
    for (const name of ['a b', 'a;b', '$(x)', 'a\nb', '-a', 'A']) {
      assert.deepEqual(missingTokenReviews({ namespace: 'shop', name }), []);
    }
  });
});
