import type { Injection, Outcome } from '../admission/reply.ts';
import type { AdmissionRequest } from '../kube/admission-review.ts';
import type { Answer } from '../policy/decide.ts';

/** One line of the log: its level, its sentence and its fields. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error' | 'debug';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The answers that a person should see, with the level and the word for them, worst first. */
const LOUD_ANSWERS: readonly (readonly [Answer, LogLine['level'], string])[] = [
  ['deny', 'info', 'denied'],
  ['unknown', 'warn', 'denied for want of an answer'],
  ['break-glass', 'warn', 'let through by break-glass'],
  ['warn', 'info', 'warned'],
];

/** What is said of an injection. */
const INJECTION_LINES: Readonly<Record<Injection['result'], Omit<LogLine, 'fields'>>> = {
  injected: { level: 'info', message: 'injected' },
  'would-inject': { level: 'info', message: 'would be injected' },
  skipped: { level: 'debug', message: 'not injected' },
  failed: { level: 'error', message: 'an injection failed' },
};

/** True when nobody has to hear of a request but someone who looks for it. */
export function isQuiet({ answered, errors, injection }: Outcome): boolean {
  return answered.length === 0 && errors.length === 0 && (injection === undefined || injection.result === 'skipped');
}

/**
 * The line that tells of a verdict: who wrote what, which rules spoke and how long it took. It never holds a part of the
 * object besides its name, nor anything of the writer besides the user name.
 */
export function logLineFor(request: AdmissionRequest, outcome: Outcome, milliseconds: number): LogLine {
  const { uid, operation, kind, namespace, name, user, dryRun } = request;
  const loud = LOUD_ANSWERS.find(([answer]) => outcome.answered.some((each) => each.answer === answer));
  const rules = [...new Set(outcome.answered.map(({ finding }) => finding.rule.id))];
  const errors = outcome.errors.map(({ rule, error }) => ({ rule: rule.id, error: String(error) }));
  const fields = {
    uid,
    operation,
    kind,
    namespace,
    name,
    user: user.username,
    ...(dryRun ? { dryRun } : {}),
    ...(outcome.exemption === undefined ? {} : { exempt: outcome.exemption }),
    ...injectionFields(outcome.injection),
    ...(rules.length === 0 ? {} : { rules }),
    ...(errors.length === 0 ? {} : { errors }),
    durationMs: Math.round(milliseconds * 1000) / 1000,
  };
  if (errors.length > 0) return { level: 'error', message: 'a rule failed', fields };
  if (outcome.injection !== undefined) return { ...INJECTION_LINES[outcome.injection.result], fields };
  const [, level, message] = loud ?? ['audit', 'debug', outcome.decision.allowed ? 'allowed' : 'denied'];
  return { level, message, fields };
}

function injectionFields(injection: Injection | undefined): LogLine['fields'] {
  if (injection?.result === 'skipped') return { skipped: injection.reason };
  return injection?.result === 'failed' ? { error: String(injection.error) } : {};
}
