import type { Operation, UserInfo } from '../kube/admission-review.ts';
import type { JsonObject } from '../kube/json.ts';
import type { JsonPointer } from '../kube/pointer.ts';
import { isTemplateKind, templatesOf, type PodTemplate } from '../kube/templates.ts';
import type { ClusterView } from './cluster-view.ts';
import { addedFindings } from './delta.ts';
import type { Exception } from './document.ts';
import { exceptionFor, exceptionTargetsOf } from './exceptions.ts';
import { renderMessage, renderRemediation } from './message.ts';
import { MODES, strongestMode, weakerMode, type Mode } from './mode.ts';
import type { Message, Observation, RuleContext, RuleMeta } from './rule.ts';
import type { ActiveRule, Ruleset } from './ruleset.ts';
import type { Scope } from './scope.ts';

/** One violation or advice on one object. Its sentence is made only where it is shown: `messageOf`. */
export interface Finding {
  readonly rule: RuleMeta;
  readonly messageId: string;
  readonly message: Message;
  /** The place in the object that was judged, template prefix included. */
  readonly path: JsonPointer;
  readonly data: Readonly<Record<string, string | number>>;
  /** The strongest mode in which it counts, every cap of the policy and of the message applied. */
  readonly mode: Mode;
  /** True when it is about pods that the object will make, not about the object itself. */
  readonly isTemplate: boolean;
  /** True when nobody could say: the rule's own unknown, or a violation where the namespace's labels could not be read. */
  readonly isUnknown: boolean;
  /** True when it holds for an ordinary writer, nobody is known to have written the object, and another might have. */
  readonly assumesWriter: boolean;
}

/** A rule that threw: the others have still answered. */
export interface RuleError {
  readonly rule: RuleMeta;
  readonly mode: Mode;
  readonly isTemplate: boolean;
  readonly error: unknown;
}

/** What the rules say of one object. */
export interface Evaluation {
  readonly findings: readonly Finding[];
  readonly errors: readonly RuleError[];
  /** The names of the exceptions that held something back, and how many findings and errors that was. */
  readonly exceptions: readonly string[];
  readonly excepted: number;
}

/** Everything an evaluation depends on besides the ruleset and the object. */
export interface Circumstances {
  readonly view: ClusterView;
  readonly scope: Scope;
  /** '' outside every namespace. */
  readonly namespace: string;
  /** Today's date, UTC: `2027-03-31`. */
  readonly today: string;
  readonly operation?: Operation;
  readonly oldObject?: JsonObject;
  readonly writer?: UserInfo;
}

/**
 * Asks every rule that counts in some mode about an object. On UPDATE only findings that `oldObject` had not are kept.
 * What an exception covers is left out and counted. Never throws: a rule that does is an error of its own, and the
 * others are still asked, and one unknown stands for all.
 */
export function evaluate(object: JsonObject, ruleset: Ruleset, circumstances: Circumstances): Evaluation {
  const found: Finding[] = [];
  const errors: RuleError[] = [];
  const names = new Set<string>();
  let excepted = 0;
  const scene = sceneOf(object, ruleset, circumstances);
  for (const active of ruleset.rulesFor(object)) {
    const question = questionFor(active, scene);
    if (question === undefined) continue;
    const { findings, error } = ask(question);
    if (findings.length === 0 && error === undefined) continue;
    const exception = exceptionTo(question, object);
    if (exception !== undefined) {
      names.add(exception.name);
      excepted += findings.length + (error === undefined ? 0 : 1);
      continue;
    }
    for (const finding of findings) found.push(finding);
    if (error !== undefined) errors.push(error);
  }
  return { findings: withOneUnknown(found), errors, exceptions: [...names], excepted };
}

/** What the cluster did not answer is said once, by the rule in whose mode it counts most. */
function withOneUnknown(findings: readonly Finding[]): readonly Finding[] {
  const unknown = findings.filter(({ message }) => message.level === 'unknown');
  if (unknown.length < 2) return findings;
  const told = MODES.map((mode) => unknown.find((finding) => finding.mode === mode)).find(Boolean);
  return findings.filter((finding) => finding === told || finding.message.level !== 'unknown');
}

/** The sentence of a finding; it ends with the assumption that it rests on. */
export function messageOf({ message, data, assumesWriter }: Finding): string {
  return `${renderMessage(message, data)}${assumesWriter ? ' (assuming that an ordinary user writes it)' : ''}`;
}

/** How to fix what a finding is about. */
export function remediationOf({ message, rule, data }: Finding): string {
  return message.remediation === undefined ? rule.remediation : renderRemediation(message.remediation, data);
}

/** What is the same for every rule that is asked about one object. */
interface Scene {
  readonly whole: readonly PodTemplate[];
  /** Undefined for a kind without templates. */
  readonly templates: readonly PodTemplate[] | undefined;
  readonly ruleset: Ruleset;
  readonly circumstances: Circumstances;
  readonly known: Omit<RuleContext, 'params' | 'isTemplate'>;
}

function sceneOf(object: JsonObject, ruleset: Ruleset, circumstances: Circumstances): Scene {
  const { policy, expected, templateKinds } = ruleset;
  const { view, namespace, operation, oldObject, writer } = circumstances;
  return {
    whole: [{ pod: object, path: '' }],
    templates: isTemplateKind(object, templateKinds) ? templatesOf(object, templateKinds) : undefined,
    ruleset,
    circumstances,
    known: {
      policy,
      expected,
      view,
      namespace,
      ...(operation === undefined ? {} : { operation }),
      ...(oldObject === undefined ? {} : { oldObject }),
      ...(writer === undefined ? {} : { writer }),
    },
  };
}

/** One rule, about to be asked about one object. */
interface Question {
  readonly active: ActiveRule;
  readonly mode: Mode;
  readonly isTemplate: boolean;
  /** What the rule is handed: the object as it is, or the Pod of each of its templates. */
  readonly parts: readonly PodTemplate[];
  readonly context: RuleContext;
  readonly ruleset: Ruleset;
  readonly circumstances: Circumstances;
}

/** Undefined for a rule that counts in no mode. */
function questionFor(
  active: ActiveRule,
  { whole, templates, ruleset, circumstances, known }: Scene,
): Question | undefined {
  const { profile, judges } = active.rule.meta;
  const strongest = strongestMode(circumstances.scope.profiles, profile);
  if (strongest === undefined) return undefined;
  const isTemplate = judges === 'pod' && templates !== undefined;
  return {
    active,
    mode: weakerMode(strongest, active.cap),
    isTemplate,
    parts: isTemplate ? templates : whole,
    context: { ...known, params: active.params, isTemplate },
    ruleset,
    circumstances,
  };
}

function ask(question: Question): { readonly findings: readonly Finding[]; readonly error?: RuleError } {
  const { active, mode, isTemplate } = question;
  try {
    return { findings: newFindings(question) };
  } catch (error) {
    return { findings: [], error: { rule: active.rule.meta, mode, isTemplate, error } };
  }
}

function newFindings(question: Question): readonly Finding[] {
  const after = findingsIn(question.parts, question);
  const { operation, oldObject } = question.circumstances;
  const { comparesItself = false } = question.active.rule.meta;
  if (after.length === 0 || operation !== 'UPDATE' || oldObject === undefined || comparesItself) return after;
  const parts = question.isTemplate
    ? templatesOf(oldObject, question.ruleset.templateKinds)
    : [{ pod: oldObject, path: '' }];
  return addedFindings(findingsIn(parts, question), after);
}

function findingsIn(parts: readonly PodTemplate[], question: Question): Finding[] {
  const { context, active } = question;
  const findings: Finding[] = [];
  for (const { pod, path } of parts) {
    for (const observation of active.rule.check(pod, context)) findings.push(findingOf(observation, path, question));
  }
  return findings;
}

function findingOf(observation: Observation, prefix: JsonPointer, question: Question): Finding {
  const { messageId, path, data = NO_DATA, dependsOnWriter = false } = observation;
  const { mode, isTemplate, active, circumstances } = question;
  const rule = active.rule.meta;
  const message = rule.messages[messageId];
  if (message === undefined) throw new Error(`Rule ${rule.id} has no message "${messageId}".`);
  return {
    rule,
    messageId,
    message,
    path: prefix + path,
    data,
    mode: message.level === 'advice' ? weakerMode(mode, 'warn') : mode,
    isTemplate,
    isUnknown: message.level === 'unknown' || (message.level === 'violation' && circumstances.scope.uncertain),
    assumesWriter: dependsOnWriter && circumstances.writer === undefined,
  };
}

const NO_DATA = Object.freeze({});

/** The exception that covers whatever a rule says of an object, if there is one. */
function exceptionTo(
  { active, isTemplate, ruleset, circumstances }: Question,
  object: JsonObject,
): Exception | undefined {
  const { exceptions } = ruleset.policy;
  if (exceptions.length === 0) return undefined;
  const targets = exceptionTargetsOf(object, circumstances.namespace, isTemplate);
  return exceptionFor(exceptions, active.rule.meta.id, targets, circumstances.today);
}
