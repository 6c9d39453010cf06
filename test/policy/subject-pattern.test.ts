import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { SubjectPattern } from '../../src/policy/document.ts';
import { matchesWriter } from '../../src/policy/subject-pattern.ts';

const account = (namespace: string, name: string): SubjectPattern => ({ kind: 'ServiceAccount', namespace, name });

interface Row {
  readonly pattern: SubjectPattern;
  readonly username: string;
  readonly groups?: readonly string[];
  readonly matches: boolean;
}

const ROWS: readonly Row[] = [
  { pattern: { kind: 'User', name: 'jane' }, username: 'jane', matches: true },
  { pattern: { kind: 'User', name: 'jane' }, username: 'janet', matches: false },
  { pattern: { kind: 'User', name: 'jane@*' }, username: 'jane@example.com', matches: true },
  { pattern: { kind: 'User', name: 'jane' }, username: 'sam', groups: ['jane'], matches: false },
  { pattern: { kind: 'Group', name: 'on-call' }, username: 'sam', groups: ['dev', 'on-call'], matches: true },
  { pattern: { kind: 'Group', name: 'on-call' }, username: 'on-call', matches: false },
  { pattern: { kind: 'Group', name: 'on-*' }, username: 'sam', groups: ['on-call'], matches: true },
  { pattern: account('ci', 'deployer'), username: 'system:serviceaccount:ci:deployer', matches: true },
  { pattern: account('ci', 'deployer'), username: 'system:serviceaccount:other:deployer', matches: false },
  { pattern: account('ci', 'deployer'), username: 'ci:deployer', matches: false },
  { pattern: account('ci', 'deploy*'), username: 'system:serviceaccount:ci:deployer', matches: true },
  { pattern: account('*', 'deployer'), username: 'system:serviceaccount:any:deployer', matches: true },
  // A user name that only looks like an account's.
  { pattern: account('ci', 'deployer'), username: 'system:serviceaccount:ci:deployer:x', matches: false },
  { pattern: account('ci', '*'), username: 'system:serviceaccount:ci', matches: false },
  // Without a namespace it would be an account of every namespace; a policy that says so is refused.
  {
    pattern: { kind: 'ServiceAccount', name: 'deployer' },
    username: 'system:serviceaccount:any:deployer',
    matches: false,
  },
];

describe('a subject of the policy', () => {
  for (const { pattern, username, groups = [], matches } of ROWS) {
    const subject = `${pattern.kind} ${pattern.namespace === undefined ? '' : `${pattern.namespace}/`}${pattern.name}`;
    const writer = [username, ...groups].join(', ');
    it(`${subject} ${matches ? 'is' : 'is not'} ${writer}`, () => {
      assert.equal(matchesWriter([pattern], { username, groups }), matches);
    });
  }

  it('is one of several', () => {
    const patterns = [account('a', 'b'), { kind: 'User', name: 'jane' } as const];
    assert.equal(matchesWriter(patterns, { username: 'jane', groups: [] }), true);
    assert.equal(matchesWriter([], { username: 'jane', groups: [] }), false);
  });
});
