// Rules that look like a grant of a node's subresource or of the metrics and give nothing, with what was probably meant.
import {
  capabilitiesIn,
  type Capability,
  METRICS_VERBS,
  RESOURCE_CAPABILITIES,
  type ResourceCapability,
  setOf,
} from './capabilities.ts';
import type { PolicyRule } from './policy-rule.ts';
import { metricsReach, ruleGrantsOf, withAnyParent } from './rule-grants.ts';

/** A rule that tries to give a capability and does not: everything that stands in the way, in the order of the fields. */
export interface NearMiss {
  readonly capability: Capability;
  readonly problems: readonly [Problem, ...Problem[]];
}

/** One list of a rule that keeps it from having an effect. */
export interface Problem {
  readonly field: 'verbs' | 'apiGroups' | 'resources' | 'resourceNames' | 'nonResourceURLs';
  /** The entries as they are written; entries of the same list that have an effect are not among them. */
  readonly written: readonly string[];
  /** An entry that would have an effect, or undefined when there is none to recommend. */
  readonly meant: string | undefined;
}

const GRANTABLE = RESOURCE_CAPABILITIES.filter((row) => row.namesObject);
const EFFECTIVE_RESOURCES: ReadonlyMap<string, ResourceCapability> = new Map(
  // The last of equal keys is kept, and the first row is the one that matters most.
  GRANTABLE.toReversed().flatMap((row) => row.resources.flatMap(withAnyParent).map((resource) => [resource, row])),
);
/** Only these are recognised when misspelled: `pods/*` is rather meant for logs. */
const NODE_CAPABILITIES = GRANTABLE.filter((row) => row.capability.startsWith('nodes/'));
const NODE_NAMES: ReadonlySet<string> = new Set(['nodes', 'node', 'no', '']);
const CORE_GROUP_MISTAKES: ReadonlySet<string> = new Set(['core', 'v1', '/v1', 'core/v1']);

/** What a rule tries to give in vain, one entry a capability. A rule that gives something there is no near miss for it. */
export function nearMissesOf(rule: PolicyRule): readonly NearMiss[] {
  if (rule.verbs.length === 0) return [];
  const given = ruleGrantsOf(rule).reduce((set, grant) => set | grant.explicit | grant.wildcard, 0);
  const misses = rule.nonResourceURLs.length > 0 ? urlMisses(rule) : resourceMisses(rule);
  return misses.filter((miss) => (given & setOf(miss.capability)) === 0);
}

/** True when a rule has a URL that reaches the metrics, or was probably meant to. */
export function reachesForMetrics({ nonResourceURLs }: PolicyRule): boolean {
  return nonResourceURLs.some((url) => metricsReach(url) !== undefined || resemblesMetrics(url));
}

/** What a rule gives of nodes, or tries to, by entries that name them: neither `*` nor the subresource of any parent. */
export function attemptsOnNodes(rule: PolicyRule): readonly Capability[] {
  const named = { ...rule, resources: rule.resources.filter((resource) => !resource.startsWith('*')) };
  const given = ruleGrantsOf({ ...named, nonResourceURLs: [] }).flatMap((grant) => capabilitiesIn(grant.explicit));
  const missed = nearMissesOf({ ...named, nonResourceURLs: [] }).map(({ capability }) => capability);
  return [...new Set([...given, ...missed])].filter((capability) => capability.startsWith('nodes/'));
}

/** Linear: the entries are dealt out to the capabilities first, and each capability is then looked at once. */
function resourceMisses(rule: PolicyRule): readonly NearMiss[] {
  const groups = groupProblems(rule.apiGroups);
  if (groups === undefined) return [];
  const misspelled = new Map<ResourceCapability, string[]>();
  for (const written of rule.resources) {
    const row = meantByResource(written);
    if (row === undefined) continue;
    const entries = misspelled.get(row) ?? [];
    misspelled.set(row, entries);
    if (!EFFECTIVE_RESOURCES.has(written)) entries.push(written);
  }
  const names = nameProblems(rule.resourceNames);
  return Array.from(misspelled, ([row, written]): NearMiss[] => {
    const [first, ...rest] = [
      ...verbProblems(rule.verbs, row.verbs),
      ...groups,
      ...(written.length === 0 ? [] : [problem('resources', written, row.capability)]),
      ...names,
    ];
    return first === undefined ? [] : [{ capability: row.capability, problems: [first, ...rest] }];
  }).flat();
}

function urlMisses(rule: PolicyRule): readonly NearMiss[] {
  const verbs = verbProblems(rule.verbs, METRICS_VERBS);
  const urls = rule.nonResourceURLs.filter(resemblesMetrics);
  const wrong = urls.filter((url) => metricsReach(url) === undefined);
  if (urls.length === 0) return [];
  const [first, ...rest] = [
    ...verbs,
    ...(wrong.length < urls.length ? [] : [problem('nonResourceURLs', wrong, '/metrics')]),
  ];
  return first === undefined ? [] : [{ capability: 'metrics', problems: [first, ...rest] }];
}

/** The row that an entry of `resources` is, or was probably meant to be. The wildcard `*` was not meant for any one. */
function meantByResource(written: string): ResourceCapability | undefined {
  if (!written.includes('/')) return undefined;
  const exact = EFFECTIVE_RESOURCES.get(written);
  if (exact !== undefined) return exact;
  const [parent = '', subresource] = written.trim().toLowerCase().split('/', 2);
  if (subresource === undefined || !NODE_NAMES.has(withoutStars(parent))) return undefined;
  const start = withoutStars(subresource);
  return NODE_CAPABILITIES.find(({ capability }) => {
    const wanted = capability.slice('nodes/'.length);
    return subresource.includes('*') ? wanted.startsWith(start) : wanted === start;
  });
}

function verbProblems(verbs: readonly string[], effective: ReadonlySet<string>): readonly Problem[] {
  return verbs.some((verb) => verb === '*' || effective.has(verb)) ? [] : [problem('verbs', verbs, 'get')];
}

/** Undefined when the groups name other APIs, which may well have nodes of their own. */
function groupProblems(groups: readonly string[]): readonly Problem[] | undefined {
  if (groups.includes('') || groups.includes('*')) return [];
  const mistakes = groups.filter((group) => CORE_GROUP_MISTAKES.has(group));
  return mistakes.length === 0 ? undefined : [problem('apiGroups', mistakes, '')];
}

function nameProblems(names: readonly string[]): readonly Problem[] {
  const dead = names.length > 0 && names.every((name) => name === '' || name === '*');
  return dead ? [problem('resourceNames', names, undefined)] : [];
}

function problem(field: Problem['field'], written: readonly string[], meant: string | undefined): Problem {
  return { field, written, meant };
}

/**
 * True for `/metrics` as people misspell it: another case, escaped, no slash or too many, a query, a star in front,
 * where it is no wildcard.
 */
function resemblesMetrics(url: string): boolean {
  const [path = ''] = decoded(url).trim().toLowerCase().split(/[?#]/, 1);
  const first = path.split('/').find((segment) => segment !== '.' && withoutStars(segment) !== '');
  return first !== undefined && withoutStars(first) === 'metrics';
}

function decoded(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function withoutStars(text: string): string {
  return text.replaceAll('*', '');
}
