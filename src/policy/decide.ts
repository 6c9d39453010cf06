import type { Status } from '../kube/admission-review.ts';
import type { Evaluation, Finding, RuleError } from './evaluate.ts';
import { oneLine, shorten } from './message.ts';
import type { RuleMeta } from './rule.ts';
import { statusFor, warningsFor } from './wording.ts';

/** What one finding or error does to the request, worst first. */
export type Answer = 'deny' | 'error' | 'unknown' | 'break-glass' | 'warn' | 'audit';

/** What softens the answer to everything about a request. */
export interface Leniency {
  /** A workload's author is warned; the pods it makes are refused. */
  readonly templatesWarn: boolean;
  /** A node's mirror pod runs whatever the API server answers. */
  readonly isMirrorPod: boolean;
  readonly isBreakGlass: boolean;
}

/** All findings of one rule and message on one object, with what they do to the request: they differ in places only. */
export interface AnsweredFinding {
  /** The first of them. */
  readonly finding: Finding;
  readonly count: number;
  readonly answer: Answer;
}

/** A rule that threw, with what that does to the request. */
export interface AnsweredError {
  readonly error: RuleError;
  readonly answer: Answer;
}

/** The answer to a request, ready for the wire except for its uid. */
export interface Decision {
  readonly allowed: boolean;
  readonly status?: Status;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
  /** What was found and what it did, for the log and the counters. */
  readonly answered: readonly AnsweredFinding[];
}

/** Lets a request through without a word; shared by every request that nothing was found in. */
export const ALLOWED: Decision = Object.freeze({ allowed: true, warnings: [], auditAnnotations: {}, answered: [] });

/**
 * Decides a request by the worst of what was found: a violation in enforce refuses it with 403, a rule that failed with
 * 500, an unknown with 503; everything else lets it through with warnings and audit annotations. A refusal carries no
 * warnings, as in Pod Security.
 */
export function decide(evaluation: Evaluation, leniency: Leniency): Decision {
  const { findings, errors, exceptions } = evaluation;
  if (findings.length === 0 && errors.length === 0 && exceptions.length === 0) return ALLOWED;
  const answered = groupsOf(findings).map(({ finding, count }) => {
    return { finding, count, answer: answerOf(finding, leniency) };
  });
  const failed = errors.map((error) => ({ error, answer: softened(error, leniency) ?? 'error' }));
  const auditAnnotations = annotationsOf(answered, failed, exceptions);
  const status = statusFor(answered, failed);
  if (status !== undefined) return { allowed: false, status, warnings: [], auditAnnotations, answered };
  return { allowed: true, warnings: warningsFor(answered, failed), auditAnnotations, answered };
}

function answerOf(finding: Finding, leniency: Leniency): Answer {
  return softened(finding, leniency) ?? (finding.isUnknown ? 'unknown' : 'deny');
}

/** The answer of what refuses nothing; break-glass is only said of a write that would have been refused without it. */
function softened({ mode, isTemplate }: Finding | RuleError, leniency: Leniency): Answer | undefined {
  if (mode !== 'enforce') return mode;
  if (leniency.isMirrorPod || (isTemplate && leniency.templatesWarn)) return 'warn';
  return leniency.isBreakGlass ? 'break-glass' : undefined;
}

/** The first finding of each rule and message with their number, in the order in which they were found. */
function groupsOf(findings: readonly Finding[]): Omit<AnsweredFinding, 'answer'>[] {
  const groups: { finding: Finding; count: number }[] = [];
  const byRule = new Map<RuleMeta, Map<string, { count: number }>>();
  for (const finding of findings) {
    const { rule, messageId } = finding;
    const byMessage = byRule.get(rule) ?? new Map<string, { count: number }>();
    const known = byMessage.get(messageId);
    if (known !== undefined) {
      known.count += 1;
      continue;
    }
    const group = { finding, count: 1 };
    groups.push(group);
    byRule.set(rule, byMessage.set(messageId, group));
  }
  return groups;
}

/** The words of the audit annotation `decision`, worst first; an error and an unknown have an annotation of their own. */
const DECISION_WORDS: readonly (readonly [Answer, string])[] = [
  ['deny', 'denied'],
  ['break-glass', 'break-glass'],
  ['warn', 'warned'],
  ['audit', 'audited'],
];

const LONGEST_ANNOTATION = 1000;

/** Keys are stable and without a slash; values depend on nothing that changes when the webhook is asked again. */
function annotationsOf(
  answered: readonly AnsweredFinding[],
  failed: readonly AnsweredError[],
  exceptions: readonly string[],
): Record<string, string> {
  const known = answered.filter(({ finding }) => !finding.isUnknown);
  const unknown = answered.filter(({ finding }) => finding.isUnknown);
  const answers = [...known, ...[...unknown, ...failed].filter(({ answer }) => answer === 'break-glass')];
  const word = DECISION_WORDS.find(([answer]) => answers.some((each) => each.answer === answer))?.[1];
  return Object.fromEntries(
    Object.entries({
      decision: word ?? '',
      findings: list(known.map(({ finding }) => `${finding.rule.id}/${finding.messageId}`)),
      error: list([...failed.map(({ error }) => error.rule.id), ...unknown.map(() => 'unknown')]),
      exceptions: list(exceptions),
    }).filter(([, value]) => value !== ''),
  );
}

function list(names: readonly string[]): string {
  return shorten(oneLine([...new Set(names)].sort().join(',')), LONGEST_ANNOTATION);
}
