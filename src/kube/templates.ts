import { asObject, asString, isObject, own, type JsonObject } from './json.ts';
import { groupOf, metadataOf, nameOf } from './object.ts';
import { escapeToken, tokensOf, type JsonPointer } from './pointer.ts';

/**
 * A kind of object that holds a pod template: `path` is the JSON Pointer of its PodTemplateSpec, where a token `*` stands
 * for every item of a list or every entry of a map.
 */
export interface TemplateKind {
  readonly group: string;
  readonly resource: string;
  readonly kind: string;
  readonly path: JsonPointer;
}

/** The kinds that are known without being configured; a policy's `templateKinds` adds more. */
export const TEMPLATE_KINDS: readonly TemplateKind[] = [
  { group: 'apps', resource: 'deployments', kind: 'Deployment', path: '/spec/template' },
  { group: 'apps', resource: 'statefulsets', kind: 'StatefulSet', path: '/spec/template' },
  { group: 'apps', resource: 'daemonsets', kind: 'DaemonSet', path: '/spec/template' },
  { group: 'apps', resource: 'replicasets', kind: 'ReplicaSet', path: '/spec/template' },
  { group: '', resource: 'replicationcontrollers', kind: 'ReplicationController', path: '/spec/template' },
  { group: '', resource: 'podtemplates', kind: 'PodTemplate', path: '/template' },
  { group: 'batch', resource: 'jobs', kind: 'Job', path: '/spec/template' },
  { group: 'batch', resource: 'cronjobs', kind: 'CronJob', path: '/spec/jobTemplate/spec/template' },
  { group: 'argoproj.io', resource: 'rollouts', kind: 'Rollout', path: '/spec/template' },
];

/** The group that old manifests name for kinds that moved to `apps` in Kubernetes 1.16. */
const FORMER_APPS_GROUP = 'extensions';

/** A pod template as the Pod that a controller would make of it, and the template's place in its owner. */
export interface PodTemplate {
  readonly pod: JsonObject;
  readonly path: JsonPointer;
}

/** True when objects of this kind hold a pod template. */
export function isTemplateKind(object: JsonObject, kinds: readonly TemplateKind[]): boolean {
  return kindOf(object, kinds) !== undefined;
}

/**
 * The pod templates of an object, each as a Pod in its owner's namespace with `generateName` set to the owner's name and
 * `-`; none when its kind holds no template or the template is no object.
 */
export function templatesOf(object: JsonObject, kinds: readonly TemplateKind[]): PodTemplate[] {
  const kind = kindOf(object, kinds);
  if (kind === undefined) return [];
  const owner = metadataOf(object);
  return valuesAt(object, tokensOf(kind.path), 0, '').map(({ value, path }) => ({ pod: podOf(value, owner), path }));
}

function kindOf(object: JsonObject, kinds: readonly TemplateKind[]): TemplateKind | undefined {
  const kind = asString(object['kind']);
  if (kind === undefined) return undefined;
  const written = groupOf(asString(object['apiVersion']) ?? '');
  const group = written === FORMER_APPS_GROUP ? 'apps' : written;
  return kinds.find((candidate) => candidate.kind === kind && candidate.group === group);
}

function podOf(template: JsonObject, owner: JsonObject): JsonObject {
  const { labels, annotations } = metadataOf(template);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: `${nameOf(owner)}-`, namespace: owner['namespace'], labels, annotations },
    spec: asObject(template['spec']),
  };
}

function valuesAt(
  value: unknown,
  tokens: readonly string[],
  at: number,
  path: JsonPointer,
): { value: JsonObject; path: JsonPointer }[] {
  const token = tokens[at];
  if (token === undefined) return isObject(value) ? [{ value, path }] : [];
  if (token === '*') {
    const entries = Array.isArray(value) ? value.entries() : Object.entries(asObject(value));
    return [...entries].flatMap(([key, item]) => valuesAt(item, tokens, at + 1, `${path}/${escapeToken(String(key))}`));
  }
  return valuesAt(own(asObject(value), token), tokens, at + 1, `${path}/${escapeToken(token)}`);
}
