import { Type } from 'typebox';

import { GRANT_TEXT, UNKNOWN_GRANTS } from '../policy/grant-wording.ts';
import { defineRule } from '../policy/rule.ts';
import { unexpectedGrants } from '../policy/unexpected-grants.ts';
import { setOf } from '../rbac/capabilities.ts';

export default defineRule({
  meta: {
    id: 'nodes-proxy-grant',
    title: 'Only expected subjects may use nodes/proxy',
    severity: 'critical',
    profile: 'baseline',
    targets: ['clusterroles', 'clusterrolebindings'],
    judges: 'object',
    comparesItself: true,
    judgesGrants: true,
    reads: ['clusterrole', 'rbac-index', 'version'],
    rationale:
      'Whoever may get nodes/proxy runs commands in every container of every node: a WebSocket to the kubelet begins with a GET, and the kubelet asks no second time. No audit log of the API server shows it. Kubernetes regards this as documented behaviour.',
    remediation:
      'Grant nodes/metrics and nodes/stats instead, from Kubernetes 1.33 also nodes/pods, nodes/healthz and nodes/configz, and scrape port 10250 of the nodes directly. Who is meant to have nodes/proxy is named under expectedSubjects in the policy.',
    references: [
      'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/',
      'https://kubernetes.io/docs/concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes',
    ],
    controls: ['CIS 5.1.10'],
    messages: {
      granted: {
        level: 'violation',
        text: GRANT_TEXT,
        remediation:
          'Replace nodes/proxy by those of {{replacement}} that are needed, and scrape port 10250 of the nodes directly. If the subject is meant to have nodes/proxy, the policy says so: {{policyLine}}.',
      },
      wildcard: {
        level: 'violation',
        text: GRANT_TEXT,
        remediation:
          'Bind a ClusterRole that names the resources that are needed; for nodes that is one of {{replacement}}. If the subject is meant to have nodes/proxy, the policy says so: {{policyLine}}.',
      },
      wildcardAdvice: {
        level: 'advice',
        text: GRANT_TEXT,
        remediation:
          'Bind a ClusterRole that names the resources that are needed; for nodes that is one of {{replacement}}.',
      },
      unknown: UNKNOWN_GRANTS,
    },
  },
  params: Type.Object({
    wildcards: Type.Enum(['violation', 'advice'], {
      default: 'violation',
      description: 'Whether a grant by the resource * is refused or only warned about.',
    }),
  }),
  *check(object, context) {
    const ids = {
      explicit: 'granted',
      wildcard: context.params.wildcards === 'advice' ? 'wildcardAdvice' : 'wildcard',
      unknown: 'unknown',
    } as const;
    for (const { how, path, data } of unexpectedGrants(object, context, setOf('nodes/proxy'))) {
      yield { messageId: ids[how], path, data };
    }
  },
});
