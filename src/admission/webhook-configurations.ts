import type { JsonObject } from '../kube/json.ts';
import { RESOURCES, type Resource, type ResourceName } from '../kube/resources.ts';
import { TEMPLATE_KINDS } from '../kube/templates.ts';
import type { Rule, Target } from '../policy/rule.ts';
import {
  MUTATING_ENTRIES,
  VALIDATING_ENTRIES,
  type LabelRequirement,
  type Taken,
  type WebhookEntry,
} from './webhook-entries.ts';

/** What an installation chooses about the webhook entries. */
export interface WebhookOptions {
  /** The namespace of the server, which is never asked about itself. */
  readonly namespace: string;
  /** What the API server does when the entries that can refuse a write do not answer. */
  readonly failurePolicy: 'Ignore' | 'Fail';
  /** Namespaces besides kube-system whose pods a node needs to become ready: CNI and CSI. */
  readonly bootstrapNamespaces: readonly string[];
  /** `every`: all namespaces; `opted-in`: those alone that carry a label of ours. What lives outside is always sent. */
  readonly namespaces: 'every' | 'opted-in';
}

/** The ValidatingWebhookConfiguration that asks about exactly what the rules judge, without a caBundle. */
export function validatingConfiguration(rules: readonly Rule[], options: WebhookOptions): JsonObject {
  const targets = new Set(rules.flatMap(({ meta }) => meta.targets));
  const isTaken = ({ target }: Taken): boolean => targets.has(target);
  return configurationOf('ValidatingWebhookConfiguration', VALIDATING_ENTRIES, { ...options, isTaken });
}

/** The MutatingWebhookConfiguration that injects sidecars, without a caBundle. */
export function mutatingConfiguration(options: WebhookOptions): JsonObject {
  return configurationOf('MutatingWebhookConfiguration', MUTATING_ENTRIES, { ...options, isTaken: () => true });
}

/** The options, and which writes somebody is interested in. */
interface Selection extends WebhookOptions {
  readonly isTaken: (taken: Taken) => boolean;
}

function configurationOf(kind: string, entries: readonly WebhookEntry[], selection: Selection): JsonObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: 'scrapeguard' },
    webhooks: entries.flatMap((entry) => webhookOf(entry, selection)),
  };
}

function webhookOf(entry: WebhookEntry, { isTaken, ...options }: Selection): JsonObject[] {
  const { name, path } = entry;
  const takes = entry.takes.filter(isTaken);
  if (takes.length === 0) return [];
  const conditions = entry.matchConditions?.(bootstrapOf(options)) ?? [];
  const webhook = {
    name,
    clientConfig: { service: { namespace: options.namespace, name: 'scrapeguard', path, port: 443 } },
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    matchPolicy: 'Equivalent',
    failurePolicy: entry.failurePolicy === 'chosen' ? options.failurePolicy : entry.failurePolicy,
    // A webhook that comes later may add a container or take a port.
    ...(path === '/mutate' ? { reinvocationPolicy: 'IfNeeded' } : {}),
    timeoutSeconds: 5,
    namespaceSelector: { matchExpressions: requirementsOf(entry, options) },
    rules: rulesOf(takes),
    ...(conditions.length === 0 ? {} : { matchConditions: conditions }),
  };
  return [webhook];
}

function requirementsOf(entry: WebhookEntry, options: WebhookOptions): LabelRequirement[] {
  const leftOut = [options.namespace, ...(entry.leavesOutBootstrap === true ? bootstrapOf(options) : [])];
  const others: LabelRequirement = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: leftOut };
  return options.namespaces === 'opted-in' && entry.optIn !== undefined ? [others, entry.optIn] : [others];
}

function bootstrapOf({ bootstrapNamespaces }: WebhookOptions): readonly string[] {
  return ['kube-system', ...bootstrapNamespaces];
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
