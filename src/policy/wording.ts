import type { Status } from '../kube/admission-review.ts';
import type { Answer, AnsweredError, AnsweredFinding } from './decide.ts';
import { messageOf, remediationOf, type Finding } from './evaluate.ts';
import { LONGEST_WARNING, oneLine, shorten } from './message.ts';
import { docsUrl } from './rule.ts';

/** The status of a refusal, made of the worst answer; undefined when nothing refuses the request. */
export function statusFor(answered: readonly AnsweredFinding[], failed: readonly AnsweredError[]): Status | undefined {
  return (
    denial(answered.filter(({ answer }) => answer === 'deny')) ??
    failure(failed.find(({ answer }) => answer === 'error')) ??
    retry(answered.find(({ answer }) => answer === 'unknown'))
  );
}

/** The first finding in full, the others by rule. */
function denial(denied: readonly AnsweredFinding[]): Status | undefined {
  const [first] = denied;
  if (first === undefined) return undefined;
  const others = countByRule(denied, first.finding.rule.id);
  const also = others === '' ? '' : ` Also refused by ${others}.`;
  return { code: 403, reason: 'Forbidden', message: `${adviceFor(first.finding)}${also}` };
}

function failure(failed: AnsweredError | undefined): Status | undefined {
  if (failed === undefined) return undefined;
  const { id } = failed.error.rule;
  const message =
    `rule ${id} failed, so this write could not be judged. The log of scrapeguard says why; ` +
    `until that is mended, "maximumMode: warn" for the rule in the policy lets writes through.`;
  return { code: 500, reason: 'InternalError', message };
}

function retry(unknown: AnsweredFinding | undefined): Status | undefined {
  if (unknown === undefined) return undefined;
  const { finding } = unknown;
  const why = finding.message.level === 'unknown' ? '' : 'the labels of the namespace could not be read: ';
  return {
    code: 503,
    reason: 'ServiceUnavailable',
    message: `${why}${messageOf(finding)} (${finding.rule.id}). Try again in a moment.`,
    details: { retryAfterSeconds: 1 },
  };
}

/** What, where, how to mend it, and where to read on. */
function adviceFor(finding: Finding): string {
  const place = oneLine(shorten(finding.path, 200));
  return `${messageOf(finding)} (${place}). ${remediationOf(finding)} See ${docsUrl(finding.rule.id)}.`;
}

/** How often each rule refuses, without the one finding that was told in full. */
function countByRule(denied: readonly AnsweredFinding[], told: string): string {
  const counts = new Map([[told, -1]]);
  for (const { finding, count } of denied) counts.set(finding.rule.id, (counts.get(finding.rule.id) ?? 0) + count);
  const others = [...counts].filter(([, count]) => count > 0);
  return others.map(([id, count]) => (count === 1 ? id : `${id} (${count})`)).join(', ');
}

const MOST_WARNINGS = 10;

/** One warning a rule and message, at most ten, each of at most 120 characters and on one line. */
export function warningsFor(answered: readonly AnsweredFinding[], failed: readonly AnsweredError[]): string[] {
  return atMostTen([...answered.filter(isWarned).map(warningFor), ...failed.filter(isWarned).map(failureFor)]);
}

/** Warnings as many as a client may be sent: in place of those beyond the ninth, how many they are. */
export function atMostTen(warnings: string[]): string[] {
  if (warnings.length <= MOST_WARNINGS) return warnings;
  const shown = warnings.slice(0, MOST_WARNINGS - 1);
  return [...shown, `scrapeguard: and ${warnings.length - shown.length} more warnings`];
}

function failureFor({ error, answer }: AnsweredError): string {
  return shorten(
    `${prefixOf(answer)}${error.rule.id}: the rule failed and could not judge this object`,
    LONGEST_WARNING,
  );
}

function isWarned({ answer }: AnsweredFinding | AnsweredError): boolean {
  return answer === 'warn' || answer === 'break-glass';
}

function warningFor({ finding, answer, count }: AnsweredFinding): string {
  const more = count === 1 ? '' : ` (and ${count - 1} more)`;
  return shorten(`${prefixOf(answer)}${finding.rule.id}: ${messageOf(finding)}`, LONGEST_WARNING - more.length) + more;
}

/** A writer who broke the glass is told that it was that which let the write through. */
function prefixOf(answer: Answer): string {
  return answer === 'break-glass' ? 'break-glass: ' : '';
}
