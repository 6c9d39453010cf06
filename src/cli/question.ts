import { existsSync } from 'node:fs';

import { RESOURCES, isClusterScoped } from '../kube/resources.ts';
import { TEMPLATE_KINDS } from '../kube/templates.ts';
import { nearestName } from '../policy/nearest.ts';
import { CAPABILITIES, type Capability } from '../rbac/capabilities.ts';
import type { Question } from '../rbac/question.ts';
import { Failure } from './failure.ts';
import { meant } from './options.ts';

/** What the words of who-can ask, the paths that are left, and what may have been meant instead. */
export interface Asked {
  readonly question: Question;
  readonly paths: readonly string[];
  readonly hints: readonly string[];
}

/** Capabilities that are called like verbs, and what the verb is about: other words after them are paths. */
const VERBS_TOO: Readonly<Record<string, readonly string[]>> = {
  escalate: ['clusterroles', 'roles'],
  bind: ['clusterroles', 'roles'],
  impersonate: ['users', 'groups', 'serviceaccounts', 'uids', 'userextras'],
};

/** Reads `CAPABILITY [PATH...]` or `VERB RESOURCE|URL [PATH...]`. Throws a Failure for what is neither. */
export function readQuestion(words: readonly string[]): Asked {
  const [first = '', second, ...rest] = words;
  const capability = CAPABILITIES.find((name) => name === first);
  if (capability !== undefined && !isVerb(first, second)) {
    return { question: { capability }, paths: words.slice(1), hints: [] };
  }
  if (second === undefined || first.includes('/') || (!isKnownVerb(first) && existsSync(second))) {
    throw new Failure(
      `No capability is called "${first}"${meant(first, CAPABILITIES)} They are ${CAPABILITIES.join(', ')}.`,
    );
  }
  const question =
    second.startsWith('/') || second.startsWith('*/') ? askUrl(first, second) : askResource(first, second);
  return { question, paths: rest, hints: [...verbHints(first), ...resourceHints(second)] };
}

function isVerb(word: string, next: string | undefined): boolean {
  const [resource = ''] = (next ?? '').split(/[./]/, 1);
  return Object.hasOwn(VERBS_TOO, word) && VERBS_TOO[word]?.includes(resource) === true && !existsSync(next ?? '');
}

function askUrl(verb: string, path: string): Question {
  return { request: { verb: verb.toLowerCase(), path }, isNamespaced: false };
}

/** `deployments`, `deployments.apps/scale`, `nodes/proxy`: a resource with its group and subresource, as rules call it. */
function askResource(verb: string, words: string): Question {
  const [named = '', ...parts] = words.split('/');
  const [resource = '', ...group] = named.split('.');
  const known = KNOWN.get(resource);
  const request = {
    verb,
    apiGroup: group.length > 0 ? group.join('.') : (known?.group ?? ''),
    resource,
    subresource: parts.join('/'),
    name: '',
    namespace: '',
  };
  return { request, isNamespaced: known?.isNamespaced ?? true };
}

interface Known {
  readonly group: string;
  readonly isNamespaced: boolean;
}

/** Resources outside every namespace that no rule judges. */
const OTHERS: Readonly<Record<string, string>> = {
  nodes: '',
  persistentvolumes: '',
  users: '',
  groups: '',
  certificatesigningrequests: 'certificates.k8s.io',
  customresourcedefinitions: 'apiextensions.k8s.io',
  validatingwebhookconfigurations: 'admissionregistration.k8s.io',
  mutatingwebhookconfigurations: 'admissionregistration.k8s.io',
  storageclasses: 'storage.k8s.io',
  priorityclasses: 'scheduling.k8s.io',
  subjectaccessreviews: 'authorization.k8s.io',
  tokenreviews: 'authentication.k8s.io',
};

const KNOWN: ReadonlyMap<string, Known> = new Map([
  ...[...Object.values(RESOURCES), ...TEMPLATE_KINDS].map(({ group, resource, kind }): [string, Known] => [
    resource,
    { group, isNamespaced: !isClusterScoped(kind) },
  ]),
  ...Object.entries(OTHERS).map(([resource, group]): [string, Known] => [resource, { group, isNamespaced: false }]),
]);

const VERBS = [
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
  'post',
  'put',
  'head',
  'options',
  'use',
  'approve',
  'sign',
  'bind',
  'escalate',
  'impersonate',
  '*',
];

function isKnownVerb(verb: string): boolean {
  return VERBS.includes(verb.toLowerCase()) || verb.startsWith('impersonate');
}

function verbHints(verb: string): string[] {
  const nearest = isKnownVerb(verb) ? undefined : nearestName(verb, VERBS);
  return nearest === undefined ? [] : [`no verb of Kubernetes is called "${verb}"; did you mean ${nearest}?`];
}

/** Capabilities that are resources: the names most often misspelled. */
const SUBRESOURCES: readonly Capability[] = CAPABILITIES.filter((name) => name.includes('/'));

function resourceHints(words: string): string[] {
  const isKnown = SUBRESOURCES.some((name) => name === words) || KNOWN.has(words);
  if (isKnown || words.startsWith('/')) return [];
  const nearest = nearestName(words, words.includes('/') ? SUBRESOURCES : KNOWN.keys());
  return nearest === undefined ? [] : [`did you mean ${nearest} by "${words}"?`];
}
