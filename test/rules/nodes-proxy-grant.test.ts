import type { JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/nodes-proxy-grant.ts';
import { clusterRole, clusterRoleBinding } from '../rbac/objects.ts';
import { testRule } from '../support/rule-tester.ts';

const ACCOUNT = { kind: 'ServiceAccount', namespace: 'team-a', name: 'app' };
const on = (resources: string[], verbs = ['get'], fields: JsonObject = {}): JsonObject =>
  clusterRole('r', [{ verbs, apiGroups: [''], resources, ...fields }]);
const bound = clusterRoleBinding('b', 'r', [ACCOUNT]);
const PUBLISHED = on(['nodes/stats', 'nodes/metrics', 'nodes/log', 'nodes/spec', 'nodes/proxy'], ['get', 'list']);

testRule(rule, [
  {
    name: 'an account, a user and the group of nodes',
    object: clusterRoleBinding('kubelet-api', 'r', [
      { kind: 'ServiceAccount', namespace: 'default', name: 'nginx' },
      { kind: 'User', name: 'kubelet' },
      { kind: 'Group', name: 'system:nodes' },
    ]),
    clusterObjects: [PUBLISHED],
    findings: ['granted /subjects/0', 'granted /subjects/1', 'granted /subjects/2'],
  },
  {
    name: 'the same through a binding to a role of another name, which is not there',
    object: clusterRoleBinding('kubelet-api', 'test-kubelet-api', [ACCOUNT]),
    clusterObjects: [PUBLISHED],
    findings: [],
  },
  ...['get', 'create', 'update', 'patch', 'delete', '*'].map((verb) => ({
    name: `the verb ${verb}`,
    object: bound,
    clusterObjects: [on(['nodes/proxy'], [verb])],
    findings: ['granted /subjects/0'],
  })),
  { name: 'list and watch', object: bound, clusterObjects: [on(['nodes/proxy'], ['list', 'watch'])], findings: [] },
  { name: 'any parent', object: bound, clusterObjects: [on(['*/proxy'])], findings: ['granted /subjects/0'] },
  {
    name: 'any parent is no wildcard',
    object: bound,
    params: { wildcards: 'advice' },
    clusterObjects: [on(['*/proxy'])],
    findings: ['granted /subjects/0'],
  },
  { name: 'every resource', object: bound, clusterObjects: [on(['*'])], findings: ['wildcard /subjects/0'] },
  {
    name: 'every resource where that is advice',
    object: bound,
    params: { wildcards: 'advice' },
    clusterObjects: [on(['*'])],
    findings: ['wildcardAdvice /subjects/0'],
  },
  {
    name: 'every resource, and by its name, where the wildcard is advice',
    object: bound,
    params: { wildcards: 'advice' },
    clusterObjects: [on(['*', 'nodes/proxy'])],
    findings: ['granted /subjects/0'],
  },
  {
    name: 'one node',
    object: bound,
    clusterObjects: [on(['nodes/proxy'], ['get'], { resourceNames: ['node-1'] })],
    findings: ['granted /subjects/0'],
  },
  { name: 'what a scraper needs', object: bound, clusterObjects: [on(['nodes/metrics', 'nodes/stats'])], findings: [] },
  {
    name: 'a binding to a Role',
    object: { ...bound, roleRef: { kind: 'Role', name: 'r' } },
    clusterObjects: [on(['nodes/proxy'])],
    findings: [],
  },
  {
    name: 'an update that adds a name',
    object: on(['nodes/proxy'], ['get'], { resourceNames: ['node-1', 'node-2'] }),
    operation: 'UPDATE',
    oldObject: on(['nodes/proxy'], ['get'], { resourceNames: ['node-1'] }),
    clusterObjects: [bound],
    findings: ['granted /rules/0'],
  },
  {
    name: 'an update that takes one away',
    object: on(['nodes/proxy'], ['get'], { resourceNames: ['node-1'] }),
    operation: 'UPDATE',
    oldObject: on(['nodes/proxy']),
    clusterObjects: [bound],
    findings: [],
  },
]);
