import { concernsInjection } from '../inject/final-pod.ts';
import { patchError, patchOf } from '../inject/patch.ts';
import { planInjection, type Injection as Planned, type Plan } from '../inject/plan.ts';
import { needsAction, skipSentence, warningSentence } from '../inject/reasons.ts';
import type { AdmissionRequest } from '../kube/admission-review.ts';
import type { JsonObject } from '../kube/json.ts';
import type { ClusterView } from '../policy/cluster-view.ts';
import { ALLOWED } from '../policy/decide.ts';
import type { Policy } from '../policy/document.ts';
import { LONGEST_WARNING, oneLine, shorten } from '../policy/message.ts';
import { atMostTen } from '../policy/wording.ts';
import { exemptionOf, isMirrorPod, type Exemption } from './exempt.ts';
import { exempted, NOTHING_FOUND, type Injection, type Reply } from './reply.ts';
import { respond } from './respond.ts';
import { accountWithoutReviews, missingTokenReviews } from './token-reviews.ts';
import type { Judge } from './validate.ts';

/**
 * Answers one request with the proxies that a pod gets: exempt, view, scope, plan, patch, respond. Only the view is waited
 * for. It never refuses and never throws: whatever goes wrong, the pod is let through as it is, and the final pod is
 * judged by the rules.
 */
export async function mutate(request: AdmissionRequest, judge: Judge, signal: AbortSignal): Promise<Reply> {
  const { policy } = judge.ruleset;
  const exemption = exemptionOf(request, policy) ?? strangerOf(request);
  if (exemption !== undefined) return exempted(request, exemption);
  const pod = request.object;
  if (pod === undefined || !concernsInjection(pod)) return reply(request, skipped('no-metrics-port', []));
  const view = await judge.viewFor(request, signal);
  try {
    return reply(request, inject(pod, request, view, policy));
  } catch (error) {
    return reply(request, failed(error));
  }
}

/** Pods are injected when they are made, and never afterwards. */
function strangerOf({ resource, operation, subResource }: AdmissionRequest): Exemption | undefined {
  if (operation !== 'CREATE' || resource.group !== '' || resource.resource !== 'pods') return 'operation';
  return subResource === '' ? undefined : 'subresource';
}

/** What is answered about a pod. */
interface Verdict {
  readonly injection: Injection;
  readonly warnings: readonly string[];
  readonly patch?: readonly unknown[];
}

function inject(pod: JsonObject, request: AdmissionRequest, view: ClusterView, { injection }: Policy): Verdict {
  const { namespace } = request;
  const planned = planInjection(pod, {
    injection,
    namespace,
    namespaceLabels: view.namespaceLabels(namespace),
    isMirrorPod: isMirrorPod(pod, request),
  });
  const told = planned.warnings.map(warningSentence);
  if (planned.kind === 'skip') return skipped(planned.reason, [...refusalIn(planned), ...told]);
  const warnings = [...told, ...tokenWarnings(pod, namespace, view)];
  if (injection.mode === 'report') {
    return { injection: { result: 'would-inject' }, warnings: [...announcements(planned.plan), ...warnings] };
  }
  const patch = patchOf(pod, planned.plan);
  const error = patchError(pod, patch);
  return error === undefined ? { injection: { result: 'injected' }, warnings, patch } : failed(error);
}

/** A pod that has our proxies already counts as what it was when it got them, so that asking again changes nothing. */
function skipped(reason: Extract<Planned, { kind: 'skip' }>['reason'], warnings: readonly string[]): Verdict {
  if (reason === 'already-injected') return { injection: { result: 'injected' }, warnings };
  return { injection: { result: 'skipped', reason }, warnings };
}

function refusalIn({ reason, value }: Extract<Planned, { kind: 'skip' }>): readonly string[] {
  return needsAction(reason) ? [`not injected: ${skipSentence(reason, value)}`] : [];
}

function announcements({ ports }: Plan): readonly string[] {
  return ports.map(
    ({ port, proxyPort }) => `would inject kube-rbac-proxy on port ${proxyPort} in front of port ${port}`,
  );
}

/** What to tell about a pod whose ServiceAccount may not ask who a scraper is; nothing when it may, or nobody can say. */
function tokenWarnings(pod: JsonObject, namespace: string, view: ClusterView): readonly string[] {
  const account = accountWithoutReviews(pod, namespace, view.grants);
  return account === undefined ? [] : missingTokenReviews(account);
}

function failed(error: unknown): Verdict {
  const warnings = ['not injected: the patch could not be made; the log of scrapeguard says why'];
  return { injection: { result: 'failed', error }, warnings };
}

function reply({ uid }: AdmissionRequest, { injection, warnings, patch }: Verdict): Reply {
  const decision = {
    ...ALLOWED,
    warnings: atMostTen([...new Set(warnings.map((warning) => shorten(oneLine(warning), LONGEST_WARNING)))]),
    auditAnnotations: annotationFor(injection),
  };
  return { review: respond(uid, decision, patch), outcome: { ...NOTHING_FOUND, decision, injection } };
}

/** What a pod without annotated metrics is needs no record: it is most pods. */
function annotationFor(injection: Injection): Readonly<Record<string, string>> {
  switch (injection.result) {
    case 'skipped':
      return injection.reason === 'no-metrics-port' ? {} : { injection: injection.reason };
    case 'failed':
      return { injection: 'failed', error: 'injection' };
    case 'injected':
    case 'would-inject':
      return { injection: injection.result };
  }
}
