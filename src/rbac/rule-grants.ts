import {
  type CapabilitySet,
  METRICS_VERBS,
  RESOURCE_CAPABILITIES,
  type ResourceCapability,
  setOf,
} from './capabilities.ts';
import type { PolicyRule } from './policy-rule.ts';
import { withoutTrailingStars } from './rule-matching.ts';

/**
 * What one rule gives. Without scopes it gives the capabilities whole; with scopes only for the objects of these names,
 * or for `metrics` only below /metrics: a path, or with a star at its end every path that begins so.
 */
export interface RuleGrant {
  /** Given by an entry that was meant for this: `nodes/proxy`, but the proxy of any parent and `/m*` too. */
  readonly explicit: CapabilitySet;
  /** Given only by an entry that means everything: the resource `*`, the URLs `*` and `/*`, their stars repeated or not. */
  readonly wildcard: CapabilitySet;
  /** Never an empty list. */
  readonly scopes: readonly string[] | undefined;
}

/** A set of rows of RESOURCE_CAPABILITIES: bit n stands for the n-th. */
type Rows = number;

const METRICS = setOf('metrics');
const METRICS_PATH = '/metrics';
const NOTHING: readonly RuleGrant[] = Object.freeze([]);

const SET_OF_ROW: readonly CapabilitySet[] = RESOURCE_CAPABILITIES.map(({ capability }) => setOf(capability));
const ALL_ROWS = rowsWhere(() => true);
const OBJECT_ROWS = rowsWhere((row) => row.namesObject);
const ROWS_BY_VERB = tabulate((row) => [...row.verbs]);
const ROWS_BY_GROUP = tabulate((row) => [row.apiGroup]);
const ROWS_BY_RESOURCE = tabulate((row) => row.resources.flatMap(withAnyParent));

/** What a rule gives, in at most three parts; nothing for almost every rule. Linear in the rule. */
export function ruleGrantsOf(rule: PolicyRule): readonly RuleGrant[] {
  if (rule.nonResourceURLs.length === 0) return resourceGrants(rule);
  return rule.resources.length === 0 ? urlGrants(rule) : [...resourceGrants(rule), ...urlGrants(rule)];
}

function resourceGrants(rule: PolicyRule): readonly RuleGrant[] {
  const allowed = rowsOf(rule.verbs, ROWS_BY_VERB) & rowsOf(rule.apiGroups, ROWS_BY_GROUP);
  if (allowed === 0) return NOTHING;
  const explicit = unite(rule.resources, ROWS_BY_RESOURCE) & allowed;
  const wildcard = rule.resources.includes('*') ? allowed & ~explicit : 0;
  if ((explicit | wildcard) === 0) return NOTHING;
  if (rule.resourceNames.length === 0) return [asGrant(explicit, wildcard, undefined)];
  if (rule.resourceNames.every(isObjectName)) return [asGrant(explicit, wildcard, rule.resourceNames)];
  const names = rule.resourceNames.filter(isObjectName);
  return [
    asGrant(explicit & OBJECT_ROWS, wildcard & OBJECT_ROWS, names),
    asGrant(explicit & ~OBJECT_ROWS, wildcard & ~OBJECT_ROWS, rule.resourceNames),
  ].filter((grant) => (grant.explicit | grant.wildcard) !== 0 && grant.scopes?.length !== 0);
}

function isObjectName(name: string): boolean {
  return name !== '' && name !== '*';
}

function asGrant(explicit: Rows, wildcard: Rows, scopes: readonly string[] | undefined): RuleGrant {
  const given = capabilitySetOf(explicit);
  return { explicit: given, wildcard: capabilitySetOf(wildcard) & ~given, scopes };
}

function urlGrants(rule: PolicyRule): readonly RuleGrant[] {
  if (!rule.verbs.some((verb) => verb === '*' || METRICS_VERBS.has(verb))) return NOTHING;
  let explicit = false;
  let wildcard = false;
  const scopes: string[] = [];
  for (const url of rule.nonResourceURLs) {
    const reach = metricsReach(url);
    if (reach === 'explicit') explicit = true;
    else if (reach === 'wildcard') wildcard = true;
    else if (reach !== undefined) scopes.push(reach.scope);
  }
  const grants: RuleGrant[] = [];
  if (explicit) grants.push({ explicit: METRICS, wildcard: 0, scopes: undefined });
  else if (wildcard) grants.push({ explicit: 0, wildcard: METRICS, scopes: undefined });
  if (scopes.length > 0 && !explicit) grants.push({ explicit: METRICS, wildcard: 0, scopes });
  return grants;
}

/** How an entry of `nonResourceURLs` reaches the metrics: the path itself, or only the part below it that `scope` says. */
export function metricsReach(url: string): 'explicit' | 'wildcard' | { readonly scope: string } | undefined {
  if (url === METRICS_PATH) return 'explicit';
  if (!url.endsWith('*')) return url.startsWith(`${METRICS_PATH}/`) ? { scope: url } : undefined;
  const prefix = withoutTrailingStars(url);
  if (prefix === '' || prefix === '/') return 'wildcard';
  if (METRICS_PATH.startsWith(prefix)) return 'explicit';
  return prefix.startsWith(`${METRICS_PATH}/`) ? { scope: `${prefix}*` } : undefined;
}

function rowsOf(entries: readonly string[], table: ReadonlyMap<string, Rows>): Rows {
  return entries.includes('*') ? ALL_ROWS : unite(entries, table);
}

function unite(entries: readonly string[], table: ReadonlyMap<string, Rows>): Rows {
  let rows = 0;
  for (const entry of entries) rows |= table.get(entry) ?? 0;
  return rows;
}

function capabilitySetOf(rows: Rows): CapabilitySet {
  let set = 0;
  for (let left = rows; left !== 0; left &= left - 1) set |= SET_OF_ROW[31 - Math.clz32(left & -left)] ?? 0;
  return set;
}

function rowsWhere(holds: (row: ResourceCapability) => boolean): Rows {
  return RESOURCE_CAPABILITIES.reduce((rows, row, bit) => (holds(row) ? rows | (1 << bit) : rows), 0);
}

function tabulate(entriesOf: (row: ResourceCapability) => readonly string[]): ReadonlyMap<string, Rows> {
  const table = new Map<string, Rows>();
  for (const [bit, row] of RESOURCE_CAPABILITIES.entries()) {
    for (const entry of entriesOf(row)) table.set(entry, (table.get(entry) ?? 0) | (1 << bit));
  }
  return table;
}

/** The spellings by which the authorizer knows a resource: itself, and a subresource as that of any parent. */
export function withAnyParent(resource: string): readonly string[] {
  const slash = resource.indexOf('/');
  return slash < 0 ? [resource] : [resource, `*${resource.slice(slash)}`];
}
