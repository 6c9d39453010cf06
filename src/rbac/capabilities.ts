// What a grant can give that matters to metrics, as a table: a row says which requests an effective rule has to allow.

/** The capabilities that rules guard and a policy's `expectedSubjects` may name. */
export const CAPABILITIES = [
  'metrics',
  'nodes/proxy',
  'nodes/metrics',
  'nodes/stats',
  'nodes/log',
  'nodes/checkpoint',
  'nodes/pods',
  'nodes/configz',
  'nodes/healthz',
  'nodes/spec',
  'pods/proxy',
  'services/proxy',
  'escalate',
  'bind',
  'impersonate',
] as const;

/** One of the capabilities. */
export type Capability = (typeof CAPABILITIES)[number];

/** A set of capabilities: bit n stands for the n-th of CAPABILITIES. */
export type CapabilitySet = number;

/** The set with one capability in it. */
export function setOf(capability: Capability): CapabilitySet {
  return 1 << CAPABILITIES.indexOf(capability);
}

/** The set of several capabilities. */
export function unionOf(capabilities: Iterable<Capability>): CapabilitySet {
  let set = 0;
  for (const capability of capabilities) set |= setOf(capability);
  return set;
}

/** The capabilities of a set, in the order of CAPABILITIES. */
export function capabilitiesIn(set: CapabilitySet): readonly Capability[] {
  return CAPABILITIES.filter((_, bit) => (set & (1 << bit)) !== 0);
}

/** The modes of constrained impersonation (KEP-5284; apiserver pkg/endpoints/filters/impersonation). */
const IMPERSONATION_MODES = ['associated-node', 'arbitrary-node', 'serviceaccount', 'user-info'];

/** The verbs, and the verbs that allow the same request to someone who impersonates: half of a grant counts as one. */
function orImpersonated(verbs: readonly string[]): ReadonlySet<string> {
  const impersonated = IMPERSONATION_MODES.flatMap((mode) => verbs.map((verb) => `impersonate-on:${mode}:${verb}`));
  return new Set([...verbs, ...impersonated]);
}

/** What the kubelet and the API server make of an HTTP method when the path names one object (pkg/kubelet/server/auth.go). */
const CONNECTING_VERBS = orImpersonated(['get', 'create', 'update', 'patch', 'delete']);

/**
 * The verbs that open a metrics path somewhere: the API server and controller-runtime ask with the lower-cased method,
 * kube-rbac-proxy with a resource's verb. The verb `*` always counts.
 */
export const METRICS_VERBS: ReadonlySet<string> = orImpersonated([
  'get',
  'head',
  'post',
  'put',
  'patch',
  'delete',
  'options',
  'trace',
  'create',
  'update',
]);

/** Requests for resources that give a capability: any of the verbs on any of the resources of the group. */
export interface ResourceCapability {
  readonly capability: Capability;
  readonly apiGroup: string;
  readonly resources: readonly string[];
  readonly verbs: ReadonlySet<string>;
  /** True when the request names a node, pod or service, which is never called '' or '*'. */
  readonly namesObject: boolean;
}

/** The table of what gives a capability, `metrics` left out: that one is a URL. At most 31 rows. */
export const RESOURCE_CAPABILITIES: readonly ResourceCapability[] = [
  ...(
    [
      'nodes/proxy',
      'nodes/metrics',
      'nodes/stats',
      'nodes/log',
      'nodes/checkpoint',
      'nodes/pods',
      'nodes/configz',
      'nodes/healthz',
      'nodes/spec',
      'pods/proxy',
      'services/proxy',
    ] as const
  ).map(connecting),
  verbOn('escalate', 'rbac.authorization.k8s.io', ['clusterroles'], ['escalate']),
  verbOn('bind', 'rbac.authorization.k8s.io', ['clusterroles'], ['bind']),
  verbOn('impersonate', '', ['users', 'groups', 'serviceaccounts'], ['impersonate']),
  verbOn(
    'impersonate',
    'authentication.k8s.io',
    ['users', 'groups', 'serviceaccounts', 'nodes'],
    IMPERSONATION_MODES.map((mode) => `impersonate:${mode}`),
  ),
];

function connecting(capability: Capability): ResourceCapability {
  return { capability, apiGroup: '', resources: [capability], verbs: CONNECTING_VERBS, namesObject: true };
}

function verbOn(
  capability: Capability,
  apiGroup: string,
  resources: readonly string[],
  verbs: readonly string[],
): ResourceCapability {
  return { capability, apiGroup, resources, verbs: new Set(verbs), namesObject: false };
}
