import { Type } from 'typebox';

import { GRANT_TEXT, UNKNOWN_GRANTS } from '../policy/grant-wording.ts';
import { defineRule } from '../policy/rule.ts';
import { unexpectedGrants } from '../policy/unexpected-grants.ts';
import { setOf } from '../rbac/capabilities.ts';

export default defineRule({
  meta: {
    id: 'metrics-grant',
    title: 'Only expected subjects may read /metrics',
    severity: 'high',
    profile: 'baseline',
    targets: ['clusterroles', 'clusterrolebindings'],
    judges: 'object',
    comparesItself: true,
    judgesGrants: true,
    reads: ['clusterrole', 'rbac-index', 'version'],
    rationale:
      'One grant of the URL /metrics opens it everywhere at once: on the API server, the controller manager, the scheduler and behind every kube-rbac-proxy. The verb does not matter much, and DELETE even resets the metrics of the API server.',
    remediation:
      'Bind the role to the ServiceAccount of the scraper alone, and name that account under expectedSubjects in the policy. A scraper that reads nothing but kubelets needs nodes/metrics and no URL.',
    references: [
      'https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources',
      'https://kubernetes.io/docs/concepts/security/rbac-good-practices/',
    ],
    controls: ['CIS 5.1.3'],
    messages: {
      granted: {
        level: 'violation',
        text: GRANT_TEXT,
        remediation:
          'To scrape kubelets, nodes/metrics is enough and no URL is needed. If the subject is meant to read /metrics, the policy says so: {{policyLine}}.',
      },
      wildcard: {
        level: 'violation',
        text: GRANT_TEXT,
        remediation:
          'Bind a ClusterRole that names the URLs that are needed. If the subject is meant to read /metrics, the policy says so: {{policyLine}}.',
      },
      wildcardAdvice: {
        level: 'advice',
        text: GRANT_TEXT,
        remediation: 'Bind a ClusterRole that names the URLs that are needed.',
      },
      unknown: UNKNOWN_GRANTS,
    },
  },
  params: Type.Object({
    wildcards: Type.Enum(['violation', 'advice'], {
      default: 'violation',
      description: 'Whether a grant by the URLs * and /* is refused or only warned about.',
    }),
  }),
  *check(object, context) {
    const ids = {
      explicit: 'granted',
      wildcard: context.params.wildcards === 'advice' ? 'wildcardAdvice' : 'wildcard',
      unknown: 'unknown',
    } as const;
    for (const { how, path, data } of unexpectedGrants(object, context, setOf('metrics'))) {
      yield { messageId: ids[how], path, data };
    }
  },
});
