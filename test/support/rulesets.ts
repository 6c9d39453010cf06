// Rulesets made from a few lines of policy, and objects judged with them as `check` judges a file.

import { judge } from '../../src/admission/judge.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import type { Evaluation } from '../../src/policy/evaluate.ts';
import type { Rule } from '../../src/policy/rule.ts';
import { makeRuleset, type Ruleset } from '../../src/policy/ruleset.ts';
import { RULES } from '../../src/rules/index.ts';
import { policyOf } from './validate-review.ts';

/** The day on which everything is judged. */
export const TODAY = '2026-01-01';

const EVERYTHING = { enforce: 'strict', warn: 'strict', audit: 'strict' };

/** A policy that enforces every rule everywhere, templates too. */
export const STRICTEST: JsonObject = {
  defaults: EVERYTHING,
  clusterScoped: EVERYTHING,
  enforceTemplates: true,
  excludedNamespaces: [],
};

/** Some of the rules under a policy's spec; what the spec leaves out is as in the default policy. */
export function rulesetOf(spec: JsonObject = {}, rules: readonly Rule[] = RULES): Ruleset {
  return makeRuleset(rules, policyOf(rules, spec));
}

const EMPTY_CLUSTER = viewOf([]);

/** What is found in an object that stands alone. */
export function judgeAlone(object: JsonObject, ruleset: Ruleset): Evaluation {
  return judge(object, ruleset, { view: EMPTY_CLUSTER, today: TODAY });
}
