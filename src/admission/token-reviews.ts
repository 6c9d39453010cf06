// A kube-rbac-proxy asks the API server who a scraper is and what he may read. It does so as the pod's ServiceAccount,
// which must be allowed to.

import { asObject, asString, type JsonObject } from '../kube/json.ts';
import { LONGEST_WARNING, shorten } from '../policy/message.ts';
import { authorize } from '../rbac/authorize.ts';
import type { GrantsView } from '../rbac/grants-view.ts';
import type { ResourceRequest } from '../rbac/rule-matching.ts';
import { asUser, serviceAccountSubject } from '../rbac/subjects.ts';

/** The ServiceAccount that a pod runs as. */
export interface PodAccount {
  readonly namespace: string;
  readonly name: string;
}

/** The account of a pod that is about to be created in a namespace; the older of its two fields counts as Kubernetes reads it. */
export function accountOf(pod: JsonObject, namespace: string): PodAccount {
  const { serviceAccountName, serviceAccount } = asObject(pod['spec']);
  return { namespace, name: asString(serviceAccountName) || asString(serviceAccount) || 'default' };
}

/** Whether an account may ask the questions of a proxy; *unknown* where nobody can say that it may not. */
export type TokenReviews = 'granted' | 'missing' | 'unknown';

/** Both questions of a proxy: who holds this token, and may he read this. */
const QUESTIONS: readonly ResourceRequest[] = [
  creating('authentication.k8s.io', 'tokenreviews'),
  creating('authorization.k8s.io', 'subjectaccessreviews'),
];

function creating(apiGroup: string, resource: string): ResourceRequest {
  return { verb: 'create', apiGroup, resource, subresource: '', name: '', namespace: '' };
}

/** Whether RBAC lets an account create tokenreviews and subjectaccessreviews. */
export function tokenReviewsOf({ namespace, name }: PodAccount, grants: GrantsView): TokenReviews {
  const user = asUser(serviceAccountSubject(namespace, name));
  if (user !== undefined && QUESTIONS.every((question) => authorize(user, question, grants).allowed)) return 'granted';
  return grants.isCurrent ? 'missing' : 'unknown';
}

/** A name that the API server gives a ServiceAccount or a Namespace (RFC 1123); nothing else belongs into a command. */
const NAME = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;

/** True for an account whose names the API server takes. */
export function isNamed({ namespace, name }: PodAccount): boolean {
  return NAME.test(namespace) && NAME.test(name);
}

/** The account of a pod that is about to be created in a namespace, where RBAC does not let it ask; else undefined. */
export function accountWithoutReviews(pod: JsonObject, namespace: string, grants: GrantsView): PodAccount | undefined {
  const account = accountOf(pod, namespace);
  return tokenReviewsOf(account, grants) === 'missing' ? account : undefined;
}

/** What the writer of a pod is told when its account lacks the permission: who lacks it, and what to run. */
export function missingTokenReviews(account: PodAccount): readonly string[] {
  if (!isNamed(account)) return [];
  const { namespace, name } = account;
  const who = 'ServiceAccount ';
  const what = ' may not create tokenreviews, so scrapes get 401; run:';
  const shown = shorten(`${namespace}/${name}`, LONGEST_WARNING - who.length - what.length);
  return [`${who}${shown}${what}`, ...commandFor(namespace, name)];
}

/** The longest name of a binding with which the first line of a command that takes two is a warning. */
const LONGEST_BINDING = 48;

/** The command on one line, or on two where it is longer than a warning may be. */
function commandFor(namespace: string, name: string): readonly string[] {
  const binding = `${namespace}-${name}`.slice(0, LONGEST_BINDING).replace(/[-.]+$/, '');
  const command = `kubectl create clusterrolebinding ${binding} --clusterrole=system:auth-delegator`;
  const account = `--serviceaccount=${namespace}:${name}`;
  const subject = account.length > LONGEST_WARNING ? `--group=system:serviceaccounts:${namespace}` : account;
  const whole = `${command} ${subject}`;
  return whole.length <= LONGEST_WARNING ? [whole] : [`${command} \\`, subject];
}
