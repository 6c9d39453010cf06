import { walkAggregators, walkMembers } from './aggregation.ts';
import { type CapabilitySet, setOf } from './capabilities.ts';
import type { ClusterRole } from './cluster-role.ts';
import type { GrantsView } from './grants-view.ts';
import type { Cover } from './holdings.ts';
import { PathCover } from './path-cover.ts';

type Names = ReadonlySet<string>;

const METRICS = setOf('metrics');
const NOBODY: Names = new Set();

/**
 * What each of some roles held before a write. The members of all of them are walked once and the roles that own a
 * capability are followed back, so that a thousand roles which share their members cost little more than one.
 */
export class PriorHolders {
  readonly #view: GrantsView;
  /** The roles and all their members: nobody else can be where a holding comes from. */
  readonly #reach: readonly ClusterRole[];
  readonly #anyHolders = new Map<CapabilitySet, Names>();
  readonly #wholeHolders = new Map<CapabilitySet, Names>();
  readonly #aggregators = new Map<string, Names>();
  #scopeOwners: ReadonlyMap<string, readonly ScopeOwner[]> | undefined;
  #pathOwners: readonly PathOwner[] | undefined;

  constructor(roles: Iterable<ClusterRole>, view: GrantsView) {
    this.#view = view;
    this.#reach = [...walkMembers(roles, view)].map(({ role }) => role);
  }

  /** True when a role held any of the wanted capabilities, in whatever scope. */
  mayCover(name: string, wanted: CapabilitySet): boolean {
    return bitsOf(wanted).some((bit) => this.#holdersOfAny(bit).has(name));
  }

  /** What a role's holdings covered. */
  coverOf(name: string): Cover {
    return (scope, wanted) => {
      const whole = bitsOf(wanted).filter((bit) => this.#holdersOfWhole(bit).has(name));
      const covered = whole.reduce((set, bit) => set | bit, 0);
      return scope === undefined || covered === wanted ? covered : covered | (wanted & this.#narrowCover(name, scope));
    };
  }

  #narrowCover(name: string, scope: string): CapabilitySet {
    let covered = 0;
    for (const { role, set } of this.#ownersOfScope(scope)) if (this.#aggregatorsOf(role).has(name)) covered |= set;
    for (const { role, paths } of this.#ownersOfPaths()) {
      if (paths.covers(scope) && this.#aggregatorsOf(role).has(name)) covered |= METRICS;
    }
    return covered;
  }

  #holdersOfAny(bit: CapabilitySet): Names {
    return this.#holders(this.#anyHolders, bit, ({ gives }) => (gives.any & bit) !== 0);
  }

  #holdersOfWhole(bit: CapabilitySet): Names {
    return this.#holders(this.#wholeHolders, bit, ({ gives }) => ((gives.explicit | gives.wildcard) & bit) !== 0);
  }

  #holders(known: Map<CapabilitySet, Names>, bit: CapabilitySet, owns: (role: ClusterRole) => boolean): Names {
    let holders = known.get(bit);
    if (holders === undefined) {
      holders = this.#namesOfAggregators(this.#reach.filter(owns));
      known.set(bit, holders);
    }
    return holders;
  }

  #aggregatorsOf(role: ClusterRole): Names {
    let names = this.#aggregators.get(role.name);
    if (names === undefined) {
      names = this.#namesOfAggregators([role]);
      this.#aggregators.set(role.name, names);
    }
    return names;
  }

  #namesOfAggregators(owners: readonly ClusterRole[]): Names {
    if (owners.length === 0) return NOBODY;
    return new Set(walkAggregators(owners, this.#view).map(({ role }) => role.name));
  }

  #ownersOfScope(scope: string): readonly ScopeOwner[] {
    this.#scopeOwners ??= scopeOwnersOf(this.#reach);
    return this.#scopeOwners.get(scope) ?? [];
  }

  #ownersOfPaths(): readonly PathOwner[] {
    this.#pathOwners ??= this.#reach.filter(({ gives }) => (gives.any & METRICS) !== 0).flatMap(pathOwnerOf);
    return this.#pathOwners;
  }
}

interface ScopeOwner {
  readonly role: ClusterRole;
  readonly set: CapabilitySet;
}

interface PathOwner {
  readonly role: ClusterRole;
  readonly paths: PathCover;
}

function scopeOwnersOf(roles: readonly ClusterRole[]): ReadonlyMap<string, readonly ScopeOwner[]> {
  const owners = new Map<string, ScopeOwner[]>();
  for (const role of roles) {
    for (const [, { explicit, wildcard, scopes }] of role.gives.byRule) {
      const owner = { role, set: explicit | wildcard };
      for (const scope of scopes ?? []) {
        const present = owners.get(scope);
        if (present === undefined) owners.set(scope, [owner]);
        else present.push(owner);
      }
    }
  }
  return owners;
}

function pathOwnerOf(role: ClusterRole): readonly PathOwner[] {
  const paths = new Set<string>();
  for (const [, { explicit, scopes }] of role.gives.byRule) {
    if ((explicit & METRICS) === 0) continue;
    for (const scope of scopes ?? []) if (scope.endsWith('*')) paths.add(scope);
  }
  return paths.size === 0 ? [] : [{ role, paths: new PathCover(paths) }];
}

function bitsOf(set: CapabilitySet): readonly CapabilitySet[] {
  const bits: CapabilitySet[] = [];
  for (let left = set; left !== 0; left &= left - 1) bits.push(left & -left);
  return bits;
}
