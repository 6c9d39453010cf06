import { CAPABILITIES, type Capability, capabilitiesIn, type CapabilitySet, setOf } from '../rbac/capabilities.ts';
import { isDefaultSubject } from '../rbac/default-subjects.ts';
import type { Grant } from '../rbac/grants.ts';
import type { GrantsView } from '../rbac/grants-view.ts';
import type { Subject } from '../rbac/subjects.ts';
import { grantsOfCapability } from '../rbac/who-can.ts';

/** Subjects that hold the same capabilities today. */
export interface Expectation {
  readonly capabilities: readonly Capability[];
  readonly subjects: readonly ExpectedHolder[];
}

/** One of them, and the ClusterRoleBindings by which it does. */
export interface ExpectedHolder {
  readonly subject: Subject;
  readonly bindings: readonly string[];
  /** True when one of the capabilities is held for some names or paths only: a policy expects it whole. */
  readonly isLimited: boolean;
}

/** What a policy has to expect so that nothing that is there is refused, and whom no policy can name. */
export interface InitialExpectations {
  readonly expectations: readonly Expectation[];
  /** Subjects with a star in their names, which in a policy would stand for any name. */
  readonly unnameable: readonly Subject[];
}

/** Exactly who holds a capability, Kubernetes' own left out, the most dangerous capabilities first. */
export function initialExpectations(view: GrantsView): InitialExpectations {
  const holders = new Map<string, Held>();
  for (const capability of CAPABILITIES) {
    for (const grant of grantsOfCapability(capability, view)) note(holders, grant);
  }
  const all = [...holders.values()];
  const bySet = Map.groupBy(all.filter(({ subject }) => !hasStar(subject)).sort(bySubject), ({ set }) => set);
  const expectations = Array.from(bySet, ([set, subjects]) => ({
    capabilities: capabilitiesIn(set),
    subjects: subjects.map(({ subject, bindings, isLimited }) => ({ subject, bindings: [...bindings], isLimited })),
  }));
  return {
    expectations: expectations.sort((a, b) => weightOf(b.capabilities) - weightOf(a.capabilities)),
    unnameable: all.map(({ subject }) => subject).filter(hasStar),
  };
}

interface Held {
  readonly subject: Subject;
  readonly bindings: Set<string>;
  set: CapabilitySet;
  isLimited: boolean;
}

function note(holders: Map<string, Held>, { subject, capability, binding, scopes }: Grant): void {
  if (isDefaultSubject(subject, capability)) return;
  const held = holders.get(subject.key) ?? { subject, bindings: new Set<string>(), set: 0, isLimited: false };
  holders.set(subject.key, held);
  held.set |= setOf(capability);
  held.bindings.add(binding.name);
  held.isLimited ||= scopes !== undefined;
}

function hasStar(subject: Subject): boolean {
  return subject.name.includes('*') || (subject.kind === 'ServiceAccount' && subject.namespace.includes('*'));
}

/** Orders sets: nodes/proxy before metrics before everything else, then by how many there are. */
function weightOf(capabilities: readonly Capability[]): number {
  const worst = (capabilities.includes('nodes/proxy') ? 2 : 0) + (capabilities.includes('metrics') ? 1 : 0);
  return worst * CAPABILITIES.length + capabilities.length;
}

function bySubject(a: Held, b: Held): number {
  if (a.subject.key === b.subject.key) return 0;
  return a.subject.key < b.subject.key ? -1 : 1;
}
