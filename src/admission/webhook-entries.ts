import type { Operation } from '../kube/admission-review.ts';
import type { JsonObject } from '../kube/json.ts';
import { RESOURCES, type Resource, type ResourceName } from '../kube/resources.ts';
import { TEMPLATE_KINDS } from '../kube/templates.ts';
import { MODES } from '../policy/mode.ts';
import type { Rule, Target } from '../policy/rule.ts';
import { LABEL_PREFIX, modeLabel } from '../policy/scope.ts';
import { AGGREGATION_CONTROLLER, API_SERVER } from './exempt.ts';

/** What an installation chooses about the webhook entries. */
export interface WebhookOptions {
  /** The namespace of the server, which is never asked about itself. */
  readonly namespace: string;
  /** What the API server does when the entries that can refuse a write do not answer. */
  readonly failurePolicy: 'Ignore' | 'Fail';
  /** Namespaces besides kube-system whose pods a node needs to become ready: CNI and CSI. */
  readonly bootstrapNamespaces: readonly string[];
}

/** A CEL condition that a request must meet before it is sent (Kubernetes 1.30, `matchConditions`). */
interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/** One kind of write that an entry takes. */
interface Taken {
  readonly target: Target;
  readonly subResource?: string;
  readonly operations: readonly Operation[];
}

/** One row of the table of entries; what no rule has as a target is not registered. */
interface WebhookEntry {
  readonly name: string;
  readonly failurePolicy: 'chosen' | 'Ignore';
  readonly takes: readonly Taken[];
  /** Leaves out kube-system and the bootstrap namespaces too. */
  readonly leavesOutBootstrap?: true;
  readonly matchConditions?: (bootstrap: readonly string[]) => readonly MatchCondition[];
}

const WRITES: readonly Operation[] = ['CREATE', 'UPDATE'];

/** ConfigMaps that configure a node's components are known by how their names begin; every other one is not sent. */
const CONFIG_MAP_PREFIXES = ['kubelet', 'kubeadm-config', 'kube-proxy', 'kube-rbac-proxy'];

/** The namespace labels that choose modes and injection. */
const OWN_LABELS = [...MODES.map(modeLabel), `${LABEL_PREFIX}inject`];

/** Writers whose requests are let through unseen; the API server refuses to start when its own are refused. */
const EXEMPT_WRITERS: readonly MatchCondition[] = [
  {
    name: 'not-the-api-server',
    expression: `request.userInfo.username != '${API_SERVER.username}' || !('${API_SERVER.group}' in request.userInfo.groups)`,
  },
  { name: 'not-the-aggregation-controller', expression: `request.userInfo.username != '${AGGREGATION_CONTROLLER}'` },
];

/** The entries that validate, one a row. */
const VALIDATING_ENTRIES: readonly WebhookEntry[] = [
  {
    name: 'rbac.validate.scrapeguard.io',
    failurePolicy: 'chosen',
    takes: [
      { target: 'clusterroles', operations: WRITES },
      { target: 'clusterrolebindings', operations: WRITES },
    ],
    matchConditions: () => EXEMPT_WRITERS,
  },
  {
    name: 'rbac-namespaced.validate.scrapeguard.io',
    failurePolicy: 'Ignore',
    takes: [
      { target: 'roles', operations: WRITES },
      { target: 'rolebindings', operations: WRITES },
    ],
    matchConditions: () => EXEMPT_WRITERS,
  },
  {
    name: 'pods.validate.scrapeguard.io',
    failurePolicy: 'chosen',
    leavesOutBootstrap: true,
    takes: [
      { target: 'pods', operations: ['CREATE'] },
      { target: 'pods', subResource: 'ephemeralcontainers', operations: ['UPDATE'] },
    ],
  },
  {
    name: 'workloads.validate.scrapeguard.io',
    failurePolicy: 'Ignore',
    takes: [
      { target: 'pods', operations: WRITES },
      { target: 'templates', operations: WRITES },
      { target: 'services', operations: WRITES },
      { target: 'endpoints', operations: WRITES },
      { target: 'endpointslices', operations: WRITES },
      { target: 'configmaps', operations: WRITES },
      { target: 'servicemonitors', operations: WRITES },
      { target: 'podmonitors', operations: WRITES },
      { target: 'scrapeconfigs', operations: WRITES },
    ],
    matchConditions: (bootstrap) => [
      {
        name: 'pods-that-the-other-entry-leaves-out',
        expression: `request.resource.resource != 'pods' || request.operation != 'CREATE' || request.namespace in ${celList(bootstrap)}`,
      },
      {
        name: 'configmaps-of-node-components',
        expression: `request.resource.resource != 'configmaps' || ${celList(CONFIG_MAP_PREFIXES)}.exists(prefix, request.name.startsWith(prefix))`,
      },
    ],
  },
  {
    name: 'namespaces.validate.scrapeguard.io',
    failurePolicy: 'chosen',
    takes: [{ target: 'namespaces', operations: WRITES }],
    matchConditions: () => [
      {
        name: 'a-label-of-ours-is-set-or-changes',
        expression: `${celList(OWN_LABELS)}.exists(label, ${labelIn('object')} != ${labelIn('oldObject')})`,
      },
    ],
  },
];

/** The value of a label in CEL, or a slash, which is no label's value, where it is absent or there is no such object. */
function labelIn(object: 'object' | 'oldObject'): string {
  const labels = `${object}.metadata.labels`;
  return `(${object} != null && has(${labels}) && label in ${labels} ? ${labels}[label] : '/')`;
}

/** The ValidatingWebhookConfiguration that asks about exactly what the rules judge, without a caBundle. */
export function validatingConfiguration(rules: readonly Rule[], options: WebhookOptions): JsonObject {
  const targets = new Set(rules.flatMap(({ meta }) => meta.targets));
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'scrapeguard' },
    webhooks: VALIDATING_ENTRIES.flatMap((entry) => webhookOf(entry, targets, options)),
  };
}

function webhookOf(entry: WebhookEntry, targets: ReadonlySet<Target>, options: WebhookOptions): JsonObject[] {
  const taken = entry.takes.filter(({ target }) => targets.has(target));
  if (taken.length === 0) return [];
  const bootstrap = ['kube-system', ...options.bootstrapNamespaces];
  const leftOut = [options.namespace, ...(entry.leavesOutBootstrap === true ? bootstrap : [])];
  const conditions = entry.matchConditions?.(bootstrap) ?? [];
  return [
    {
      name: entry.name,
      clientConfig: { service: { namespace: options.namespace, name: 'scrapeguard', path: '/validate', port: 443 } },
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      matchPolicy: 'Equivalent',
      failurePolicy: entry.failurePolicy === 'chosen' ? options.failurePolicy : entry.failurePolicy,
      timeoutSeconds: 5,
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: leftOut }],
      },
      rules: rulesOf(taken),
      ...(conditions.length === 0 ? {} : { matchConditions: conditions }),
    },
  ];
}

/** One rule for all resources of a group that take the same operations. */
function rulesOf(taken: readonly Taken[]): JsonObject[] {
  const rows = taken.flatMap(({ target, subResource, operations }) =>
    resourcesOf(target).map(({ group, resource, scope }) => ({
      group,
      scope,
      operations,
      resource: subResource === undefined ? resource : `${resource}/${subResource}`,
    })),
  );
  const groups = Map.groupBy(rows, ({ group, scope, operations }) => `${group} ${scope} ${operations.join()}`);
  return [...groups.values()].map((members) => ({
    apiGroups: [members[0]?.group ?? ''],
    apiVersions: ['*'],
    resources: members.map(({ resource }) => resource),
    operations: members[0]?.operations ?? [],
    scope: members[0]?.scope ?? '*',
  }));
}

function resourcesOf(target: Target): readonly Pick<Resource, 'group' | 'resource' | 'scope'>[] {
  if (target !== 'templates') return [RESOURCES[target satisfies ResourceName]];
  return TEMPLATE_KINDS.map(({ group, resource }) => ({ group, resource, scope: 'Namespaced' }));
}

function celList(texts: readonly string[]): string {
  return `[${texts.map((text) => `'${text}'`).join(', ')}]`;
}
