import { Type } from 'typebox';

import { GRANT_TEXT, UNKNOWN_GRANTS } from '../policy/grant-wording.ts';
import { defineRule } from '../policy/rule.ts';
import { unexpectedGrants } from '../policy/unexpected-grants.ts';
import { unionOf } from '../rbac/capabilities.ts';

const GUARDED = unionOf(['pods/proxy', 'services/proxy', 'escalate', 'bind', 'impersonate']);

export default defineRule({
  meta: {
    id: 'indirect-grant',
    title: 'Only expected subjects may reach metrics in a roundabout way',
    severity: 'high',
    profile: 'strict',
    targets: ['clusterroles', 'clusterrolebindings'],
    judges: 'object',
    comparesItself: true,
    judgesGrants: true,
    reads: ['clusterrole', 'rbac-index', 'version'],
    rationale:
      'Through pods/proxy and services/proxy of the whole cluster the API server fetches metrics from any port that asks nobody who they are. Whoever may escalate, bind or impersonate gives himself what he has not, or acts as somebody who has it.',
    remediation:
      'Bind the role in the namespaces where it is needed by a RoleBinding, or leave these rules out of it. Who is meant to have them in the whole cluster is named under expectedSubjects in the policy.',
    references: [
      'https://kubernetes.io/docs/concepts/security/rbac-good-practices/',
      'https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping',
    ],
    controls: ['CIS 5.1.8'],
    messages: {
      granted: {
        level: 'violation',
        text: GRANT_TEXT,
        remediation:
          'Use a RoleBinding where it is needed, or leave {{capability}} out of the role. If the subject is meant to have it in the whole cluster, the policy says so: {{policyLine}}.',
      },
      unknown: UNKNOWN_GRANTS,
    },
  },
  params: Type.Object({}),
  *check(object, context) {
    for (const { how, path, data } of unexpectedGrants(object, context, GUARDED)) {
      yield { messageId: how === 'unknown' ? 'unknown' : 'granted', path, data };
    }
  },
});
