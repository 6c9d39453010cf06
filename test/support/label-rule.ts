// Rules for tests: they say what the labels of an object tell them to say.

import { Type } from 'typebox';

import { asList, type JsonObject } from '../../src/kube/json.ts';
import { labelsOf } from '../../src/kube/object.ts';
import { defineRule, type Message, type Observation, type Rule, type RuleMeta } from '../../src/policy/rule.ts';

const MESSAGES = {
  bad: { level: 'violation', text: 'the label says "{{value}}", which is bad' },
  worse: {
    level: 'violation',
    text: 'the label says "{{value}}", which is worse',
    remediation: 'Take the label away at once.',
  },
  odd: { level: 'advice', text: 'the label says "{{value}}", which is odd' },
  unsure: { level: 'unknown', text: 'nobody knows whether "{{value}}" is bad' },
} as const satisfies Readonly<Record<string, Message>>;

/**
 * A rule that reports each label `bad`, `worse`, `odd` or `unsure` with its value, once for every item of a value that
 * is a list with commas, and that throws at a label `throws` with its own id as value.
 */
export function labelRule(id: string, meta: Partial<RuleMeta> = {}): Rule {
  return defineRule({
    meta: {
      id,
      title: 'No label may say that the object is bad',
      severity: 'low',
      profile: 'baseline',
      targets: ['pods', 'templates', 'services', 'namespaces', 'clusterroles'],
      judges: 'pod',
      reads: [],
      rationale: 'A test needs a rule.',
      remediation: 'Take the label away.',
      references: [],
      controls: [],
      ...meta,
      messages: MESSAGES,
    },
    params: Type.Object({ limit: Type.Integer({ default: 10, minimum: 1 }) }),
    *check(object) {
      for (const [label, text] of Object.entries(labelsOf(object))) {
        if (label === 'throws' && text === id) throw new Error(`${id} is broken`);
        if (!isMessage(label)) continue;
        for (const [index, value] of text.split(',').entries()) {
          yield { messageId: label, path: `/metadata/labels/${label}/${index}`, data: { value } };
        }
      }
    },
  });
}

function isMessage(label: string): label is keyof typeof MESSAGES {
  return Object.hasOwn(MESSAGES, label);
}

/** A Pod with labels, in a namespace of its own. */
export function labelledPod(labels: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app', namespace: 'shop', labels, ...metadata }, spec: {} };
}

/** A Deployment whose template has labels. */
export function labelledDeployment(labels: JsonObject, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'app', namespace: 'shop', ...metadata },
    spec: { template: { metadata: { labels }, spec: { containers: [] } } },
  };
}

/** A Namespace with labels of ours, each given without the prefix. */
export function labelledNamespace(labels: Readonly<Record<string, unknown>>, name = 'shop'): JsonObject {
  const entries = Object.entries(labels).map(([key, value]) => [`scrapeguard.io/${key}`, value]);
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: Object.fromEntries(entries) } };
}

/** A rule that reports what the list `observations` of an object holds, as it is. */
export function echoRule(id: string, meta: Partial<RuleMeta> = {}): Rule {
  const { meta: base, params } = labelRule(id, meta);
  return {
    meta: base,
    params,
    // The list is written by a test, for this rule.
    check: (object) => asList(object['observations']) as Iterable<Observation>,
  };
}
