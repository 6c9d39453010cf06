import type { JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/indirect-grant.ts';
import { clusterRole, clusterRoleBinding } from '../rbac/objects.ts';
import { testRule } from '../support/rule-tester.ts';

const bound = clusterRoleBinding('b', 'r', [{ kind: 'User', name: 'jane' }]);
const FOUND = ['granted /subjects/0'];
const RBAC = 'rbac.authorization.k8s.io';

const on = (verb: string, resource: string, apiGroup = '', fields: JsonObject = {}): readonly JsonObject[] => [
  clusterRole('r', [{ verbs: [verb], apiGroups: [apiGroup], resources: [resource], ...fields }]),
];

testRule(rule, [
  { name: 'pods/proxy', object: bound, clusterObjects: on('get', 'pods/proxy'), findings: FOUND },
  { name: 'services/proxy', object: bound, clusterObjects: on('create', 'services/proxy'), findings: FOUND },
  { name: 'escalate', object: bound, clusterObjects: on('escalate', 'clusterroles', RBAC), findings: FOUND },
  { name: 'bind', object: bound, clusterObjects: on('bind', 'clusterroles', RBAC), findings: FOUND },
  {
    name: 'bind of one role',
    object: bound,
    clusterObjects: on('bind', 'clusterroles', RBAC, { resourceNames: ['view'] }),
    findings: FOUND,
  },
  {
    name: 'every verb on roles',
    object: bound,
    clusterObjects: on('*', 'clusterroles', RBAC),
    findings: [...FOUND, ...FOUND],
  },
  { name: 'impersonate', object: bound, clusterObjects: on('impersonate', 'groups'), findings: FOUND },
  {
    name: 'constrained impersonation',
    object: bound,
    clusterObjects: on('impersonate:serviceaccount', 'serviceaccounts', 'authentication.k8s.io'),
    findings: FOUND,
  },
  {
    name: 'edit in the whole cluster',
    object: clusterRoleBinding('b', 'edit', [{ kind: 'User', name: 'jane' }]),
    findings: [...FOUND, ...FOUND, ...FOUND],
  },
  {
    name: 'view in the whole cluster',
    object: clusterRoleBinding('b', 'view', [{ kind: 'User', name: 'jane' }]),
    findings: [],
  },
  { name: 'pods', object: bound, clusterObjects: on('get', 'pods'), findings: [] },
  { name: 'nodes/proxy is not our business', object: bound, clusterObjects: on('get', 'nodes/proxy'), findings: [] },
]);
