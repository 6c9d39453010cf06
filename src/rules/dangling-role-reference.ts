import { Type } from 'typebox';

import { nearestObjectName } from '../policy/nearest.ts';
import { defineRule } from '../policy/rule.ts';
import { clusterRoleBindingOf } from '../rbac/bindings.ts';

export default defineRule({
  meta: {
    id: 'dangling-role-reference',
    title: 'A ClusterRoleBinding refers to a ClusterRole that exists',
    severity: 'low',
    profile: 'strict',
    targets: ['clusterrolebindings'],
    judges: 'object',
    reads: ['clusterrole', 'rbac-index'],
    rationale:
      'A binding to a role that does not exist gives nothing, until somebody creates a role of this name: then its subjects have whatever is in it, although nobody looked at the two together. Often the name is only misspelled, and the subjects wait for what they were promised.',
    remediation:
      'Correct roleRef.name, for which the binding has to be deleted and created anew; or create the ClusterRole first.',
    references: ['https://kubernetes.io/docs/reference/access-authn-authz/rbac/#clusterrolebinding-example'],
    controls: [],
    messages: {
      missing: { level: 'advice', text: 'the ClusterRole "{{role}}" does not exist, so the binding gives nothing yet' },
      misspelled: {
        level: 'advice',
        text: 'the ClusterRole "{{role}}" does not exist, so the binding gives nothing yet; did you mean {{nearest}}?',
      },
    },
  },
  params: Type.Object({}),
  *check(object, { view: { grants } }) {
    const { roleKind, roleName: role } = clusterRoleBindingOf(object);
    if (roleKind !== 'ClusterRole' || grants.clusterRole(role) !== 'not found') return;
    const names = Iterator.from(grants.clusterRoles()).map(({ name }) => name);
    const nearest = nearestObjectName(role, names);
    const path = '/roleRef/name';
    if (nearest === undefined) yield { messageId: 'missing', path, data: { role } };
    else yield { messageId: 'misspelled', path, data: { role, nearest } };
  },
});
