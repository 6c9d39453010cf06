// Cases for an RBAC authorizer: some roles and bindings, a user, a request. They keep to few words and to those that
// authorizers get wrong, and most requests aim at a rule of a role that the user is bound to: many are allowed, and many
// more are refused for one detail.
import * as fc from 'fast-check';
import { asList, asObject, asString, asStrings, type JsonObject } from '../../src/kube/json.ts';
import { authorize } from '../../src/rbac/authorize.ts';
import type { GrantsIndex } from '../../src/rbac/grants-index.ts';
import type { RequestAttributes } from '../../src/rbac/rule-matching.ts';
import type { User } from '../../src/rbac/subjects.ts';
import { clusterRole, clusterRoleBinding, indexOf, role, roleBinding } from './objects.ts';

/** One case, as the program in test/toolchain/authorizer reads it. */
export interface AuthorizationCase {
  readonly clusterRoles: readonly JsonObject[];
  readonly clusterRoleBindings: readonly JsonObject[];
  readonly roles: readonly JsonObject[];
  readonly roleBindings: readonly JsonObject[];
  readonly user: User;
  readonly request: RequestAttributes;
}

const VERBS = ['get', 'get', 'get', 'list', 'watch', 'create', 'update', 'delete', 'post', 'head', 'impersonate'];
const ODD_VERBS = ['*', 'GET', 'get*', '', 'get,list', 'impersonate-on:user-info:get', 'escalate', '**'];
const GROUPS = ['', '', '', 'apps', 'rbac.authorization.k8s.io'];
const ODD_GROUPS = ['*', 'core', 'v1', '*.k8s.io', 'Apps'];
const RESOURCES = ['nodes', 'nodes/proxy', 'nodes/proxy', 'nodes/metrics', 'pods', 'pods/proxy', 'clusterroles'];
const ODD_RESOURCES = words(
  '* */* */proxy */metrics nodes/* nodes*/proxy nodes/prox* Nodes/proxy nodes/ /proxy nodes:proxy',
  '*/ ** nodes/proxy/metrics */proxy/metrics */nodes/proxy node/proxy x/proxy *proxy',
);
const NAMES = ['node1', 'node2', 'node1:10255', 'http:node1:10255', '*', '', 'x'];
const URLS = ['/metrics', '/metrics', '/metrics/', '/metrics/cadvisor', '/metricsfoo', '/healthz', '/', ''];
const ODD_URLS = words(
  '* ** /* /** /m* /metrics* /metrics/* /metrics/** /metrics/c* /metrics/c*r /*/metrics',
  '*/metrics *metrics* metrics /Metrics /METRICS* //metrics /%6Detrics /metrics?x=1 /é* /é',
);
const NAMESPACES = ['team-a', 'team-b'];
const ROLE_NAMES = ['r0', 'r1', 'r2'];
const USERS = ['alice', 'Alice', '*', 'system:anonymous', 'system:node:node1', 'system:serviceaccount:team-a:app'];
const ODD_USERS = words(
  'system:serviceaccount:team-a:app:x system:serviceaccount:team-a system:serviceaccount::app',
  'team-a:app system:serviceaccount:team-b:app system:serviceaccount:a:b:c system:serviceaccount:',
);
const USER_GROUPS = [
  'devs',
  'Devs',
  '*',
  'system:authenticated',
  'system:serviceaccounts',
  'system:serviceaccounts:team-a',
];
const ACCOUNTS = ['app', 'app:x', 'b:c', 'c', '*'];
const ACCOUNT_NAMESPACES = ['team-a', 'team-a', 'team-b', 'a', 'a:b', ''];

function words(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(' '));
}

/** How many choices aiming takes at most. */
const CHOICES = 16;

const usually = (plain: readonly string[], odd: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ arbitrary: fc.constantFrom(...plain), weight: 3 }, { arbitrary: fc.constantFrom(...odd), weight: 1 });
const some = (word: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string[]> =>
  fc.array(word, { minLength: 1, maxLength });

const verb = usually(VERBS, ODD_VERBS);
const group = usually(GROUPS, ODD_GROUPS);
const resource = usually(RESOURCES, ['', ...ODD_RESOURCES]);
const name = fc.constantFrom(...NAMES);
const url = usually(URLS, ['', ...ODD_URLS]);
const userName = usually(USERS, ODD_USERS);
const groupName = fc.constantFrom(...USER_GROUPS);

const resourceRule = fc.record(
  { verbs: some(verb, 3), apiGroups: some(group, 2), resources: some(resource, 3), resourceNames: some(name, 2) },
  { requiredKeys: ['verbs', 'apiGroups', 'resources'] },
);
const urlRule = fc.record({ verbs: some(verb, 3), nonResourceURLs: some(url, 3) });
// Nothing validates what the authorizer reads, so lists may be empty, missing or mixed.
const anyRule = fc.record(
  {
    verbs: fc.array(verb, { maxLength: 2 }),
    apiGroups: fc.array(group, { maxLength: 2 }),
    resources: fc.array(resource, { maxLength: 2 }),
    resourceNames: fc.array(name, { maxLength: 2 }),
    nonResourceURLs: fc.array(url, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** One rule of a role. */
export const policyRule: fc.Arbitrary<JsonObject> = fc.oneof(
  { arbitrary: resourceRule, weight: 5 },
  { arbitrary: urlRule, weight: 4 },
  { arbitrary: anyRule, weight: 1 },
);

const namedSubject = fc.record(
  {
    kind: fc.constantFrom('User', 'User', 'user', 'Group', 'ServiceAccount', ''),
    name: fc.oneof(userName, groupName),
    namespace: fc.constantFrom(...ACCOUNT_NAMESPACES),
    apiGroup: fc.constantFrom('', 'rbac.authorization.k8s.io', 'example.com'),
  },
  { requiredKeys: ['kind', 'name'] },
);
const account = fc.record(
  {
    kind: fc.constant('ServiceAccount'),
    name: fc.constantFrom(...ACCOUNTS),
    namespace: fc.constantFrom(...ACCOUNT_NAMESPACES),
  },
  { requiredKeys: ['kind', 'name'] },
);
const userSubject = fc.record({ kind: fc.constant('User'), name: userName });
const groupSubject = fc.record({ kind: fc.constant('Group'), name: groupName });

/** One subject of a binding. */
export const subject: fc.Arbitrary<JsonObject> = fc.oneof(
  namedSubject,
  account,
  account,
  userSubject,
  userSubject,
  groupSubject,
);

const rules = fc.array(policyRule, { minLength: 1, maxLength: 3 });
const subjects = fc.array(subject, { minLength: 1, maxLength: 4 });
const namespace = fc.constantFrom(...NAMESPACES);
const roleRefName = fc.constantFrom('r0', 'r0', 'r0', 'r0', ...ROLE_NAMES, 'ghost');
const roleRefKind = fc.constantFrom(...Array(8).fill('ClusterRole'), 'Role', 'Role', 'clusterrole');

const clusterRoles = fc
  .array(rules, { minLength: 1, maxLength: 3 })
  .map((list) => list.map((item, at) => clusterRole(`r${at}`, item)));
const clusterRoleBindings = fc
  .array(fc.tuple(roleRefName, roleRefKind, subjects), { minLength: 1, maxLength: 3 })
  .map((list) => list.map(([to, kind, whom], at) => withRoleKind(clusterRoleBinding(`b${at}`, to, whom), kind)));
const roles = fc
  .array(fc.tuple(namespace, rules), { maxLength: 2 })
  .map((list) => list.map(([where, item], at) => role(where, `r${at}`, item)));
const roleBindings = fc
  .array(fc.tuple(namespace, roleRefName, roleRefKind, subjects), { maxLength: 2 })
  .map((list) => list.map(([where, to, kind, whom], at) => withRoleKind(roleBinding(where, `b${at}`, to, whom), kind)));

/** Someone who asks. */
export const user: fc.Arbitrary<User> = fc.record({
  name: userName,
  groups: fc.uniqueArray(groupName, { maxLength: 3 }),
});

const resourceRequest = fc
  .record({
    verb,
    apiGroup: group,
    named: resource,
    name,
    namespace: fc.constantFrom('', 'team-a', 'team-a', 'team-b'),
  })
  .map(({ named, ...rest }): RequestAttributes => Object.assign(rest, splitResource(named)));
const urlRequest = fc.record({ verb, path: url });

/** What is asked for. */
export const request: fc.Arbitrary<RequestAttributes> = fc.oneof(resourceRequest, urlRequest);

const world = fc.record({ clusterRoles, clusterRoleBindings, roles, roleBindings, user, request });

/** Whole cases. */
export const authorizationCase: fc.Arbitrary<AuthorizationCase> = fc
  .tuple(world, fc.array(fc.nat(719), { minLength: CHOICES, maxLength: CHOICES }))
  .map(([given, choices]) => aim(given, new Chooser(choices)));

/** What we answer. */
export function answer(given: AuthorizationCase): boolean {
  return authorize(given.user, given.request, stateOf(given)).allowed;
}

/** The roles and bindings of a case. */
export function stateOf({
  clusterRoles: a,
  clusterRoleBindings: b,
  roles: c,
  roleBindings: d,
}: AuthorizationCase): GrantsIndex {
  return indexOf([...a, ...b, ...c, ...d]);
}

function splitResource(entry: string): { readonly resource: string; readonly subresource: string } {
  const slash = entry.indexOf('/');
  if (slash < 0) return { resource: entry, subresource: '' };
  return { resource: entry.slice(0, slash), subresource: entry.slice(slash + 1) };
}

function withRoleKind(binding: JsonObject, kind: string): JsonObject {
  return { ...binding, roleRef: { ...Object(binding['roleRef']), kind } };
}

/** Choices that were made beforehand, so that a case can be made smaller and repeated. */
class Chooser {
  readonly #choices: number[];

  constructor(choices: readonly number[]) {
    this.#choices = [...choices];
  }

  among<Item>(items: readonly Item[]): Item | undefined {
    return items[(this.#choices.pop() ?? 0) % items.length];
  }

  /** One time in sixteen. */
  isOff(): boolean {
    return (this.#choices.pop() ?? 0) % 16 === 15;
  }
}

/** Points the case's request at a rule, and its user at a subject that is bound to it, each detail missing now and then. */
function aim(given: AuthorizationCase, choose: Chooser): AuthorizationCase {
  const binding = choose.among([...given.clusterRoleBindings, ...given.clusterRoleBindings, ...given.roleBindings]);
  if (binding === undefined || choose.isOff()) return given;
  const where = asString(asObject(binding['metadata'])['namespace']) ?? '';
  const named = asObject(binding['roleRef']);
  const candidates = [...given.clusterRoles, ...given.roles].filter((object) => object['kind'] === named['kind']);
  const bound = candidates.find((object) => asObject(object['metadata'])['name'] === named['name']) ?? candidates[0];
  const asked = asObject(choose.among(asList(bound?.['rules'])));
  const whom = asObject(choose.among(asList(binding['subjects'])));
  return {
    ...given,
    user: aimUser(given.user, whom, where, choose),
    request: aimRequest(given.request, asked, where, choose),
  };
}

function aimUser(random: User, whom: JsonObject, where: string, choose: Chooser): User {
  const called = String(whom['name']);
  if (choose.isOff()) return random;
  if (whom['kind'] === 'Group') return { ...random, groups: [...random.groups, called] };
  if (whom['kind'] !== 'ServiceAccount') return { ...random, name: called };
  const namespaceOf = asString(whom['namespace']) || where || 'team-a';
  return { ...random, name: `system:serviceaccount:${namespaceOf}:${called}` };
}

function aimRequest(random: RequestAttributes, asked: JsonObject, where: string, choose: Chooser): RequestAttributes {
  const pick = (field: string, otherwise: string): string => {
    const entry = choose.among(asStrings(asked[field]));
    return entry === undefined || entry === '*' || choose.isOff() ? otherwise : entry;
  };
  const verbAsked = pick('verbs', random.verb);
  if (asStrings(asked['nonResourceURLs']).length > 0) {
    const path = pick('nonResourceURLs', 'path' in random ? random.path : '/metrics');
    const isPrefix = path.endsWith('*') && !choose.isOff();
    return {
      verb: verbAsked,
      path: isPrefix ? path.replace(/\*+$/, choose.among(['', '/', 'etrics', '*', '/x']) ?? '') : path,
    };
  }
  const other = 'path' in random ? { apiGroup: '', resource: 'nodes', subresource: 'proxy', name: 'node1' } : random;
  const entry = pick('resources', `${other.resource}/${other.subresource}`);
  const { resource: parent, subresource } = splitResource(entry);
  return {
    verb: verbAsked,
    apiGroup: pick('apiGroups', other.apiGroup),
    resource: parent === '*' && !choose.isOff() ? 'nodes' : parent,
    subresource,
    name: pick('resourceNames', other.name),
    namespace: choose.isOff() ? '' : where,
  };
}
