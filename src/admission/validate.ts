import type { AdmissionRequest } from '../kube/admission-review.ts';
import type { JsonObject } from '../kube/json.ts';
import type { ClusterView } from '../policy/cluster-view.ts';
import { ALLOWED, decide, type Decision } from '../policy/decide.ts';
import { evaluate } from '../policy/evaluate.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import { clusterScope, namespaceScope, type Scope } from '../policy/scope.ts';
import { matchesWriter } from '../policy/subject-pattern.ts';
import { exemptionOf, isMirrorPod, namespaceOf } from './exempt.ts';
import { exempted, NOTHING_FOUND, type Outcome, type Reply } from './reply.ts';
import { respond } from './respond.ts';

/**
 * The port through which `cluster` tells what a decision may depend on. It is asked once a request, before anything is
 * judged; it answers within the signal, with unknowns where it could not find out, and never rejects.
 */
export type ViewFor = (request: AdmissionRequest, signal: AbortSignal) => ClusterView | Promise<ClusterView>;

/** What a request is judged with. */
export interface Judge {
  readonly ruleset: Ruleset;
  readonly viewFor: ViewFor;
  /** Today's date, UTC: `2027-03-31`. */
  readonly today: string;
}

/**
 * Validates one request: exempt, view, scope, evaluate, decide, respond. Only the view is waited for. Rules that throw
 * are part of the answer; nothing else throws.
 */
export async function validate(request: AdmissionRequest, judge: Judge, signal: AbortSignal): Promise<Reply> {
  const exemption = exemptionOf(request, judge.ruleset.policy);
  if (exemption !== undefined) return exempted(request, exemption);
  if (request.object === undefined) return answer(request, UNREADABLE);
  const view = await judge.viewFor(request, signal);
  return validateIn(view, request, request.object, judge);
}

function validateIn(view: ClusterView, request: AdmissionRequest, object: JsonObject, judge: Judge): Reply {
  const { ruleset, today } = judge;
  const { policy } = ruleset;
  const namespace = namespaceOf(request);
  const scope = scopeIn(view, namespace, ruleset);
  const evaluation = evaluate(object, ruleset, {
    view,
    scope,
    namespace,
    today,
    operation: request.operation,
    writer: request.user,
    ...(request.oldObject === undefined ? {} : { oldObject: request.oldObject }),
  });
  const decision = decide(evaluation, {
    templatesWarn: !policy.enforceTemplates,
    isMirrorPod: isMirrorPod(object, request),
    isBreakGlass: matchesWriter(policy.breakGlass, request.user),
  });
  return answer(request, decision, evaluation);
}

/** The scope of an object that lives in a namespace, or outside every one (''). */
export function scopeIn(view: ClusterView, namespace: string, { policy }: Ruleset): Scope {
  return namespace === '' ? clusterScope(policy) : namespaceScope(policy, view.namespaceLabels(namespace));
}

/** A CREATE or UPDATE without an object comes from no API server; letting it through would be a guess. */
const UNREADABLE: Decision = Object.freeze({
  ...ALLOWED,
  allowed: false,
  status: { code: 400, reason: 'BadRequest', message: 'the request carries no object, so there is nothing to judge' },
  auditAnnotations: { error: 'no-object' },
});

function answer(
  request: AdmissionRequest,
  decision: Decision,
  { errors, excepted }: Pick<Outcome, 'errors' | 'excepted'> = NOTHING_FOUND,
): Reply {
  const outcome = { decision, answered: decision.answered, errors, excepted };
  return { review: respond(request.uid, decision), outcome };
}
