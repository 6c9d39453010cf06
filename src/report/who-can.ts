import type { Binding } from '../rbac/bindings.ts';
import { isDefaultBindingOf } from '../rbac/default-bindings.ts';
import { isDefaultSubject } from '../rbac/default-subjects.ts';
import type { GrantsView } from '../rbac/grants-view.ts';
import { holdingsFor, ineffectiveFor, type Holding, type Question } from '../rbac/question.ts';
import type { Subject } from '../rbac/subjects.ts';
import { nearestObjectName } from '../policy/nearest.ts';
import type { ReportedSubject } from './report.ts';

/** The answer of who-can: the JSON of `-o json`, which the tree is made from. */
export interface WhoCan {
  readonly apiVersion: 'scrapeguard.io/v1alpha1';
  readonly kind: 'WhoCan';
  /** `metrics`, `get nodes/proxy`. */
  readonly question: string;
  /** Kubernetes' own come last; otherwise by kind and name. */
  readonly holders: readonly Holder[];
  /** RoleBindings to a ClusterRole that has it, which give nothing because it is asked for in no namespace. */
  readonly ineffective: readonly NamedBinding[];
  /** ClusterRoleBindings to a ClusterRole that does not exist: they give whatever a role of this name will have. */
  readonly dangling: readonly DanglingBinding[];
}

/** A subject that has it, and every way in which. */
export interface Holder {
  readonly subject: ReportedSubject;
  /** True for a subject that Kubernetes itself gives it to. */
  readonly isKubernetes: boolean;
  readonly ways: readonly Way[];
}

/** One way: subject ← binding ← role ← the roles that it is aggregated from. */
export interface Way {
  readonly binding: NamedBinding;
  readonly isDefaultBinding: boolean;
  /** From the bound role to the one in whose rules it stands. */
  readonly roles: readonly [NamedRole, ...NamedRole[]];
  /** The index of the rule in the last role. */
  readonly rule: number;
  readonly how: 'explicit' | 'wildcard';
  /** Absent where it is not limited. */
  readonly scopes?: readonly string[];
}

/** A binding by its kind and names; the namespace is '' for a ClusterRoleBinding. */
export interface NamedBinding {
  readonly kind: 'ClusterRoleBinding' | 'RoleBinding';
  readonly namespace: string;
  readonly name: string;
}

/** A role by its kind and name. */
export interface NamedRole {
  readonly kind: 'ClusterRole' | 'Role';
  readonly name: string;
}

/** A binding that waits for its role. */
export interface DanglingBinding {
  readonly binding: NamedBinding;
  readonly role: string;
  /** The role that may have been meant. */
  readonly nearest?: string;
  readonly subjects: readonly ReportedSubject[];
}

/** Answers a question; RoleBindings are looked at in the given namespaces. */
export function collectWhoCan(question: Question, view: GrantsView, namespaces: readonly string[]): WhoCan {
  const bySubject = Map.groupBy(holdingsFor(question, view, namespaces), ({ subject }) => subject.key);
  const holders = Array.from(bySubject.values(), (holdings) => holderOf(question, holdings)).flat();
  const ineffective = new Map(
    Array.from(ineffectiveFor(question, view, namespaces), (binding) => [keyOf(binding), namedBinding(binding)]),
  );
  return {
    apiVersion: 'scrapeguard.io/v1alpha1',
    kind: 'WhoCan',
    question: wordsOf(question),
    holders: holders.sort(byName),
    ineffective: [...ineffective.values()],
    dangling: danglingIn(view),
  };
}

function holderOf(question: Question, holdings: readonly Holding[]): Holder[] {
  const ways = holdings.map(wayOf);
  return holdings.slice(0, 1).map(({ subject }) => ({
    subject: reportedSubject(subject),
    isKubernetes:
      'capability' in question
        ? isDefaultSubject(subject, question.capability)
        : ways.every(({ isDefaultBinding }) => isDefaultBinding),
    ways,
  }));
}

function wayOf({ subject, binding, chain, rule, how, scopes }: Holding): Way {
  const kind = binding.roleKind ?? 'ClusterRole';
  const [bound = binding.roleName, ...others] = chain;
  return {
    binding: namedBinding(binding),
    isDefaultBinding: isDefaultBindingOf(binding, subject),
    roles: [{ kind, name: bound }, ...others.map((name) => ({ kind: 'ClusterRole', name }) as const)],
    rule,
    how,
    ...(scopes === undefined ? {} : { scopes }),
  };
}

/** The first few of many names are compared with all role names; looking for more would be no help. */
const MOST_HINTS = 20;

function danglingIn(view: GrantsView): DanglingBinding[] {
  const waiting = Iterator.from(view.clusterRoleBindings())
    .filter(({ roleKind, subjects }) => roleKind === 'ClusterRole' && subjects.length > 0)
    .filter(({ roleName }) => view.clusterRole(roleName) === 'not found')
    .toArray();
  if (waiting.length === 0) return [];
  const names = Array.from(view.clusterRoles(), ({ name }) => name);
  return waiting.map((binding, index) => danglingBinding(binding, index < MOST_HINTS ? names : []));
}

function danglingBinding(binding: Binding, names: readonly string[]): DanglingBinding {
  const { roleName: role } = binding;
  const nearest = nearestObjectName(role, names);
  const subjects = binding.subjects.map(reportedSubject);
  return { binding: namedBinding(binding), role, ...(nearest === undefined ? {} : { nearest }), subjects };
}

function namedBinding({ namespace, name }: Binding): NamedBinding {
  return { kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding', namespace, name };
}

function reportedSubject(subject: Subject): ReportedSubject {
  const namespace = subject.kind === 'ServiceAccount' ? subject.namespace : '';
  return { kind: subject.kind, namespace, name: subject.name };
}

function keyOf({ namespace, name }: Binding): string {
  return `${namespace}\n${name}`;
}

function wordsOf(question: Question): string {
  if ('capability' in question) return question.capability;
  const { request } = question;
  if ('path' in request) return `${request.verb} ${request.path}`;
  const { verb, apiGroup, resource, subresource } = request;
  const group = apiGroup === '' ? '' : `.${apiGroup}`;
  return `${verb} ${resource}${group}${subresource === '' ? '' : `/${subresource}`}`;
}

function byName(a: Holder, b: Holder): number {
  if (a.isKubernetes !== b.isKubernetes) return a.isKubernetes ? 1 : -1;
  const [one, other] = [a, b].map(({ subject: { kind, namespace, name } }) => `${kind}\n${namespace}\n${name}`);
  return (one ?? '') < (other ?? '') ? -1 : 1;
}
