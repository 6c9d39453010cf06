import type { Step } from './aggregation.ts';
import { capabilitiesIn, type Capability, type CapabilitySet, setOf } from './capabilities.ts';
import type { RuleGrant } from './rule-grants.ts';

/** Where a part of the holdings was found: the role, with the way from the role that holds it, and the rule's index. */
export interface Source {
  readonly step: Step;
  readonly rule: number;
}

/** One capability among the holdings. Without scopes it is held whole. */
export interface Holding {
  readonly capability: Capability;
  readonly how: 'explicit' | 'wildcard';
  readonly scopes: readonly string[] | undefined;
  /** The first source; where several rules add scopes, the others are not told. */
  readonly source: Source;
}

/** Says which of the wanted capabilities are covered: as a whole, or within a scope. */
export type Cover = (scope: string | undefined, wanted: CapabilitySet) => CapabilitySet;

type How = Holding['how'];

/** What one rule gives. */
interface Part {
  readonly explicit: CapabilitySet;
  readonly wildcard: CapabilitySet;
  readonly source: Source;
}

/** What one rule, or several that give the same, give within scopes. */
interface NarrowPart extends Part {
  readonly scopes: readonly string[];
}

/** What somebody holds through a role: everything that the rules give which hold for it. */
export class Holdings {
  readonly #whole: Part[] = [];
  readonly #narrow: NarrowPart[] = [];
  #wholeSet: CapabilitySet = 0;
  #narrowSet: CapabilitySet = 0;
  #list: readonly Holding[] | undefined;

  /** The capabilities held in any way. */
  get set(): CapabilitySet {
    return this.#wholeSet | this.#narrowSet;
  }

  /** True when there is nothing in it. */
  get isEmpty(): boolean {
    return this.set === 0;
  }

  /** Adds what a rule gives. Not to be called after anything was asked. */
  add({ explicit, wildcard, scopes }: RuleGrant, source: Source): void {
    if (scopes === undefined) {
      this.#whole.push({ explicit, wildcard, source });
      this.#wholeSet |= explicit | wildcard;
    } else {
      this.#narrow.push({ explicit, wildcard, source, scopes });
      this.#narrowSet |= explicit | wildcard;
    }
  }

  /** The holdings without what is covered. */
  without(isCovered: Cover): Holdings {
    const rest = new Holdings();
    for (const { explicit, wildcard, source } of this.#whole) {
      const left = ~isCovered(undefined, explicit | wildcard);
      rest.#addIfAny({ explicit: explicit & left, wildcard: wildcard & left, scopes: undefined }, source);
    }
    for (const part of this.#narrow) {
      for (const [left, scopes] of scopesByRest(part, isCovered)) {
        rest.#addIfAny({ explicit: part.explicit & left, wildcard: part.wildcard & left, scopes }, part.source);
      }
    }
    return rest;
  }

  /**
   * Each capability with how it is held. One that is held whole comes once, explicit before wildcard; what is held
   * within scopes comes too where nothing as explicit covers it.
   */
  list(): readonly Holding[] {
    this.#list ??= this.#makeList();
    return this.#list;
  }

  #makeList(): readonly Holding[] {
    const narrow = mergedParts(this.#narrow);
    return capabilitiesIn(this.set).flatMap((capability) => this.#holdingsOf(capability, narrow));
  }

  #holdingsOf(capability: Capability, narrow: readonly NarrowPart[]): readonly Holding[] {
    const explicit = this.#wholeHolding(capability, 'explicit');
    if (explicit !== undefined) return [explicit];
    const wildcard = this.#wholeHolding(capability, 'wildcard');
    const holdings = narrowHoldings(capability, narrow);
    return wildcard === undefined ? holdings : [wildcard, ...holdings.filter(({ how }) => how === 'explicit')];
  }

  #wholeHolding(capability: Capability, how: How): Holding | undefined {
    const part = this.#whole.find((each) => (each[how] & setOf(capability)) !== 0);
    return part && { capability, how, scopes: undefined, source: part.source };
  }

  #addIfAny(grant: RuleGrant, source: Source): void {
    if ((grant.explicit | grant.wildcard) !== 0) this.add(grant, source);
  }
}

/** What is held of a capability within scopes: explicitly, and by a wildcard where it is not explicit too. */
function narrowHoldings(capability: Capability, parts: readonly NarrowPart[]): readonly Holding[] {
  const explicit = narrowHolding(capability, 'explicit', parts);
  const wildcard = narrowHolding(capability, 'wildcard', parts);
  if (wildcard === undefined) return explicit === undefined ? [] : [explicit];
  if (explicit === undefined) return [wildcard];
  const known = new Set(explicit.scopes);
  const scopes = wildcard.scopes.filter((scope) => !known.has(scope));
  return scopes.length === 0 ? [explicit] : [explicit, { ...wildcard, scopes }];
}

function narrowHolding(capability: Capability, how: How, parts: readonly NarrowPart[]): NarrowHolding | undefined {
  const giving = parts.filter((part) => (part[how] & setOf(capability)) !== 0);
  const [first] = giving;
  return first && { capability, how, scopes: unitedScopes(giving), source: first.source };
}

type NarrowHolding = Holding & { readonly scopes: readonly string[] };

/** One part for all rules that give the same: there are few of them even where there are very many rules. */
function mergedParts(parts: readonly NarrowPart[]): readonly NarrowPart[] {
  const alike = Map.groupBy(parts, ({ explicit, wildcard }) => `${explicit} ${wildcard}`);
  return Array.from(alike.values(), (group) => {
    const [first] = group;
    return first === undefined ? [] : [{ ...first, scopes: unitedScopes(group) }];
  }).flat();
}

function unitedScopes(parts: readonly NarrowPart[]): readonly string[] {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first.scopes : [...new Set(parts.flatMap(({ scopes }) => scopes))];
}

/** The scopes of a part in groups, each with the set of everything that is not covered there. */
function scopesByRest(part: NarrowPart, isCovered: Cover): Iterable<readonly [CapabilitySet, readonly string[]]> {
  const wanted = part.explicit | part.wildcard;
  return Map.groupBy(part.scopes, (scope) => ~isCovered(scope, wanted));
}
