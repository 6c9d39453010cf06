// Kubernetes' own subjects: whom a cluster cannot do without, each with what its default role gives and no more.
import { CAPABILITIES, type Capability } from './capabilities.ts';
import { canonicalSubject, type Subject } from './subjects.ts';

/** A subject of Kubernetes' own, matched by its exact name. */
export interface DefaultSubject {
  readonly subject: Subject;
  readonly capabilities: readonly Capability[];
  /** The ClusterRole through which it has them. */
  readonly role: string;
}

/** What `get`, `create` or the like on every resource gives: all but the URLs, and the verbs that have to be named. */
const ON_EVERY_RESOURCE = CAPABILITIES.filter(
  (capability) => !['metrics', 'escalate', 'bind', 'impersonate'].includes(capability),
);

const KUBELET_API = ['proxy', 'metrics', 'stats', 'log', 'pods', 'healthz', 'configz'] as const;

/**
 * The table (bootstrappolicy/policy.go and controller_policy.go; the last two rows: kubeadm, and a feature gate). A test
 * holds it against the default roles.
 */
export const DEFAULT_SUBJECTS: readonly DefaultSubject[] = [
  row('Group', 'system:masters', 'cluster-admin', CAPABILITIES),
  row('Group', 'kubeadm:cluster-admins', 'cluster-admin', CAPABILITIES),
  row('Group', 'system:monitoring', 'system:monitoring', ['metrics', 'nodes/metrics']),
  controller('generic-garbage-collector', ON_EVERY_RESOURCE),
  controller('namespace-controller', ON_EVERY_RESOURCE),
  controller('storage-version-migrator-controller', ON_EVERY_RESOURCE),
  controller('clusterrole-aggregation-controller', ['escalate']),
  row(
    'User',
    'kube-apiserver-kubelet-client',
    'system:kubelet-api-admin',
    KUBELET_API.map((name) => `nodes/${name}` as const),
  ),
];

const BY_KEY: ReadonlyMap<string, DefaultSubject> = new Map(
  DEFAULT_SUBJECTS.map((entry) => [entry.subject.key, entry]),
);

/** True when a subject is one of Kubernetes' own and its default role gives the capability. */
export function isDefaultSubject(subject: Subject, capability: Capability): boolean {
  return BY_KEY.get(subject.key)?.capabilities.includes(capability) ?? false;
}

function controller(name: string, capabilities: readonly Capability[]): DefaultSubject {
  return row('ServiceAccount', name, `system:controller:${name}`, capabilities);
}

function row(kind: Subject['kind'], name: string, role: string, capabilities: readonly Capability[]): DefaultSubject {
  const subject = canonicalSubject({ kind, name, namespace: 'kube-system' });
  if (subject === undefined) throw new Error(`${name} is no subject.`);
  return { subject, capabilities, role };
}
