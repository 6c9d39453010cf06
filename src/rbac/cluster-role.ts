import { asList, asObject, asString, isObject, type JsonObject, own } from '../kube/json.ts';
import { requirementsOf } from '../kube/labels.ts';
import type { CapabilitySet } from './capabilities.ts';
import { type PolicyRule, policyRulesOf, type ShareList } from './policy-rule.ts';
import { type RuleGrant, ruleGrantsOf } from './rule-grants.ts';
import { hasSameLabels, type Selector, selectorOf } from './selectors.ts';

/** A ClusterRole as far as authorization goes. */
export interface ClusterRole {
  /** '' when the API server has yet to make one from `generateName`. */
  readonly name: string;
  readonly labels: JsonObject;
  /** All stored rules; those of an aggregated role hold until the controller overwrites them. */
  readonly rules: readonly PolicyRule[];
  /** The roles whose rules this one takes over: whatever one of the selectors selects. */
  readonly selectors: readonly Selector[];
  readonly gives: OwnGrants;
}

/** What a role's own rules give, members left out. */
export interface OwnGrants {
  /** Capabilities given whole by an explicit entry, and by a wildcard; a capability may be in both. */
  readonly explicit: CapabilitySet;
  readonly wildcard: CapabilitySet;
  /** Capabilities given in any way, limited by scopes too. */
  readonly any: CapabilitySet;
  /** The rules that give something, by their index in `.rules`. */
  readonly byRule: readonly (readonly [rule: number, grant: RuleGrant])[];
}

const NOTHING: OwnGrants = Object.freeze({ explicit: 0, wildcard: 0, any: 0, byRule: Object.freeze([]) });
const NO_SELECTORS: readonly Selector[] = Object.freeze([]);
const NO_LABELS: JsonObject = Object.freeze({});

/** The last readings of objects that several ask about during one decision, and that nobody keeps. */
const READINGS = new WeakMap<JsonObject, ClusterRole>();

/** Reads a ClusterRole, whatever its shape: what is malformed reads as absent. */
export function clusterRoleOf(object: JsonObject, share?: ShareList): ClusterRole {
  if (share !== undefined) return readClusterRole(object, share);
  const known = READINGS.get(object);
  if (known !== undefined) return known;
  const role = readClusterRole(object);
  READINGS.set(object, role);
  return role;
}

function readClusterRole(object: JsonObject, share?: ShareList): ClusterRole {
  const metadata = asObject(own(object, 'metadata'));
  const labels = own(metadata, 'labels');
  const rules = policyRulesOf(object, share);
  return {
    name: asString(own(metadata, 'name')) ?? '',
    labels: isObject(labels) ? labels : NO_LABELS,
    rules,
    selectors: selectorsOf(own(object, 'aggregationRule')),
    gives: ownGrantsOf(rules),
  };
}

/** True when a role, by its own rules or by those of members, may give a capability: nothing else has to be known. */
export function mayGrant(role: ClusterRole): boolean {
  return role.gives.any !== 0 || role.selectors.length > 0;
}

/** True when nothing differs that bears on what the role, or one that aggregates it, gives. */
export function isEquivalent(one: ClusterRole, other: ClusterRole): boolean {
  return (
    one.name === other.name &&
    hasSameLabels(one.labels, other.labels) &&
    isSameList(one.selectors, other.selectors, (a, b) => a.key === b.key) &&
    isSameList(one.gives.byRule, other.gives.byRule, ([, a], [, b]) => isSameGrant(a, b))
  );
}

function isSameGrant(one: RuleGrant, other: RuleGrant): boolean {
  return (
    one.explicit === other.explicit &&
    one.wildcard === other.wildcard &&
    isSameList(one.scopes ?? [], other.scopes ?? [], (a, b) => a === b)
  );
}

function isSameList<Item>(
  one: readonly Item[],
  other: readonly Item[],
  isSame: (a: Item, b: Item) => boolean,
): boolean {
  if (one.length !== other.length) return false;
  const others = other.values();
  return one.every((item) => {
    const next = others.next();
    return next.done !== true && isSame(item, next.value);
  });
}

function selectorsOf(aggregationRule: unknown): readonly Selector[] {
  const items = asList(own(asObject(aggregationRule), 'clusterRoleSelectors'));
  if (items.length === 0) return NO_SELECTORS;
  const selectors = new Map<string, Selector>();
  for (const item of items) {
    // The API server decodes a null in this list as an empty selector, which selects everything.
    const requirements = item === null ? [] : requirementsOf(isObject(item) ? item : undefined);
    if (requirements === undefined) continue;
    const selector = selectorOf(requirements);
    selectors.set(selector.key, selector);
  }
  return [...selectors.values()];
}

function ownGrantsOf(rules: readonly PolicyRule[]): OwnGrants {
  let [explicit, wildcard, any] = [0, 0, 0];
  const byRule: [number, RuleGrant][] = [];
  for (const [index, rule] of rules.entries()) {
    for (const grant of ruleGrantsOf(rule)) {
      if (grant.scopes === undefined) {
        // Many equal rules give no more than the first of them.
        if ((grant.explicit & ~explicit) === 0 && (grant.wildcard & ~(explicit | wildcard)) === 0) continue;
        explicit |= grant.explicit;
        wildcard |= grant.wildcard;
      }
      any |= grant.explicit | grant.wildcard;
      byRule.push([index, grant]);
    }
  }
  return any === 0 ? NOTHING : { explicit, wildcard, any, byRule };
}
