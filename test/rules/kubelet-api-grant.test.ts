import rule from '../../src/rules/kubelet-api-grant.ts';
import { clusterRole, clusterRoleBinding } from '../rbac/objects.ts';
import { testRule } from '../support/rule-tester.ts';

const bound = clusterRoleBinding('b', 'r', [{ kind: 'User', name: 'jane' }]);
const on = (...resources: string[]) => [clusterRole('r', [{ verbs: ['get', 'create'], apiGroups: [''], resources }])];
const ADDED = ['nodes/metrics', 'nodes/stats', 'nodes/pods', 'nodes/configz', 'nodes/healthz', 'nodes/spec'];

testRule(rule, [
  { name: 'logs', object: bound, clusterObjects: on('nodes/log'), findings: ['granted /subjects/0'] },
  { name: 'checkpoints', object: bound, clusterObjects: on('nodes/checkpoint'), findings: ['granted /subjects/0'] },
  {
    name: 'both',
    object: bound,
    clusterObjects: on('nodes/log', 'nodes/checkpoint'),
    findings: ['granted /subjects/0', 'granted /subjects/0'],
  },
  {
    name: 'every resource',
    object: bound,
    clusterObjects: on('*'),
    findings: ['granted /subjects/0', 'granted /subjects/0'],
  },
  { name: 'nodes/proxy is not our business', object: bound, clusterObjects: on('nodes/proxy'), findings: [] },
  ...ADDED.flatMap((capability) => [
    { name: `${capability} by default`, object: bound, clusterObjects: on(capability), findings: [] },
    {
      name: `${capability} where the policy guards it`,
      object: bound,
      params: { capabilities: [capability] },
      clusterObjects: on(capability),
      findings: ['granted /subjects/0'],
    },
  ]),
  {
    name: 'logs where the policy guards more',
    object: bound,
    params: { capabilities: ADDED },
    clusterObjects: on('nodes/log'),
    findings: ['granted /subjects/0'],
  },
]);
