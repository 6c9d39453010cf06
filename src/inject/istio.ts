import { asString, own, type JsonObject } from '../kube/json.ts';
import type { Labels } from '../kube/labels.ts';
import { annotationOf, labelOf } from '../kube/object.ts';
import type { Lookup } from '../rbac/grants-view.ts';
import type { PodFacts } from './pod-facts.ts';
import type { Warning } from './reasons.ts';
import { ISTIO_MERGE_KEY } from './record.ts';

// Istio merges an application's metrics with its own and serves both, to everybody, on a port of its agent; it then sends
// Prometheus there.

/** The container of Istio's proxy. */
const ISTIO_PROXY = 'istio-proxy';

/** The port on which its agent serves the merged metrics. */
const MERGED_PORT = 15_020;

/** What is to be done about Istio in a pod that is scraped. */
export interface IstioMerging {
  /** True when an annotation of ours keeps Istio, which comes later, from merging. */
  readonly isToBePrevented: boolean;
  readonly warnings: readonly Warning[];
}

const NOTHING: IstioMerging = { isToBePrevented: false, warnings: [] };
const WARNED: IstioMerging = { isToBePrevented: false, warnings: [{ code: 'istio-merge' }] };

/** What is to be done about Istio's merging, where it is there already and where it is yet to come. */
export function istioMerging(
  { pod, annotations, running }: PodFacts,
  ports: readonly number[],
  namespaceLabels: Lookup<Labels>,
): IstioMerging {
  if (running.some(({ name }) => name === ISTIO_PROXY)) return ports.includes(MERGED_PORT) ? WARNED : NOTHING;
  if (!isToCome(pod, namespaceLabels)) return NOTHING;
  const merge = asString(own(annotations, ISTIO_MERGE_KEY));
  if (merge === undefined) return { isToBePrevented: true, warnings: [] };
  return merge === 'false' ? NOTHING : WARNED;
}

const INJECT_KEY = 'sidecar.istio.io/inject';
const REVISION_KEY = 'istio.io/rev';

/** True when Istio is going to inject its proxy: the pod's label counts before its annotation, and that before the namespace. */
function isToCome(pod: JsonObject, namespaceLabels: Lookup<Labels>): boolean {
  const asked = labelOf(pod, INJECT_KEY) ?? annotationOf(pod, INJECT_KEY);
  if (asked === 'true' || asked === 'false') return asked === 'true';
  if (labelOf(pod, REVISION_KEY) !== undefined) return true;
  if (typeof namespaceLabels === 'string') return false;
  return namespaceLabels['istio-injection'] === 'enabled' || own(namespaceLabels, REVISION_KEY) !== undefined;
}
