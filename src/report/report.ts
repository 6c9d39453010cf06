import { homeOf } from '../admission/judge.ts';
import { asString, type JsonObject } from '../kube/json.ts';
import { refOf, type ObjectRef } from '../kube/object.ts';
import type { JsonPointer } from '../kube/pointer.ts';
import { messageOf, remediationOf, type Evaluation, type Finding, type RuleError } from '../policy/evaluate.ts';
import type { Mode } from '../policy/mode.ts';
import { docsUrl, type Severity } from '../policy/rule.ts';
import { objectName } from './object-name.ts';

/** What was found in a set of objects: the stable JSON of `check -o json`, which every other format is made from. */
export interface Report {
  readonly apiVersion: 'scrapeguard.io/v1alpha1';
  readonly kind: 'Report';
  readonly summary: Summary;
  /** By file, then by position; within a position in the order of the rules. */
  readonly findings: readonly ReportedFinding[];
  /** What kept an object or a file from being judged; a report that has any is not the whole truth. */
  readonly errors: readonly ReportedError[];
}

/** How many objects were judged, how many findings there are, and how many of them count in each mode at most. */
export interface Summary extends Readonly<Record<Mode, number>> {
  readonly objects: number;
  readonly findings: number;
}

/** One finding, with everything a reader needs to act on it. */
export interface ReportedFinding {
  readonly rule: string;
  readonly messageId: string;
  readonly severity: Severity;
  /** The strongest mode in which it counts. */
  readonly mode: Mode;
  readonly message: string;
  readonly remediation: string;
  readonly docs: string;
  readonly path: JsonPointer;
  /** The namespace is the one it was judged in: `default` where none is written. */
  readonly object: ObjectRef;
  readonly source: Source;
  /** Who gets the capability; findings about grants only. */
  readonly subject?: ReportedSubject;
  /** What the subject gets; findings about grants only. */
  readonly capability?: string;
}

/** Where a finding stands; line and column begin at 1. */
export interface Source {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Whom a grant is for; the namespace is '' for a User and a Group. */
export interface ReportedSubject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A file that could not be read, a rule that failed, or a question that the cluster did not answer. */
export interface ReportedError {
  readonly file: string;
  /** Absent where the file could not even be opened. */
  readonly line?: number;
  readonly message: string;
}

/** An object with what the rules say of it, and the way from a pointer into it to its place. */
export interface Judged {
  readonly object: JsonObject;
  readonly evaluation: Evaluation;
  readonly locate: (path: JsonPointer) => Source;
}

/**
 * Collects what was judged, and what could not be read, into a report. The objects are taken one by one, so that only
 * their findings stay in memory. Rules that threw and answers that are unknown become errors.
 */
export function collect(judged: Iterable<Judged>, unread: readonly ReportedError[] = []): Report {
  const findings: ReportedFinding[] = [];
  const errors: ReportedError[] = [...unread];
  let objects = 0;
  for (const each of judged) {
    objects += 1;
    for (const finding of each.evaluation.findings) {
      if (finding.isUnknown) errors.push(unanswered(finding, each));
      else findings.push(reportFinding(finding, each));
    }
    for (const error of each.evaluation.errors) errors.push(failed(error, each));
  }
  findings.sort((a, b) => byPlace(a.source, b.source));
  errors.sort(byPlace);
  const count = (mode: Mode): number => findings.filter((finding) => finding.mode === mode).length;
  return {
    apiVersion: 'scrapeguard.io/v1alpha1',
    kind: 'Report',
    summary: {
      objects,
      findings: findings.length,
      enforce: count('enforce'),
      warn: count('warn'),
      audit: count('audit'),
    },
    findings,
    errors,
  };
}

/** The names under which an object is reported. */
export function reportedRef(object: JsonObject): ObjectRef {
  return { ...refOf(object), namespace: homeOf(object) };
}

function reportFinding(finding: Finding, { object, locate }: Judged): ReportedFinding {
  const { rule, messageId, mode, path, data } = finding;
  return {
    rule: rule.id,
    messageId,
    severity: rule.severity,
    mode,
    message: messageOf(finding),
    remediation: remediationOf(finding),
    docs: docsUrl(rule.id),
    path,
    object: reportedRef(object),
    source: locate(path),
    ...(rule.judgesGrants === true ? grantOf(data) : {}),
  };
}

/** A rule that judges grants names both in its data: `subjectKind`, `subjectNamespace`, `subjectName`, `capability`. */
function grantOf(data: Finding['data']): Pick<ReportedFinding, 'subject' | 'capability'> {
  const { subjectKind, subjectNamespace, subjectName, capability } = data;
  const kind = asString(subjectKind);
  const name = asString(subjectName);
  const what = asString(capability);
  return {
    ...(kind === undefined || name === undefined
      ? {}
      : { subject: { kind, namespace: asString(subjectNamespace) ?? '', name } }),
    ...(what === undefined ? {} : { capability: what }),
  };
}

function unanswered(finding: Finding, { locate }: Judged): ReportedError {
  const { file, line } = locate(finding.path);
  const why = finding.message.level === 'unknown' ? '' : 'the labels of the namespace could not be read: ';
  return { file, line, message: `${why}${messageOf(finding)} (${finding.rule.id})` };
}

function failed({ rule, error }: RuleError, { object, locate }: Judged): ReportedError {
  const { file, line } = locate('');
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { file, line, message: `rule ${rule.id} failed on ${objectName(reportedRef(object))}: ${why}` };
}

type Place = Partial<Source> & Pick<Source, 'file'>;

/** By file in code units, so that the order is the same everywhere; what has no line comes first. */
function byPlace(a: Place, b: Place): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
