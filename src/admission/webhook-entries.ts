import type { Operation } from '../kube/admission-review.ts';
import { MODES } from '../policy/mode.ts';
import { INJECT_LABEL } from '../policy/posture.ts';
import type { Target } from '../policy/rule.ts';
import { modeLabel } from '../policy/scope.ts';
import { AGGREGATION_CONTROLLER, API_SERVER, MIRROR_ANNOTATION, NAMESPACE_SUBRESOURCES, NODES } from './exempt.ts';

/** A CEL condition that a request must meet before it is sent (Kubernetes 1.30, `matchConditions`). */
interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/** One requirement of a label selector. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'Exists' | 'In' | 'NotIn';
  readonly values?: readonly string[];
}

/** One kind of write that an entry takes. */
export interface Taken {
  readonly target: Target;
  readonly subResource?: string;
  readonly operations: readonly Operation[];
}

/** One row of the table of entries; what no rule has as a target is not registered. */
export interface WebhookEntry {
  readonly name: string;
  readonly path: '/validate' | '/mutate';
  readonly failurePolicy: 'chosen' | 'Ignore';
  readonly takes: readonly Taken[];
  /** Leaves out kube-system and the bootstrap namespaces too. */
  readonly leavesOutBootstrap?: true;
  /** What a namespace must be labelled with where namespaces opt in; an entry without it never looks at our labels. */
  readonly optIn?: LabelRequirement;
  readonly matchConditions?: (bootstrap: readonly string[]) => readonly MatchCondition[];
}

const WRITES: readonly Operation[] = ['CREATE', 'UPDATE'];

/** ConfigMaps that configure a node's components are known by how their names begin; every other one is not sent. */
const CONFIG_MAP_PREFIXES = ['kubelet', 'kubeadm-config', 'kube-proxy', 'kube-rbac-proxy'];

/** The namespace labels that choose modes and injection. */
const OWN_LABELS = [...MODES.map(modeLabel), INJECT_LABEL];

/** A namespace opts in to being judged by this label, whose value may be `off`. */
const JUDGED: LabelRequirement = { key: modeLabel('enforce'), operator: 'Exists' };

/** Writers whose requests are let through unseen; the API server refuses to start when its own are refused. */
const EXEMPT_WRITERS: readonly MatchCondition[] = [
  {
    name: 'not-the-api-server',
    expression: `request.userInfo.username != '${API_SERVER.username}' || !('${API_SERVER.group}' in request.userInfo.groups)`,
  },
  { name: 'not-the-aggregation-controller', expression: `request.userInfo.username != '${AGGREGATION_CONTROLLER}'` },
];

/** A node's mirror pod in CEL, as `isMirrorPod` knows it: the annotation alone is anybody's to write. */
const IS_MIRROR_POD = [
  'has(object.metadata.annotations)',
  `'${MIRROR_ANNOTATION}' in object.metadata.annotations`,
  `request.userInfo.username.startsWith('${NODES.usernamePrefix}')`,
  `'${NODES.group}' in request.userInfo.groups`,
].join(' && ');

/** The entries that validate, one a row. */
export const VALIDATING_ENTRIES: readonly WebhookEntry[] = [
  {
    name: 'rbac.validate.scrapeguard.io',
    path: '/validate',
    failurePolicy: 'chosen',
    takes: [
      { target: 'clusterroles', operations: WRITES },
      { target: 'clusterrolebindings', operations: WRITES },
    ],
    matchConditions: () => EXEMPT_WRITERS,
  },
  {
    name: 'rbac-namespaced.validate.scrapeguard.io',
    path: '/validate',
    failurePolicy: 'Ignore',
    optIn: JUDGED,
    takes: [
      { target: 'roles', operations: WRITES },
      { target: 'rolebindings', operations: WRITES },
    ],
    matchConditions: () => EXEMPT_WRITERS,
  },
  {
    name: 'pods.validate.scrapeguard.io',
    path: '/validate',
    failurePolicy: 'chosen',
    optIn: JUDGED,
    leavesOutBootstrap: true,
    takes: [
      { target: 'pods', operations: ['CREATE'] },
      { target: 'pods', subResource: 'ephemeralcontainers', operations: ['UPDATE'] },
    ],
  },
  {
    name: 'workloads.validate.scrapeguard.io',
    path: '/validate',
    failurePolicy: 'Ignore',
    optIn: JUDGED,
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
    path: '/validate',
    failurePolicy: 'chosen',
    takes: [
      { target: 'namespaces', operations: WRITES },
      ...NAMESPACE_SUBRESOURCES.map((subResource): Taken => ({
        target: 'namespaces',
        subResource,
        operations: ['UPDATE'],
      })),
    ],
    matchConditions: () => [
      {
        name: 'a-label-of-ours-is-set-or-changes',
        expression: `${celList(OWN_LABELS)}.exists(label, ${labelIn('object')} != ${labelIn('oldObject')})`,
      },
    ],
  },
];

/** The entries that mutate, one a row; they depend on no rule. */
export const MUTATING_ENTRIES: readonly WebhookEntry[] = [
  {
    name: 'inject.scrapeguard.io',
    path: '/mutate',
    failurePolicy: 'Ignore',
    optIn: { key: INJECT_LABEL, operator: 'In', values: ['enabled'] },
    takes: [{ target: 'pods', operations: ['CREATE'] }],
    matchConditions: () => [{ name: 'not-a-mirror-pod', expression: `!(${IS_MIRROR_POD})` }],
  },
];

/** The value of a label in CEL, or a slash, which is no label's value, where it is absent or there is no such object. */
function labelIn(object: 'object' | 'oldObject'): string {
  const labels = `${object}.metadata.labels`;
  return `(${object} != null && has(${labels}) && label in ${labels} ? ${labels}[label] : '/')`;
}

function celList(texts: readonly string[]): string {
  return `[${texts.map((text) => `'${text}'`).join(', ')}]`;
}
