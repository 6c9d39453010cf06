import type { AdmissionRequest, AdmissionReview } from '../kube/admission-review.ts';
import type { SkipReason } from '../inject/reasons.ts';
import { ALLOWED, type AnsweredFinding, type Decision } from '../policy/decide.ts';
import type { RuleError } from '../policy/evaluate.ts';
import type { Exemption } from './exempt.ts';
import { respond } from './respond.ts';

/** What became of a pod that could get a proxy: `failed` when the patch could not be made or would not have applied. */
export type Injection =
  | { readonly result: 'injected' | 'would-inject' }
  | { readonly result: 'skipped'; readonly reason: SkipReason }
  | { readonly result: 'failed'; readonly error: unknown };

/** What happened to a request, for the log and the counters. */
export interface Outcome {
  readonly decision: Decision;
  readonly exemption?: Exemption;
  readonly injection?: Injection;
  readonly answered: readonly AnsweredFinding[];
  readonly errors: readonly RuleError[];
  readonly excepted: number;
}

/** An answer with what led to it. */
export interface Reply {
  readonly review: AdmissionReview;
  readonly outcome: Outcome;
}

/** What an outcome holds where no rule was asked. */
export const NOTHING_FOUND = Object.freeze({ answered: [], errors: [], excepted: 0 });

/** Lets a request through that is not looked at, and says why in the audit annotation. */
export function exempted({ uid }: AdmissionRequest, exemption: Exemption): Reply {
  const decision = { ...ALLOWED, auditAnnotations: { exempt: exemption } };
  return { review: respond(uid, decision), outcome: { ...NOTHING_FOUND, decision, exemption } };
}
