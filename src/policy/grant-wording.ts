import type { JsonObject } from '../kube/json.ts';
import { refOf } from '../kube/object.ts';
import type { Capability } from '../rbac/capabilities.ts';
import type { Grant } from '../rbac/grants.ts';
import { displaySubject, type Subject } from '../rbac/subjects.ts';
import type { KubernetesVersion } from './cluster-view.ts';
import { shorten } from './message.ts';
import type { Message, Observation } from './rule.ts';

/** What whoever holds a capability can do with it, after "and so". */
const CONSEQUENCES: Readonly<Record<Capability, string>> = {
  metrics: 'reads the metrics of the API server, its controllers and every kube-rbac-proxy',
  'nodes/proxy': 'runs commands in every container of every node',
  'nodes/metrics': 'reads the metrics of every kubelet',
  'nodes/stats': 'reads the statistics of every node and its containers',
  'nodes/log': 'reads the system logs of every node',
  'nodes/checkpoint': 'writes the memory of any container to the disk of its node',
  'nodes/pods': 'reads every pod of every node, with the values of its environment',
  'nodes/configz': 'reads the configuration of every kubelet',
  'nodes/healthz': 'asks every kubelet for its health',
  'nodes/spec': 'reads the hardware of every node from old kubelets',
  'pods/proxy': 'calls every port of every pod through the API server',
  'services/proxy': 'calls every port of every Service through the API server',
  escalate: 'writes ClusterRoles that give more than their writer has',
  bind: 'hands out ClusterRoles without having what they give',
  impersonate: 'acts as others, who may be expected to have what is guarded',
};

/** The sentence about one grant; its values are those of `grantData`. */
export const GRANT_TEXT =
  '{{subject}}{{who}} gets {{what}}{{scope}}{{how}} from ClusterRoleBinding "{{binding}}" by rule {{rule}} of ClusterRole "{{role}}"{{chain}}, and so {{consequence}}';

/** The message of a rule about grants where nobody could tell. */
export const UNKNOWN_GRANTS: Message = {
  level: 'unknown',
  text: 'the roles and bindings of the cluster could not be read, so nobody can tell who gets what by this write',
};

/** The values for a message about one grant; `more` others are not told. The object is the one that is judged. */
export function grantData(
  grant: Grant,
  more: number,
  object: JsonObject,
  version: KubernetesVersion,
): Observation['data'] & object {
  const { subject, capability, binding, role, rule, scopes, how } = grant;
  const ownName = refOf(object).name;
  return {
    subject: displaySubject(subject),
    who: `${crowdOf(subject)}${more === 0 ? '' : ` and ${more} more like it`}`,
    capability,
    what: capability === 'metrics' ? '/metrics' : capability,
    how: how === 'wildcard' ? ' by a wildcard' : '',
    scope: scopes === undefined ? '' : ` (only ${shorten(scopes.slice(0, 5).join(', '), LONGEST_NAME)})`,
    binding: short(binding.name === '' ? ownName : binding.name),
    rule,
    role: short(role === '' ? ownName : role),
    chain: chainOf(grant, ownName),
    consequence: consequenceOf(grant),
    replacement: replacementFor(version),
    policyLine: policyLine(capability, subject),
    subjectKind: subject.kind,
    subjectNamespace: subject.kind === 'ServiceAccount' ? subject.namespace : '',
    subjectName: subject.name,
  };
}

function consequenceOf({ capability, scopes }: Grant): string {
  const whole = CONSEQUENCES[capability];
  return scopes === undefined ? whole : whole.replace('every node', 'these nodes');
}

/** What a scraper of kubelets needs instead of nodes/proxy: the finer resources came with Kubernetes 1.33. */
function replacementFor({ major, minor }: KubernetesVersion): string {
  const isFine = major > 1 || minor >= 33;
  return isFine ? 'nodes/metrics, nodes/stats, nodes/pods, nodes/healthz, nodes/configz' : 'nodes/metrics, nodes/stats';
}

/** Whom a subject stands for where it is not one alone, in brackets. */
function crowdOf(subject: Subject): string {
  const isOfNamespace = subject.kind === 'Group' && subject.name.startsWith('system:serviceaccounts:');
  return isOfNamespace ? ' (every ServiceAccount of that namespace)' : (CROWDS[displaySubject(subject)] ?? '');
}

const CROWDS: Readonly<Record<string, string>> = {
  'Group system:authenticated': ' (everybody who has logged in, and every ServiceAccount)',
  'Group system:unauthenticated': ' (anybody, without a login)',
  'User system:anonymous': ' (anybody, without a login)',
  'Group system:serviceaccounts': ' (every ServiceAccount of the cluster)',
};

/** The way from the bound role to the one that holds the rule, where there is one. */
function chainOf({ chain }: Grant, ownName: string): string {
  const names = chain();
  if (names.length < 2) return '';
  const shown = names.length > 5 ? [...names.slice(0, 3), '…', ...names.slice(-1)] : names;
  return `, aggregated ${shown.map((name) => short(name === '' ? ownName : name)).join(' ← ')}`;
}

const LONGEST_NAME = 60;

function short(name: string): string {
  return shorten(name, LONGEST_NAME);
}

const LONGEST_LINE = 300;

/**
 * What a policy says to expect the subject. A star would be read as a pattern, and so nothing is proposed for one; nor is
 * it for everybody, whom nobody is to expect because it was there to be copied.
 */
function policyLine(capability: Capability, subject: Subject): string {
  const { kind, name } = subject;
  if (Object.hasOwn(CROWDS, `${kind} ${name}`)) return 'expectedSubjects, with a ServiceAccount or a group of your own';
  const names =
    kind === 'ServiceAccount'
      ? [`namespace: ${plain(subject.namespace)}`, `name: ${plain(name)}`]
      : [`name: ${plain(name)}`];
  const line = `expectedSubjects: [{capabilities: [${capability}], subjects: [{kind: ${kind}, ${names.join(', ')}}], reason: why}]`;
  if (names.some((each) => each.includes('*'))) return 'expectedSubjects, with a name that holds no *';
  return line.length > LONGEST_LINE ? 'expectedSubjects, with the whole name' : line;
}

/** A name as YAML, in quotes where it could be read as something else. */
function plain(name: string): string {
  const isPlain = /^[a-z](?:[\w.:@/-]*\w)?$/.test(name) && !/^(?:true|false|yes|no|on|off|null|y|n)$/.test(name);
  return isPlain ? name : JSON.stringify(name);
}
