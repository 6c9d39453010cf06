import { Type } from 'typebox';

import { SETTINGS, annotationsOf } from '../inject/annotations.ts';
import { circumstancesOf, concernsInjection, finalPodOf, metricsAnnotationOf } from '../inject/final-pod.ts';
import { planInjection } from '../inject/plan.ts';
import { skipSentence } from '../inject/reasons.ts';
import { recogniseProxies } from '../inject/recognise.ts';
import { own, type JsonObject } from '../kube/json.ts';
import { scrapeAnnotationsIn } from '../kube/prometheus-annotations.ts';
import { defineRule, type RuleContext } from '../policy/rule.ts';

export default defineRule({
  meta: {
    id: 'unprotected-metrics-port',
    title: 'An annotated metrics port has a kube-rbac-proxy in front of it',
    severity: 'medium',
    profile: 'strict',
    targets: ['pods', 'templates'],
    judges: 'pod',
    reads: ['namespace'],
    rationale:
      'Metrics tell names, versions, tenants and load to whoever asks, and a port that Prometheus finds by an annotation is found by others as well. The pod is judged as it will run, with the proxy that it gets when it is made.',
    remediation:
      'Let the proxy be injected: take away scrapeguard.io/inject: "false", label the namespace scrapeguard.io/inject=enabled, or mend the annotation. A kube-rbac-proxy that you write yourself counts too.',
    references: [
      'https://github.com/brancz/kube-rbac-proxy',
      'https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config',
    ],
    controls: [],
    messages: {
      unprotected: {
        level: 'violation',
        text: 'metrics port {{port}} has no kube-rbac-proxy in front of it: {{why}}',
      },
      unreadable: {
        level: 'violation',
        text: 'no kube-rbac-proxy can stand in front of the annotated metrics: {{why}}',
        remediation: 'Mend the annotation, or take it away where nothing is to be scraped.',
      },
      everyPort: {
        level: 'violation',
        text: 'prometheus.io/scrape is "true" without a port, so that every port is scraped with no proxy in front of it',
        remediation: 'Name the metrics port in prometheus.io/port, so that a proxy can be put in front of it.',
      },
      servesTls: {
        level: 'advice',
        text: 'metrics port {{port}} serves TLS by itself, and nobody can see whether it asks for a token',
        remediation: 'Leave it if the program asks for a token; otherwise put a kube-rbac-proxy in front of it.',
      },
    },
  },
  params: Type.Object({}),
  *check(pod, context) {
    if (!concernsInjection(pod)) return;
    const final = finalPodOf(pod, context);
    const { metrics, ports } = recogniseProxies(final, context.policy.injection);
    const path = metricsAnnotationOf(pod);
    if (metrics.kind === 'none') {
      if (metrics.warnings.some(({ code }) => code === 'scraped-without-port')) yield { messageId: 'everyPort', path };
      return;
    }
    if (metrics.kind === 'unreadable') {
      // The kubelet's port is a matter of a rule of its own, where that is all that is annotated.
      if (metrics.reason === 'kubelet-port' && isKubeletsAlone(pod)) return;
      yield { messageId: 'unreadable', path, data: { why: skipSentence(metrics.reason, metrics.value) } };
      return;
    }
    for (const { port } of ports.filter(({ by }) => by === 'nobody')) {
      if (port === metrics.tlsPort) yield { messageId: 'servesTls', path, data: { port } };
      else yield { messageId: 'unprotected', path, data: { port, why: reasonFor(final, context) } };
    }
  },
});

/** True when the pod names the kubelet's port in `prometheus.io/port` and no other port anywhere. */
function isKubeletsAlone(pod: JsonObject): boolean {
  const annotations = annotationsOf(pod);
  const { port } = scrapeAnnotationsIn(annotations);
  return own(annotations, SETTINGS.metricsPort.key) === undefined && port.every(({ value }) => value === '10255');
}

/** Why a pod has no proxy: what the injection would say of it now. */
function reasonFor(pod: JsonObject, context: RuleContext): string {
  const planned = planInjection(pod, circumstancesOf(context));
  if (planned.kind === 'skip') return skipSentence(planned.reason, planned.value);
  if (context.policy.injection.mode === 'report') return 'the policy only reports (injection.mode: report)';
  return 'none was injected when the pod was made';
}
