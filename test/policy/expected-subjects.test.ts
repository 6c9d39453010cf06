import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { expectedSubjectsOf } from '../../src/policy/expected-subjects.ts';
import { type Capability, capabilitiesIn, setOf } from '../../src/rbac/capabilities.ts';
import { DEFAULT_SUBJECTS } from '../../src/rbac/default-subjects.ts';
import { canonicalSubject, type Subject } from '../../src/rbac/subjects.ts';
import { subject as anySubject } from '../rbac/authorization-cases.ts';
import { RULES } from '../../src/rules/index.ts';
import { policyOf } from '../support/validate-review.ts';

/** `ServiceAccount ns/name`, `User name`, `Group name`, each part possibly a pattern. */
function fieldsOf(written: string): { readonly kind: string; readonly name: string; readonly namespace?: string } {
  const [kind = '', ...rest] = written.split(' ');
  const name = rest.join(' ');
  if (kind !== 'ServiceAccount') return { kind, name };
  const slash = name.indexOf('/');
  return { kind, namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}

function subjectOf(written: string): Subject {
  const subject = canonicalSubject(fieldsOf(written));
  assert.ok(subject !== undefined);
  return subject;
}

function expecting(...patterns: string[]) {
  const subjects = patterns.map(fieldsOf);
  return expectedSubjectsOf(
    policyOf(RULES, { expectedSubjects: [{ capabilities: ['metrics'], subjects, reason: 'a test' }] }),
  );
}

const METRICS = setOf('metrics');

/** Whom a pattern expects, and whom it does not although they look like it. */
const ROWS: readonly [pattern: string, expected: readonly string[], unexpected: readonly string[]][] = [
  [
    'ServiceAccount monitoring/prometheus',
    ['ServiceAccount monitoring/prometheus', 'User system:serviceaccount:monitoring:prometheus'],
    [
      'ServiceAccount monitoring/prometheus-k8s',
      'ServiceAccount Monitoring/prometheus',
      'ServiceAccount monitoring2/prometheus',
      'User prometheus',
      'User monitoring/prometheus',
      'User system:serviceaccount:monitoring:prometheus:',
      'User system:serviceaccount:monitoring:prometheus ',
      'User system:ServiceAccount:monitoring:prometheus',
      'Group prometheus',
      'Group system:serviceaccount:monitoring:prometheus',
      'Group system:serviceaccounts:monitoring',
      'Group system:serviceaccounts',
      'Group system:authenticated',
    ],
  ],
  [
    'ServiceAccount monitoring/prometheus-*',
    [
      'ServiceAccount monitoring/prometheus-k8s',
      'ServiceAccount monitoring/prometheus-',
      'User system:serviceaccount:monitoring:prometheus-a',
    ],
    [
      'ServiceAccount monitoring/prometheus',
      'ServiceAccount other/prometheus-k8s',
      'ServiceAccount x-monitoring/prometheus-k8s',
      'User prometheus-k8s',
      'User system:serviceaccount:monitoring:prometheus-a:b',
      'User system:serviceaccount:other:monitoring:prometheus-a',
      'Group prometheus-k8s',
      'Group monitoring/prometheus-k8s',
      'Group system:serviceaccounts:monitoring',
    ],
  ],
  [
    'ServiceAccount */prometheus',
    ['ServiceAccount a/prometheus'],
    ['ServiceAccount a/b', 'User a/prometheus', 'User system:serviceaccount:a:b:prometheus'],
  ],
  [
    'ServiceAccount */*',
    ['ServiceAccount a/b'],
    ['User a', 'Group a', 'User system:serviceaccount:a', 'Group system:serviceaccounts', 'User system:anonymous'],
  ],
  [
    'User system:serviceaccount:monitoring:prometheus',
    ['ServiceAccount monitoring/prometheus', 'User system:serviceaccount:monitoring:prometheus'],
    ['ServiceAccount monitoring/other', 'Group system:serviceaccount:monitoring:prometheus'],
  ],
  [
    'User system:serviceaccount:monitoring:prom*',
    ['ServiceAccount monitoring/prometheus', 'ServiceAccount monitoring/prom'],
    ['ServiceAccount monitoring2/prometheus', 'User system:serviceaccount:monitoring:prom:x', 'User prom'],
  ],
  [
    'User system:serviceaccount:mon*:prometheus',
    ['ServiceAccount monitoring/prometheus'],
    ['ServiceAccount monitoring/x', 'User system:serviceaccount:mon:x:prometheus'],
  ],
  [
    'User *',
    ['User jane', 'User *', 'User system:kube-proxy'],
    [
      'ServiceAccount a/b',
      'User system:serviceaccount:a:b',
      'User system:serviceaccount:a:b:c',
      'User system:anonymous',
      'Group jane',
    ],
  ],
  ['User system:*', ['User system:kube-proxy'], ['ServiceAccount a/b', 'User system:anonymous', 'Group system:nodes']],
  ['User system:anonymous', ['User system:anonymous'], ['Group system:unauthenticated', 'User jane']],
  [
    'Group *',
    ['Group dev', 'Group system:nodes'],
    [
      'Group system:authenticated',
      'Group system:unauthenticated',
      'Group system:serviceaccounts',
      'Group system:serviceaccounts:monitoring',
      'User dev',
      'ServiceAccount monitoring/prometheus',
    ],
  ],
  [
    'Group system:*',
    ['Group system:nodes'],
    ['Group system:authenticated', 'Group system:unauthenticated', 'Group system:serviceaccounts:monitoring'],
  ],
  [
    'Group system:serviceaccounts*',
    ['Group system:serviceaccountsx'],
    ['Group system:serviceaccounts', 'Group system:serviceaccounts:monitoring'],
  ],
  [
    'Group system:serviceaccounts:team-*',
    ['Group system:serviceaccounts:team-a', 'ServiceAccount team-a/app'],
    ['Group system:serviceaccounts', 'Group system:serviceaccounts:other', 'ServiceAccount other/app'],
  ],
  [
    'Group system:serviceaccounts:monitoring',
    ['Group system:serviceaccounts:monitoring', 'ServiceAccount monitoring/prometheus'],
    ['Group system:serviceaccounts', 'ServiceAccount other/prometheus', 'User monitoring'],
  ],
  [
    'Group system:authenticated',
    ['Group system:authenticated', 'Group system:serviceaccounts', 'Group dev', 'User jane', 'ServiceAccount a/b'],
    ['Group system:unauthenticated', 'User system:anonymous'],
  ],
  ['Group dev', ['Group dev'], ['User dev', 'Group Dev', 'Group dev ', 'ServiceAccount dev/dev']],
];

describe('an expected subject', () => {
  for (const [pattern, expected, unexpected] of ROWS) {
    const { capabilitiesOf } = expecting(pattern);
    it(`${pattern} is ${expected.join(', ')}`, () => {
      assert.deepEqual(
        expected.filter((written) => capabilitiesOf(subjectOf(written)) !== METRICS),
        [],
      );
    });
    it(`${pattern} is none of its ${unexpected.length} likenesses`, () => {
      assert.deepEqual(
        unexpected.filter((written) => capabilitiesOf(subjectOf(written)) !== 0),
        [],
      );
    });
  }

  it('has the capabilities of every entry that matches', () => {
    const entry = (capability: Capability, written: string): object => {
      return { capabilities: [capability], subjects: [fieldsOf(written)], reason: 'a test' };
    };
    const expectedSubjects = [
      entry('metrics', 'ServiceAccount a/*'),
      entry('nodes/metrics', 'ServiceAccount a/b'),
      entry('nodes/stats', 'User system:serviceaccount:a:b'),
      entry('nodes/proxy', 'ServiceAccount a/c'),
    ];
    const { capabilitiesOf } = expectedSubjectsOf(policyOf(RULES, { expectedSubjects }));
    assert.deepEqual(capabilitiesIn(capabilitiesOf(subjectOf('ServiceAccount a/b'))), [
      'metrics',
      'nodes/metrics',
      'nodes/stats',
    ]);
  });

  it("is one of Kubernetes' own whatever the policy says, by its exact name", () => {
    for (const policy of [expecting('User jane'), expecting('Group *'), expectedSubjectsOf({ expectedSubjects: [] })]) {
      for (const { subject, capabilities } of DEFAULT_SUBJECTS) {
        const missing = capabilities.filter((each) => (policy.capabilitiesOf(subject) & setOf(each)) === 0);
        assert.deepEqual(missing, [], subject.key);
      }
    }
    const { capabilitiesOf } = expectedSubjectsOf({ expectedSubjects: [] });
    assert.equal(capabilitiesOf(subjectOf('User system:masters')), 0);
    assert.equal(capabilitiesOf(subjectOf('ServiceAccount default/generic-garbage-collector')), 0);
  });

  it('is a matter of identity: nobody is expected under one spelling and not under another', () => {
    fc.assert(
      fc.property(anySubject, fc.constantFrom(...ROWS), (raw, [pattern]) => {
        const subject = canonicalSubject(raw);
        if (subject?.kind !== 'ServiceAccount') return;
        const { namespace, name } = subject;
        const again = canonicalSubject({ kind: 'User', name: `system:serviceaccount:${namespace}:${name}` });
        assert.ok(again !== undefined);
        const { capabilitiesOf } = expecting(pattern);
        assert.equal(capabilitiesOf(again), capabilitiesOf(subject));
      }),
    );
  });
});
