// Aggregation as the controller clusterroleaggregation leaves it when it has come to rest: a role has its own rules and
// those of every role that it selects, directly or through others. Roles may select each other.
import { matchesLabels } from '../kube/labels.ts';
import type { ClusterRole } from './cluster-role.ts';
import { Frontier } from './frontier.ts';
import type { GrantsView } from './grants-view.ts';
import { anchorsOfLabels, EVERYWHERE, type Selector } from './selectors.ts';

/** A role that a walk came to, the one that it came from (undefined: it started there), and the one that it started at. */
export interface Step {
  readonly role: ClusterRole;
  readonly from: Step | undefined;
  readonly start: ClusterRole;
}

/** The roles and everything that they aggregate, transitively, nearest first, each once. Linear, whatever the cycles. */
export function* walkMembers(starts: Iterable<ClusterRole>, view: GrantsView): Generator<Step, void> {
  const queue = firstSteps(starts);
  if (queue.every(({ role }) => role.selectors.length === 0)) {
    yield* queue;
    return;
  }
  const seen = new Set(queue.map(({ role }) => role.name));
  const expanded = new Set<string>();
  const frontier = new Frontier<ClusterRole>((role) => seen.has(role.name));
  const rolesAt = (anchor: string): Iterable<ClusterRole> => view.clusterRolesAt(anchor);
  for (const step of queue) {
    yield step;
    for (const selector of step.role.selectors) {
      if (expanded.has(selector.key)) continue;
      expanded.add(selector.key);
      const isSelected = (role: ClusterRole): boolean => matchesLabels(selector.requirements, role.labels);
      for (const anchor of selector.anchors) {
        for (const role of frontier.take(anchor, rolesAt, isSelected)) follow(role, step, seen, queue);
      }
    }
  }
}

/** The roles and everything that aggregates them, transitively, nearest first, each once. Linear, whatever the cycles. */
export function* walkAggregators(starts: Iterable<ClusterRole>, view: GrantsView): Generator<Step, void> {
  const queue = firstSteps(starts);
  const seen = new Set(queue.map(({ role }) => role.name));
  const found = new Set<string>();
  const frontier = new Frontier<Selector>((selector) => found.has(selector.key));
  const selectorsAt = (anchor: string): Iterable<Selector> => view.selectorsAt(anchor);
  for (const step of queue) {
    yield step;
    const { labels } = step.role;
    const selects = ({ requirements }: Selector): boolean => matchesLabels(requirements, labels);
    for (const anchor of [EVERYWHERE, ...anchorsOfLabels(labels)]) {
      for (const { key } of frontier.take(anchor, selectorsAt, selects)) {
        found.add(key);
        for (const role of view.clusterRolesSelectingBy(key)) follow(role, step, seen, queue);
      }
    }
  }
}

/** The names of the roles on the way back from a step to the role that its walk started at, both included. */
export function namesBack(step: Step): readonly string[] {
  const names: string[] = [];
  for (let at: Step | undefined = step; at !== undefined; at = at.from) names.push(at.role.name);
  return names;
}

function firstSteps(starts: Iterable<ClusterRole>): Step[] {
  const byName = new Map<string, Step>();
  for (const role of starts) byName.set(role.name, { role, from: undefined, start: role });
  return [...byName.values()];
}

function follow(role: ClusterRole, from: Step, seen: Set<string>, queue: Step[]): void {
  if (seen.has(role.name)) return;
  seen.add(role.name);
  queue.push({ role, from, start: from.start });
}
