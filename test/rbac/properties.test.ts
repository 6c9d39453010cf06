// What holds for every cluster, however its roles aggregate each other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { asList, asObject, type JsonObject } from '../../src/kube/json.ts';
import { authorize } from '../../src/rbac/authorize.ts';
import { clusterRoleBindingOf } from '../../src/rbac/bindings.ts';
import { CAPABILITIES, capabilitiesIn, type Capability } from '../../src/rbac/capabilities.ts';
import { clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import { type Delta, deltaOfBinding, deltaOfRole } from '../../src/rbac/delta.ts';
import {
  type BindingGrants,
  effectiveRules,
  type Grant,
  grantsOf,
  grantsOfRole,
  unitsOf,
} from '../../src/rbac/grants.ts';
import type { GrantsIndex } from '../../src/rbac/grants-index.ts';
import type { GrantsView } from '../../src/rbac/grants-view.ts';
import { OverlayView } from '../../src/rbac/overlay.ts';
import { PathCover } from '../../src/rbac/path-cover.ts';
import { ruleGrantsOf } from '../../src/rbac/rule-grants.ts';
import { asUser } from '../../src/rbac/subjects.ts';
import { grantsOfCapability, permissionsFor } from '../../src/rbac/who-can.ts';
import { request, user } from './authorization-cases.ts';
import { rules, someBinding, someCluster, someRole } from './clusters.ts';
import { indexOf, upsert } from './objects.ts';

const OPTIONS = { numRuns: 300 };
const someChange = fc.tuple(someRole, someBinding);
const someQuestion = fc.tuple(user, request);

test('a write adds what the cluster after it grants and the one before it did not', () => {
  fc.assert(
    fc.property(someCluster, fc.oneof(someRole, someBinding), (objects, write) => {
      const before = indexOf(objects);
      const after = indexOf([...objects, write]);
      const kept = atomsOf(before);
      const expected = [...atomsOf(after)].filter((atom) => !isCovered(atom, kept));
      const delta = deltaOfWrite(write, objects, before);
      assert.ok(delta !== 'unknown');
      assert.deepEqual(atomsIn(delta).sort(), expected.sort());
    }),
    { numRuns: 1500 },
  );
});

test('an overlay answers as an index that was made with the change', () => {
  fc.assert(
    fc.property(someCluster, someChange, someQuestion, (objects, [role, binding], [who, what]) => {
      const [changedRole, changedBinding] = [clusterRoleOf(role), clusterRoleBindingOf(binding)];
      const overlay = new OverlayView(indexOf(objects), {
        clusterRoles: new Map([[changedRole.name, changedRole]]),
        clusterRoleBindings: new Map([[changedBinding.name, changedBinding]]),
      });
      assert.deepEqual(summary(overlay), summary(indexOf([...objects, role, binding])));
      assert.equal(
        authorize(who, what, overlay).allowed,
        authorize(who, what, indexOf([...objects, role, binding])).allowed,
      );
      const without = new OverlayView(overlay, {
        clusterRoles: new Map([[changedRole.name, undefined]]),
        clusterRoleBindings: new Map([[changedBinding.name, undefined]]),
      });
      const rest = objects.filter((object) => !isSameObject(object, role) && !isSameObject(object, binding));
      assert.deepEqual(summary(without), summary(indexOf(rest)));
    }),
    OPTIONS,
  );
});

test('an index that went through other objects in any order answers as a fresh one', () => {
  const history = fc.array(fc.oneof(someRole, someBinding), { maxLength: 20 });
  fc.assert(
    fc.property(history, someCluster, fc.infiniteStream(fc.boolean()), (past, objects, coins) => {
      const index = indexOf([]);
      for (const object of past) {
        upsert(index, object);
        if (coins.next().value === true) remove(index, object);
      }
      for (const object of past) if (!objects.some((each) => isSameObject(each, object))) remove(index, object);
      for (const object of objects.toReversed()) upsert(index, object);
      assert.deepEqual(summary(index), summary(indexOf(objects)));
    }),
    OPTIONS,
  );
});

test('another rule never takes a grant away', () => {
  fc.assert(
    fc.property(someCluster, someRole, rules, (objects, role, more) => {
      const wider = { ...role, rules: [...asList(role['rules']), ...more] };
      const kept = atomsOf(indexOf([...objects, wider]));
      for (const atom of atomsOf(indexOf([...objects, role]))) assert.ok(isCovered(atom, kept), atom);
    }),
    OPTIONS,
  );
});

test('the order and the repetition of rules, subjects and selectors change nothing', () => {
  fc.assert(
    fc.property(someCluster, (objects) => {
      const shuffled = objects.map((object) => Object.assign(structuredClone(object), twice(object)));
      assert.deepEqual([...atomsOf(indexOf(shuffled.toReversed()))].sort(), [...atomsOf(indexOf(objects))].sort());
    }),
    OPTIONS,
  );
});

test('what a role gives is what the rules that hold for it give', () => {
  fc.assert(
    fc.property(someCluster, (objects) => {
      const view = indexOf(objects);
      for (const role of view.clusterRoles()) {
        const byRules = new Set<Capability>();
        for (const { rule, role: source, chain } of effectiveRules(role, view)) {
          assert.deepEqual([chain()[0], chain().at(-1)], [role.name, source]);
          for (const { explicit, wildcard } of ruleGrantsOf(rule)) {
            for (const capability of capabilitiesIn(explicit | wildcard)) byRules.add(capability);
          }
        }
        const given = new Set(grantsOfRole(role, view).map(({ capability }) => capability));
        assert.deepEqual([...given].sort(), [...byRules].sort());
      }
    }),
    OPTIONS,
  );
});

test('asking for a capability finds the units that asking for the bindings finds', () => {
  fc.assert(
    fc.property(someCluster, (objects) => {
      const view = indexOf(objects);
      const found = CAPABILITIES.flatMap((capability) => Array.from(grantsOfCapability(capability, view)));
      assert.deepEqual(
        found.map(unitText).sort(),
        allGrants(view)
          .flatMap((each) => Array.from(unitsOf(each)))
          .map(unitText)
          .sort(),
      );
    }),
    OPTIONS,
  );
});

test('asking who may make a request finds whoever is allowed it', () => {
  fc.assert(
    fc.property(someCluster, request, (objects, what) => {
      const view = indexOf(objects);
      const allowing = new Set(Array.from(permissionsFor(what, view), ({ binding }) => binding.name));
      for (const { name, subjects } of view.clusterRoleBindings()) {
        for (const subject of subjects) {
          const who = asUser(subject) ?? { name: 'nobody', groups: [subject.name] };
          if (allowing.has(name)) assert.ok(authorize(who, what, view).allowed);
        }
      }
      for (const subject of [...view.clusterRoleBindings()].flatMap(({ subjects }) => subjects)) {
        const who = asUser(subject) ?? { name: 'nobody', groups: [subject.name] };
        const answer = authorize(who, what, view);
        if (answer.allowed) assert.ok(allowing.has(answer.binding.name));
      }
    }),
    OPTIONS,
  );
});

test('a set of paths covers what one of its paths covers', () => {
  const path = fc
    .string({ unit: fc.constantFrom('a', 'b', '/', '*', '!'), maxLength: 4 })
    .map((end) => `/metrics/${end}`);
  fc.assert(
    fc.property(fc.array(path), path, (paths, asked) => {
      const expected = paths.some(
        (each) => each === asked || (each.endsWith('*') && asked.startsWith(each.slice(0, -1))),
      );
      assert.equal(new PathCover(new Set(paths)).covers(asked), expected);
    }),
    { numRuns: 2000 },
  );
});

function deltaOfWrite(write: JsonObject, objects: readonly JsonObject[], view: GrantsView): Delta {
  const before = objects.find((object) => isSameObject(object, write));
  return write['kind'] === 'ClusterRole'
    ? deltaOfRole(before && clusterRoleOf(before), clusterRoleOf(write), view)
    : deltaOfBinding(before && clusterRoleBindingOf(before), clusterRoleBindingOf(write), view);
}

function allGrants(view: GrantsView): readonly BindingGrants[] {
  return [...view.clusterRoleBindings()].map((binding) => {
    const grants = grantsOf(binding, view);
    assert.ok(grants !== 'unknown');
    return grants;
  });
}

/** One thing that one subject may do by one binding, as text: at its end nothing for the whole, or `in` a scope. */
type Atom = string;

function atomsOf(view: GrantsView): ReadonlySet<Atom> {
  return new Set(atomsIn(allGrants(view)));
}

function atomsIn(given: readonly BindingGrants[]): Atom[] {
  const atoms = given
    .flatMap((each) => Array.from(unitsOf(each)))
    .flatMap(({ binding, subject, capability, scopes }) => {
      const parts = scopes?.map((scope) => `in ${scope}`) ?? [''];
      return parts.map((part) => [binding.name, binding.roleName, subject.key, capability, part].join('|'));
    });
  return [...new Set(atoms)];
}

function isCovered(atom: Atom, held: ReadonlySet<Atom>): boolean {
  const cut = atom.lastIndexOf('|') + 1;
  const [unit, part] = [atom.slice(0, cut), atom.slice(cut)];
  if (held.has(atom) || held.has(unit)) return true;
  if (!unit.endsWith('|metrics|')) return false;
  return [...held].some((each) => each.startsWith(unit) && each.endsWith('*') && part.startsWith(each.slice(cut, -1)));
}

function summary(view: GrantsView): unknown {
  return {
    roles: [...view.clusterRoles()].map(({ name }) => name).sort(),
    atoms: [...atomsOf(view)].sort(),
    bindings: [...view.clusterRoleBindings()].map(({ name, roleName }) => `${name} ${roleName}`).sort(),
  };
}

function unitText({ binding, subject, capability, how, scopes }: Grant): string {
  return [binding.name, subject.key, capability, how, ...(scopes?.toSorted() ?? [])].join(' ');
}

function isSameObject(one: JsonObject, other: JsonObject): boolean {
  return one['kind'] === other['kind'] && clusterRoleOf(one).name === clusterRoleOf(other).name;
}

function remove(index: GrantsIndex, object: JsonObject): void {
  const { name } = clusterRoleOf(object);
  if (object['kind'] === 'ClusterRole') index.deleteClusterRole(name);
  else index.deleteClusterRoleBinding(name);
}

/** Every list of the object backwards and twice. */
function twice(object: JsonObject): JsonObject {
  const mirrored = (value: unknown): readonly unknown[] => [...asList(value), ...asList(value)].toReversed();
  if (object['kind'] !== 'ClusterRole') return { subjects: mirrored(object['subjects']) };
  const aggregationRule = asObject(object['aggregationRule']);
  return {
    rules: mirrored(object['rules']),
    aggregationRule: { clusterRoleSelectors: mirrored(aggregationRule['clusterRoleSelectors']) },
  };
}
