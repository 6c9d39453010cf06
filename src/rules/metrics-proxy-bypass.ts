import { Type } from 'typebox';

import { RECORDS } from '../inject/annotations.ts';
import { concernsInjection, finalPodOf, metricsAnnotationOf } from '../inject/final-pod.ts';
import { factsOf } from '../inject/pod-facts.ts';
import { recogniseProxies, type Recognition } from '../inject/recognise.ts';
import { rivalsIn } from '../inject/rivals.ts';
import { asStrings, type JsonObject } from '../kube/json.ts';
import { containersOf, isHostNetwork, portsOf } from '../kube/pods.ts';
import { escapeToken, type JsonPointer } from '../kube/pointer.ts';
import { portNumber } from '../kube/ports.ts';
import { rbacProxiesIn } from '../kube/rbac-proxy.ts';
import { defineRule, type Observation } from '../policy/rule.ts';

export default defineRule({
  meta: {
    id: 'metrics-proxy-bypass',
    title: 'Nothing leads past the kube-rbac-proxy in front of metrics',
    severity: 'medium',
    profile: 'strict',
    targets: ['pods', 'templates'],
    judges: 'pod',
    reads: ['namespace'],
    rationale:
      'A proxy protects what goes through it. Another container with its port or the name of its port, changed arguments, an annotation that sends Prometheus elsewhere, or loopback shared with a whole node lead past it.',
    remediation:
      'Give the proxy a port and a name of its own, leave what was injected as it is, and let the program listen on 127.0.0.1.',
    references: [
      'https://github.com/brancz/kube-rbac-proxy',
      'https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports',
    ],
    controls: [],
    messages: {
      sharedPort: {
        level: 'violation',
        text: 'container "{{container}}" declares port {{port}}, on which the proxy "{{proxy}}" listens',
        remediation: 'Give one of the two another port, so that only the proxy can answer on its own.',
      },
      sharedName: {
        level: 'violation',
        text: 'container "{{container}}" has a port or a name that the proxy "{{proxy}}" goes by, so that Services may take it for the proxy',
        remediation: 'Give each port and each container of the pod a name of its own.',
      },
      altered: {
        level: 'violation',
        text: 'the proxy "{{container}}" is not as it was injected: its {{what}} differ',
        remediation: 'Take the proxy and scrapeguard.io/status out of the manifest, and let it be injected anew.',
      },
      untruthful: {
        level: 'violation',
        text: 'scrapeguard.io/status tells of a proxy that is not there',
        remediation: 'Take the annotation away: injection writes it.',
      },
      diverted: {
        level: 'violation',
        text: 'an annotation that was rewritten after the injection sends Prometheus elsewhere than to the proxy',
        remediation: 'Leave the port and the scheme as injection wrote them.',
      },
      hostNetwork: {
        level: 'violation',
        text: 'the proxy "{{container}}" shares loopback with everything that runs on the node, for the pod has hostNetwork',
        remediation:
          'Take hostNetwork away; where that cannot be, set injection.hostNetwork: allow in the policy and know who can run on the node.',
      },
      reachable: {
        level: 'advice',
        text: 'port {{port}} stays open beside its proxy unless the program listens on 127.0.0.1',
        remediation: 'Let the program listen on 127.0.0.1, or close the port with a NetworkPolicy.',
      },
    },
  },
  params: Type.Object({}),
  *check(pod, context) {
    const { injection } = context.policy;
    const final = finalPodOf(pod, context);
    const proxies = rbacProxiesIn(final);
    if (proxies.length > 0) yield* checkRivals(final);
    if (isHostNetwork(final) && injection.hostNetwork === 'skip') {
      for (const { container } of proxies) {
        yield { messageId: 'hostNetwork', path: '/spec/hostNetwork', data: { container: container.name } };
      }
    }
    if (!concernsInjection(pod)) return;
    const recognition = recogniseProxies(final, injection);
    yield* checkRecord(recognition);
    for (const { port, by } of recognition.ports) {
      if (by !== 'injected' || isOnLoopback(final, port)) continue;
      yield { messageId: 'reachable', path: placeOf(port, pod), data: { port } };
    }
  },
});

type Observations<Id extends string> = Generator<Observation<Id>>;

/** Whether what the pod tells about its proxies is so. */
function* checkRecord({
  status,
  injected,
  diverted,
}: Recognition): Observations<'untruthful' | 'altered' | 'diverted'> {
  if (status === 'false') {
    yield { messageId: 'untruthful', path: `/metadata/annotations/${escapeToken(RECORDS.status.key)}` };
  }
  for (const { proxied, alterations } of injected) {
    for (const { what, path } of alterations) {
      yield { messageId: 'altered', path, data: { container: proxied.container, what } };
    }
  }
  for (const path of diverted) yield { messageId: 'diverted', path };
}

function* checkRivals(pod: JsonObject): Observations<'sharedPort' | 'sharedName'> {
  for (const { what, proxy, container, path } of rivalsIn(factsOf(pod))) {
    const data = { container: container.name, port: proxy.listenPort ?? '', proxy: proxy.container.name };
    yield { messageId: what === 'port' ? 'sharedPort' : 'sharedName', path, data };
  }
}

/** True when an argument has a program listen on this port of loopback: `--web.listen-address=127.0.0.1:9090`. */
function isOnLoopback(pod: JsonObject, port: number): boolean {
  const address = new RegExp(`(?:^|[=\\s])(?:127\\.0\\.0\\.1|localhost|\\[::1\\]):${port}(?![0-9])`);
  return containersOf(pod).some(({ spec }) => {
    return [...asStrings(spec['command']), ...asStrings(spec['args'])].some((text) => address.test(text));
  });
}

/** Where a pod declares a port, or else where it annotates it. */
function placeOf(port: number, pod: JsonObject): JsonPointer {
  for (const { spec, path } of portsOf(pod)) {
    if (portNumber(spec['containerPort']) === port) return `${path}/containerPort`;
  }
  return metricsAnnotationOf(pod);
}
