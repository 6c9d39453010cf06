import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/metrics-grant.ts';
import { clusterRole, clusterRoleBinding } from '../rbac/objects.ts';
import { testRule } from '../support/rule-tester.ts';
import { validateWrite } from '../support/validate-review.ts';

const ACCOUNT = { kind: 'ServiceAccount', namespace: 'team-a', name: 'app' };
const url = (...nonResourceURLs: string[]): JsonObject => clusterRole('r', [{ verbs: ['get'], nonResourceURLs }]);
const bound = (...subjects: unknown[]): JsonObject => clusterRoleBinding('b', 'r', subjects);
const group = (name: string): JsonObject => ({ kind: 'Group', name });
const DISCOVERY = clusterRole('system:discovery', [{ verbs: ['get'], nonResourceURLs: ['/version', '/metrics*'] }]);

testRule(rule, [
  { name: 'a subject', object: bound(ACCOUNT), clusterObjects: [url('/metrics')], findings: ['granted /subjects/0'] },
  {
    name: 'each subject once, where it stands first',
    object: bound(
      group('system:monitoring'),
      ACCOUNT,
      { kind: 'User', name: 'system:serviceaccount:team-a:app', namespace: 'monitoring' },
      group('dev'),
    ),
    clusterObjects: [url('/metrics')],
    findings: ['granted /subjects/1', 'granted /subjects/3'],
  },
  {
    name: 'a part of the metrics',
    object: bound(ACCOUNT),
    clusterObjects: [url('/metrics/cadvisor')],
    findings: ['granted /subjects/0'],
  },
  { name: 'a wildcard', object: bound(ACCOUNT), clusterObjects: [url('*')], findings: ['wildcard /subjects/0'] },
  {
    name: 'a wildcard where that is advice',
    object: bound(ACCOUNT),
    params: { wildcards: 'advice' },
    clusterObjects: [url('/*')],
    findings: ['wildcardAdvice /subjects/0'],
  },
  {
    name: 'a prefix is no wildcard',
    object: bound(ACCOUNT),
    params: { wildcards: 'advice' },
    clusterObjects: [url('/m*')],
    findings: ['granted /subjects/0'],
  },
  { name: 'another URL', object: bound(ACCOUNT), clusterObjects: [url('/healthz')], findings: [] },
  {
    name: 'nodes/proxy is not our business',
    object: clusterRoleBinding('b', 'system:kubelet-api-admin', [ACCOUNT]),
    findings: [],
  },
  {
    name: 'without a request a role is silent: its binding is told',
    object: url('/metrics'),
    clusterObjects: [url('/metrics'), bound(ACCOUNT)],
    findings: [],
  },
  {
    name: 'except where the API server itself makes the binding',
    object: DISCOVERY,
    clusterObjects: [DISCOVERY],
    findings: ['granted /rules/0'],
  },
  {
    name: 'which is silent in turn',
    object: clusterRoleBinding('system:discovery', 'system:discovery', [group('system:authenticated')]),
    clusterObjects: [DISCOVERY],
    findings: [],
  },
  {
    name: 'but tells whom the API server did not put there',
    object: clusterRoleBinding('system:discovery', 'system:discovery', [group('system:authenticated'), group('dev')]),
    clusterObjects: [DISCOVERY],
    findings: ['granted /subjects/1'],
  },
  {
    name: 'or to which role it did not bind them',
    object: clusterRoleBinding('system:discovery', 'r', [group('system:authenticated')]),
    clusterObjects: [url('/metrics')],
    findings: ['granted /subjects/0'],
  },
  {
    name: 'CREATE of a role',
    object: url('/metrics'),
    operation: 'CREATE',
    clusterObjects: [bound(ACCOUNT, group('dev'))],
    findings: ['granted /rules/0', 'granted /rules/0'],
  },
  {
    name: 'a RoleBinding',
    object: { ...bound(ACCOUNT), kind: 'RoleBinding' },
    clusterObjects: [url('/metrics')],
    findings: [],
  },
]);

describe('metrics-grant in a policy that expects the account', () => {
  const ROLE = clusterRole('secure-metrics-scrape', [
    { verbs: ['get'], apiGroups: [''], resources: ['nodes/metrics'] },
    { verbs: ['get'], nonResourceURLs: ['/metrics'] },
  ]);
  const BINDING = clusterRoleBinding('metrics-endpoint', 'secure-metrics-scrape', [
    { kind: 'ServiceAccount', namespace: 'default', name: 'default' },
  ]);
  const answer = async (capabilities: readonly string[], name: string): Promise<string> => {
    const subjects = [{ kind: 'ServiceAccount', namespace: 'default', name }];
    const spec = { expectedSubjects: [{ capabilities, subjects, reason: 'the scraper' }] };
    const { response } = await validateWrite({ object: BINDING }, { clusterObjects: [ROLE], spec });
    return response.allowed ? `allowed, ${response.warnings?.length ?? 0} warnings` : 'denied';
  };

  it('allows it', async () => assert.equal(await answer(['metrics'], 'default'), 'allowed, 0 warnings'));
  it('expects it for another capability', async () =>
    assert.equal(await answer(['nodes/metrics'], 'default'), 'denied'));
  it('expects another account', async () => assert.equal(await answer(['metrics'], 'default-*'), 'denied'));
});
