import { Type } from 'typebox';

import { asObject, own, type JsonObject } from '../kube/json.ts';
import { labelsOf, metadataOf, refOf } from '../kube/object.ts';
import { escapeToken, type JsonPointer } from '../kube/pointer.ts';
import { MODE_PROFILES, MODES } from '../policy/mode.ts';
import { INJECT_LABEL, INJECT_VALUES, isLower, postureOf } from '../policy/posture.ts';
import { defineRule, type Message, type Observation, type RuleContext } from '../policy/rule.ts';
import { isExcludedNamespace, modeLabel } from '../policy/scope.ts';
import { matchesWriter } from '../policy/subject-pattern.ts';

const MESSAGES = {
  lowersMode: {
    level: 'violation',
    text: 'the namespace would fall from {{before}} to {{after}} in the mode {{mode}}',
  },
  endsInjection: {
    level: 'violation',
    text: 'pods of the namespace would get no kube-rbac-proxy any more in front of their metrics',
  },
  invalidValue: {
    level: 'violation',
    text: 'the label {{label}} is {{value}}, which is not one of {{allowed}}, and would count as if it were absent',
    remediation: 'Write one of the values that the message names, in quotes: YAML reads off without them as false.',
  },
} as const satisfies Readonly<Record<string, Message>>;

export default defineRule({
  meta: {
    id: 'posture-opt-out',
    title: 'Only an administrator of the policy lowers what a namespace is held to',
    severity: 'high',
    profile: 'baseline',
    targets: ['namespaces'],
    judges: 'object',
    comparesItself: true,
    reads: [],
    rationale:
      'The labels of a namespace choose which rules its objects are held to and whether its metrics get a proxy. Whoever may edit the namespace could switch all of it off with one of them, and nothing else of the policy would hold there. A label with a misspelled value is worse than none, because its author believes it.',
    remediation:
      'Ask an administrator of the policy (spec.administrators) to set the label, or except what the namespace needs by name and until a date in spec.exceptions.',
    references: ['https://kubernetes.io/docs/concepts/security/pod-security-admission/'],
    controls: [],
    messages: MESSAGES,
  },
  params: Type.Object({}),
  *check(namespace, context) {
    yield* invalidLabels(namespace, context);
    if (context.writer !== undefined && matchesWriter(context.policy.administrators, context.writer)) return;
    yield* loweredPosture(namespace, context);
  },
});

type Observations = Generator<Observation<keyof typeof MESSAGES>>;

/** The labels of ours and what they may be. */
const OWN_LABELS: readonly (readonly [label: string, values: readonly string[]])[] = [
  ...MODES.map((mode) => [modeLabel(mode), MODE_PROFILES] as const),
  [INJECT_LABEL, INJECT_VALUES],
];

/** Values that are set or changed to none that the label may have; whoever does it is mistaken. */
function* invalidLabels(namespace: JsonObject, { oldObject }: RuleContext): Observations {
  const before = rawLabels(oldObject);
  const after = rawLabels(namespace);
  for (const [label, values] of OWN_LABELS) {
    if (!Object.hasOwn(after, label)) continue;
    const value = own(after, label);
    if (values.some((allowed) => allowed === value) || value === own(before, label)) continue;
    const data = { label, value: JSON.stringify(value), allowed: values.join(', ') };
    yield { messageId: 'invalidValue', path: pathOf(label), data };
  }
}

/** What is lower than before, on CREATE than without labels: each mode by itself, and the injection. */
function* loweredPosture(namespace: JsonObject, { policy, oldObject }: RuleContext): Observations {
  const { name } = refOf(namespace);
  if (isExcludedNamespace(policy, name)) return;
  const before = postureOf(policy, name, labelsOf(asObject(oldObject)));
  const after = postureOf(policy, name, labelsOf(namespace));
  const placeOf = (label: string): JsonPointer =>
    Object.hasOwn(rawLabels(namespace), label) ? pathOf(label) : LABELS_PATH;
  for (const mode of MODES) {
    const [was, is] = [before.profiles[mode], after.profiles[mode]];
    if (!isLower(is, was)) continue;
    const data = { mode, before: was, after: is };
    yield { messageId: 'lowersMode', path: placeOf(modeLabel(mode)), data, dependsOnWriter: true };
  }
  if (before.isInjected && !after.isInjected) {
    yield { messageId: 'endsInjection', path: placeOf(INJECT_LABEL), dependsOnWriter: true };
  }
}

const LABELS_PATH = '/metadata/labels';

function pathOf(label: string): JsonPointer {
  return `${LABELS_PATH}/${escapeToken(label)}`;
}

function rawLabels(object: JsonObject | undefined): JsonObject {
  return asObject(metadataOf(asObject(object))['labels']);
}
