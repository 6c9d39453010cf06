import { asString, type JsonObject } from '../kube/json.ts';
import { groupOf } from '../kube/object.ts';
import { RESOURCES } from '../kube/resources.ts';
import { TEMPLATE_KINDS, type TemplateKind } from '../kube/templates.ts';
import type { Policy } from './document.ts';
import { expectedSubjectsOf, type ExpectedSubjects } from './expected-subjects.ts';
import { weakerMode, type Mode } from './mode.ts';
import type { Rule } from './rule.ts';

/** A rule with what a policy says of it. */
export interface ActiveRule {
  readonly rule: Rule;
  readonly params: unknown;
  /** The strongest mode in which a finding of it can count. */
  readonly cap: Mode;
}

/** A policy made ready for judging: which rules are asked about which kinds. Made once a policy, read by every request. */
export interface Ruleset {
  readonly policy: Policy;
  readonly expected: ExpectedSubjects;
  readonly templateKinds: readonly TemplateKind[];
  /** The rules that are asked about an object, by its group and kind, in the order of their ids. */
  rulesFor(object: JsonObject): readonly ActiveRule[];
}

/** Makes a ruleset; rules that the policy turns off are not in it. Throws for a policy that was parsed for other rules. */
export function makeRuleset(rules: readonly Rule[], policy: Policy): Ruleset {
  const templateKinds = [...TEMPLATE_KINDS, ...policy.templateKinds];
  const active = rules.flatMap((rule) => activate(rule, policy)).sort(byId);
  const anyKind = active.filter(({ rule }) => rule.meta.anyKind === true);
  const byKind = new Map<string, ActiveRule[]>();
  for (const row of [...Object.values(RESOURCES), ...templateKinds]) {
    const asked = active.filter(({ rule }) => rule.meta.anyKind === true || isAskedAbout(rule, row, templateKinds));
    byKind.set(keyOf(row.group, row.kind), asked);
  }
  return {
    policy,
    expected: expectedSubjectsOf(policy),
    templateKinds,
    rulesFor(object) {
      const group = groupOf(asString(object['apiVersion']) ?? '');
      return byKind.get(keyOf(group, asString(object['kind']) ?? '')) ?? anyKind;
    },
  };
}

function activate(rule: Rule, policy: Policy): ActiveRule[] {
  const settings = policy.rules[rule.meta.id];
  if (settings === undefined) throw new Error(`The policy was parsed without the rule ${rule.meta.id}.`);
  if (settings.maximumMode === 'off' || policy.maximumMode === 'off') return [];
  return [{ rule, params: settings.params, cap: weakerMode(settings.maximumMode, policy.maximumMode) }];
}

function isAskedAbout(
  rule: Rule,
  row: { kind: string; group: string },
  templateKinds: readonly TemplateKind[],
): boolean {
  return rule.meta.targets.some((target) => {
    const rows = target === 'templates' ? templateKinds : [RESOURCES[target]];
    return rows.some(({ kind, group }) => kind === row.kind && group === row.group);
  });
}

/** Kinds that old manifests still write in the group `extensions` moved to `apps` in Kubernetes 1.16. */
function keyOf(group: string, kind: string): string {
  return `${group === 'extensions' ? 'apps' : group}/${kind}`;
}

function byId(a: ActiveRule, b: ActiveRule): number {
  return a.rule.meta.id < b.rule.meta.id ? -1 : 1;
}
