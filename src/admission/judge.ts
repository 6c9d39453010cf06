import type { JsonObject } from '../kube/json.ts';
import { refOf } from '../kube/object.ts';
import { isClusterScoped, isComponentConfiguration } from '../kube/resources.ts';
import type { ClusterView } from '../policy/cluster-view.ts';
import { evaluate, type Evaluation } from '../policy/evaluate.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import { isExcludedNamespace } from '../policy/scope.ts';
import { claimsToBeMirrorPod } from './exempt.ts';
import { scopeIn } from './validate.ts';

/** What an object without a request is judged in: a view of everything that stands beside it, and the day. */
export interface Surroundings {
  readonly view: ClusterView;
  /** Today's date, UTC: `2027-03-31`. */
  readonly today: string;
}

const NOT_JUDGED: Evaluation = Object.freeze({ findings: [], errors: [], exceptions: [], excepted: 0 });

/**
 * Judges an object that exists, or is about to, outside a request: an ordinary user is assumed to write it, and a
 * finding that another writer would not have met says so. A finding's mode is the strongest in which it counts; for a
 * template, the one that its pods would meet.
 */
export function judge(object: JsonObject, ruleset: Ruleset, { view, today }: Surroundings): Evaluation {
  const namespace = homeOf(object);
  if (isExcludedNamespace(ruleset.policy, namespace)) return NOT_JUDGED;
  const evaluation = evaluate(object, ruleset, { view, scope: scopeIn(view, namespace, ruleset), namespace, today });
  return isPod(object) && claimsToBeMirrorPod(object) ? forWantOfANode(evaluation) : evaluation;
}

/** What would be refused of a Pod, and is only warned about where a node writes it: as its mirror pod. */
function forWantOfANode(evaluation: Evaluation): Evaluation {
  const findings = evaluation.findings.map((finding) =>
    finding.mode === 'enforce' ? { ...finding, assumesWriter: true } : finding,
  );
  return { ...evaluation, findings };
}

function isPod({ apiVersion, kind }: JsonObject): boolean {
  return apiVersion === 'v1' && kind === 'Pod';
}

/**
 * The namespace of an object as `kubectl apply` would choose it: `default` where none is written, '' for a kind that
 * lives outside every namespace and for a file that is no API object.
 */
export function homeOf(object: JsonObject): string {
  const { apiVersion, kind, namespace } = refOf(object);
  if (apiVersion === '' || kind === '' || isClusterScoped(kind) || isComponentConfiguration(apiVersion)) return '';
  return namespace || 'default';
}
