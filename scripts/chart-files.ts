import { readFileSync } from 'node:fs';

import {
  mutatingConfiguration,
  validatingConfiguration,
  type WebhookOptions,
} from '../src/admission/webhook-configurations.ts';
import { certificatePermissions } from '../src/cluster/certificate-permissions.ts';
import { FOLLOWING, REVIEWING } from '../src/cluster/permissions.ts';
import type { Rule } from '../src/policy/rule.ts';
import { valuesSchema } from './chart-values-schema.ts';
import { yamlText } from './pages/yaml-text.ts';

/** The three ways to run it: each is a policy that is shipped. */
export const CHART_MODES = ['audit', 'namespace-opt-in', 'cluster-wide'] as const;

/** The Secret, and the Lease, in which an installation keeps its certificates. */
const SECRET = 'scrapeguard-certificates';

const CHART = 'deploy/helm/scrapeguard';
const HEAD = '# Made by `npm run generate`: edit src instead.\n';
const WEBHOOKS_HEAD = `# Made by \`npm run generate\` from the rules and src/admission/webhook-entries.ts: edit those instead.
`;

/** What each file is for, by which namespaces it asks about. */
const WEBHOOKS_FOR: Readonly<Record<WebhookOptions['namespaces'], string>> = {
  every: '# For policies/cluster-wide.yaml and policies/audit.yaml: every namespace but our own.\n',
  'opted-in':
    '# For policies/namespace-opt-in.yaml: namespaces with a label of ours, and what lives outside namespaces.\n',
};

const TO_REGISTER = `# Every entry is Ignore, as at a first installation. A caBundle is not in here: it is the CA of the server's certificate.
`;
const FOR_THE_CHART = '# Fail marks the entries whose failurePolicy is a value of the chart.\n';

/** Everything that is generated in `deploy`, by its path. */
export function deployFiles(root: URL, rules: readonly Rule[]): readonly (readonly [string, string])[] {
  const policies = CHART_MODES.map((mode) => {
    return [
      `${CHART}/files/policy-${mode}.yaml`,
      readFileSync(new URL(`policies/${mode}.yaml`, root), 'utf8'),
    ] as const;
  });
  return [
    ['deploy/webhooks.yaml', webhooks(rules, 'every', 'Ignore')],
    ['deploy/webhooks-namespace-opt-in.yaml', webhooks(rules, 'opted-in', 'Ignore')],
    [`${CHART}/files/webhooks.yaml`, webhooks(rules, 'every', 'Fail')],
    [`${CHART}/files/webhooks-namespace-opt-in.yaml`, webhooks(rules, 'opted-in', 'Fail')],
    [`${CHART}/files/permissions.yaml`, HEAD + yamlText(permissions())],
    [`${CHART}/values.schema.json`, `${JSON.stringify(valuesSchema(rules), null, 2)}\n`],
    [`${CHART}/files/alerts.yaml`, readFileSync(new URL('deploy/prometheus/alerts.yaml', root), 'utf8')],
    ...policies,
  ];
}

function permissions() {
  return {
    secretName: SECRET,
    following: FOLLOWING,
    reviewing: REVIEWING,
    certificates: certificatePermissions(SECRET),
  };
}

function webhooks(
  rules: readonly Rule[],
  namespaces: WebhookOptions['namespaces'],
  failurePolicy: WebhookOptions['failurePolicy'],
): string {
  const options = { namespace: 'scrapeguard-system', failurePolicy, bootstrapNamespaces: [], namespaces };
  const documents = [validatingConfiguration(rules, options), mutatingConfiguration(options)];
  const head = failurePolicy === 'Fail' ? FOR_THE_CHART : TO_REGISTER;
  return WEBHOOKS_HEAD + head + WEBHOOKS_FOR[namespaces] + documents.map(yamlText).join('---\n');
}
