import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Operation, UserInfo } from '../../src/kube/admission-review.ts';
import { isObject, type JsonObject } from '../../src/kube/json.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import type { Rule } from '../../src/policy/rule.ts';
import { makeRuleset } from '../../src/policy/ruleset.ts';
import { RULES } from '../../src/rules/index.ts';
import { policyOf } from './validate-review.ts';

/** One row of a rule's table: an object, and what the rule must say of it as `messageId path`, in any order. */
export interface RuleCase {
  readonly name: string;
  readonly object: JsonObject;
  readonly findings: readonly string[];
  readonly params?: JsonObject;
  /** More of the policy's spec. */
  readonly policy?: JsonObject;
  readonly namespace?: string;
  readonly operation?: Operation;
  readonly oldObject?: JsonObject;
  readonly writer?: UserInfo;
  readonly clusterObjects?: readonly JsonObject[];
}

/** What one rule says of one object under a policy that enforces everything, as `messageId path`. */
export function findingsOf(rule: Rule, row: RuleCase): string[] {
  const policy = policyOf(RULES, { ...row.policy, rules: { [rule.meta.id]: { params: row.params ?? {} } } });
  const everything = { enforce: 'strict', warn: 'strict', audit: 'strict' } as const;
  const { findings, errors } = evaluate(row.object, makeRuleset([rule], policy), {
    view: viewOf(row.clusterObjects ?? []),
    scope: { profiles: everything, uncertain: false },
    namespace: row.namespace ?? 'default',
    today: '2026-01-01',
    ...(row.operation === undefined ? {} : { operation: row.operation }),
    ...(row.oldObject === undefined ? {} : { oldObject: row.oldObject }),
    ...(row.writer === undefined ? {} : { writer: row.writer }),
  });
  assert.deepEqual(errors, []);
  return findings.map(({ messageId, path }) => `${messageId} ${path}`).sort();
}

/** Runs a rule's table, one named test a row. */
export function testRule(rule: Rule, rows: readonly RuleCase[]): void {
  describe(rule.meta.id, () => {
    for (const row of rows) {
      it(row.name, () => assert.deepEqual(findingsOf(rule, row), [...row.findings].sort()));
    }
  });
}

/** A minimal valid Pod; `change` is laid over its spec, a container's fields over its only container. */
export function makePod({ spec = {}, container = {} }: { spec?: JsonObject; container?: JsonObject } = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', namespace: 'default' },
    spec: { containers: [{ name: 'app', image: 'app:1', ...container }], ...spec },
  };
}

/** An object with some of its fields replaced, nested objects merged key by key. */
export function tweak(object: JsonObject, change: JsonObject): JsonObject {
  const merged = Object.entries(change).map(([key, value]) => {
    const current = object[key];
    return [key, isObject(current) && isObject(value) ? tweak(current, value) : value] as const;
  });
  return { ...object, ...Object.fromEntries(merged) };
}
