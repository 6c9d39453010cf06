import { Type } from 'typebox';

import { GRANT_TEXT, UNKNOWN_GRANTS } from '../policy/grant-wording.ts';
import { defineRule } from '../policy/rule.ts';
import { unexpectedGrants } from '../policy/unexpected-grants.ts';
import { unionOf } from '../rbac/capabilities.ts';

/** What is guarded in any case; the others are what a scraper is told to use. */
const GUARDED = ['nodes/log', 'nodes/checkpoint'] as const;

export default defineRule({
  meta: {
    id: 'kubelet-api-grant',
    title: 'Only expected subjects may read the logs of nodes or checkpoint containers',
    severity: 'high',
    profile: 'strict',
    targets: ['clusterroles', 'clusterrolebindings'],
    judges: 'object',
    comparesItself: true,
    judgesGrants: true,
    reads: ['clusterrole', 'rbac-index', 'version'],
    rationale:
      'The logs of a node hold what its programs were told, and a checkpoint of a container holds its memory with every secret in it. A scraper needs neither.',
    remediation:
      'Leave nodes/log and nodes/checkpoint out of the role. Who is meant to have them is named under expectedSubjects in the policy.',
    references: ['https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/'],
    controls: [],
    messages: {
      granted: {
        level: 'violation',
        text: GRANT_TEXT,
        remediation:
          'Leave {{capability}} out of the role. If the subject is meant to have it, the policy says so: {{policyLine}}.',
      },
      unknown: UNKNOWN_GRANTS,
    },
  },
  params: Type.Object({
    capabilities: Type.Array(
      Type.Enum(['nodes/metrics', 'nodes/stats', 'nodes/pods', 'nodes/configz', 'nodes/healthz', 'nodes/spec']),
      { default: [], description: 'More parts of the kubelet API that only expected subjects may have.' },
    ),
  }),
  *check(object, context) {
    const guarded = unionOf([...GUARDED, ...context.params.capabilities]);
    for (const { how, path, data } of unexpectedGrants(object, context, guarded)) {
      yield { messageId: how === 'unknown' ? 'unknown' : 'granted', path, data };
    }
  },
});
