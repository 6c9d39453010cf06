import { Type } from 'typebox';

import { forwardsTo } from '../kube/forwarders.ts';
import { asList, asObject, isObject, type JsonObject } from '../kube/json.ts';
import { labelOf } from '../kube/object.ts';
import { containersOf, isHostNetwork, portsOfContainer, type Container } from '../kube/pods.ts';
import { portNumber, protocolOf, resolvePort } from '../kube/ports.ts';
import { hostOf, networkHandlersOf } from '../kube/probes.ts';
import { defineRule, type Message, type Observation, type RuleContext } from '../policy/rule.ts';

/** What the rule can say; the first half is about pods, the second about what leads to them. */
const MESSAGES = {
  containerPort: {
    level: 'violation',
    text: 'container "{{container}}" declares port {{port}}, the kubelet\'s unauthenticated read-only port',
  },
  hostPort: {
    level: 'violation',
    text: 'container "{{container}}" takes port {{port}} of the node, the kubelet\'s unauthenticated port',
  },
  otherProtocol: {
    level: 'advice',
    text: 'container "{{container}}" declares {{protocol}} port {{port}}; on TCP that is the kubelet\'s read-only port',
  },
  nodeProbe: {
    level: 'violation',
    text: 'the {{hook}} of container "{{container}}" calls port {{port}} of {{host}}, the kubelet\'s unauthenticated port',
    remediation: 'Let it call a port that the container itself serves, and name no host.',
  },
  ownProbe: {
    level: 'advice',
    text: 'the {{hook}} of container "{{container}}" calls {{port}}, the number of the kubelet\'s read-only port',
    remediation: 'Let the program listen on another port.',
  },
  forwarder: {
    level: 'violation',
    text: 'container "{{container}}" passes connections on to port {{port}}, the kubelet\'s unauthenticated port',
  },
  targetPort: {
    level: 'violation',
    text: "the Service leads to port {{port}}, which on a node is the kubelet's unauthenticated port",
  },
  outside: {
    level: 'violation',
    text: "the Service opens port {{port}}, the kubelet's unauthenticated port, to the outside of the cluster",
  },
  nodePort: {
    level: 'violation',
    text: "the Service takes port {{port}} of every node, the kubelet's unauthenticated port",
  },
  servicePort: {
    level: 'advice',
    text: "the Service is called on port {{port}}, the kubelet's number, although it leads to another port",
  },
  endpointPort: {
    level: 'violation',
    text: "the {{kind}} leads to port {{port}}, which on a node is the kubelet's unauthenticated port",
  },
  kubeletService: {
    level: 'advice',
    text: "prometheus-operator's {{kind}} for the kubelets still lists their unauthenticated port {{port}}",
    remediation: 'Scrape its port https-metrics (10250), and let no ServiceMonitor name http-metrics.',
  },
  followedObject: {
    level: 'advice',
    text: "the {{kind}} leads to port {{port}}, the kubelet's read-only port, because its Service or pods do",
    remediation: 'Change the Service or the pods that it follows.',
  },
} as const satisfies Readonly<Record<string, Message>>;

export default defineRule({
  meta: {
    id: 'kubelet-read-only-port',
    title: 'Nothing may expose the kubelet read-only port',
    severity: 'high',
    profile: 'baseline',
    targets: ['pods', 'templates', 'services', 'endpoints', 'endpointslices'],
    judges: 'pod',
    reads: [],
    rationale:
      'On port 10255 a kubelet tells everyone who can reach it, without authentication, which pods run on its node with their environment, and their metrics and stats. A pod that takes the port stands in for the kubelet; a Service, a probe or a forwarder that leads to it carries it further than the node.',
    remediation:
      'Use another port; to read the kubelet, ask https://<node>:10250/metrics with a token that may get nodes/metrics.',
    references: [
      'https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/',
      'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/',
    ],
    controls: ['CIS 4.2.4'],
    messages: MESSAGES,
  },
  params: Type.Object({
    ports: Type.Array(Type.Integer({ minimum: 1, maximum: 65535 }), {
      default: [10255],
      description: 'The ports on which kubelets serve without authentication.',
    }),
  }),
  *check(object, context) {
    switch (object['kind']) {
      case 'Pod':
        for (const container of containersOf(object)) yield* checkContainer(container, isHostNetwork(object), context);
        break;
      case 'Service':
        yield* checkService(object, context);
        break;
      case 'Endpoints':
      case 'EndpointSlice':
        yield* checkEndpoints(object, context);
        break;
      default:
    }
  },
});

type Context = RuleContext<{ ports: number[] }>;
type Observations = Generator<Observation<keyof typeof MESSAGES>>;

function* checkContainer(container: Container, hostNetwork: boolean, context: Context): Observations {
  const { ports } = context.params;
  yield* checkPorts(container, hostNetwork, ports);
  yield* checkHandlers(container, hostNetwork, ports);
  for (const { port, path } of forwardsTo(container, ports)) {
    yield { messageId: 'forwarder', path, data: { container: container.name, port } };
  }
}

/** One finding an entry: on the host network the API server copies containerPort to hostPort. */
function* checkPorts(container: Container, hostNetwork: boolean, ports: readonly number[]): Observations {
  for (const { spec, path } of portsOfContainer(container)) {
    const declared = portNumber(spec['containerPort']);
    const host = portNumber(spec['hostPort']);
    const field = isOneOf(ports, host) && !(hostNetwork && host === declared) ? 'hostPort' : 'containerPort';
    const port = field === 'hostPort' ? host : declared;
    if (!isOneOf(ports, port)) continue;
    const data = { container: container.name, port };
    const place = `${path}/${field}`;
    if (!isTcp(spec)) yield { messageId: 'otherProtocol', path: place, data: { ...data, protocol: protocolOf(spec) } };
    else yield { messageId: hostNetwork ? 'hostPort' : field, path: place, data };
  }
}

function* checkHandlers(container: Container, hostNetwork: boolean, ports: readonly number[]): Observations {
  for (const handler of networkHandlersOf(container)) {
    const port = resolvePort(handler.spec['port'], container);
    if (!isOneOf(ports, port)) continue;
    const path = `${handler.path}/port`;
    const data = { container: container.name, hook: handler.hook, port };
    const host = hostOf(handler) ?? (hostNetwork ? 'the node' : undefined);
    if (host === undefined) yield { messageId: 'ownProbe', path, data };
    else yield { messageId: 'nodeProbe', path, data: { ...data, host } };
  }
}

function* checkService(service: JsonObject, context: Context): Observations {
  const { ports } = context.params;
  const spec = asObject(service['spec']);
  const messageId = isKubeletService(service, context) ? 'kubeletService' : 'targetPort';
  const reached: number[] = [];
  for (const [index, entry] of asList(spec['ports']).entries()) {
    if (!isObject(entry) || !isTcp(entry)) continue;
    const path = `/spec/ports/${index}`;
    const [field, target] = targetOf(entry);
    const own = portNumber(entry['port']);
    const nodePort = portNumber(entry['nodePort']);
    if (isOneOf(ports, target)) {
      reached.push(target);
      yield { messageId, path: `${path}/${field}`, data: { kind: 'Service', port: target } };
    } else if (isOneOf(ports, own)) {
      yield { messageId: 'servicePort', path: `${path}/port`, data: { port: own } };
    }
    if (isOneOf(ports, nodePort)) yield { messageId: 'nodePort', path: `${path}/nodePort`, data: { port: nodePort } };
  }
  yield* checkReach(spec, reached[0]);
}

/** The values for which the API server takes the Service's own port (core/v1 defaults.go `SetDefaults_Service`). */
const UNSET_TARGETS: ReadonlySet<unknown> = new Set([undefined, null, 0, '']);

function targetOf(entry: JsonObject): ['port' | 'targetPort', number | undefined] {
  const field = UNSET_TARGETS.has(entry['targetPort']) ? 'port' : 'targetPort';
  return [field, portNumber(entry[field])];
}

/** A finding of its own, so that an UPDATE that opens a Service further adds one, and one that closes it does not. */
function* checkReach(spec: JsonObject, port: number | undefined): Observations {
  if (port === undefined) return;
  if (spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer') {
    yield { messageId: 'outside', path: '/spec/type', data: { port } };
  } else if (asList(spec['externalIPs']).length > 0) {
    yield { messageId: 'outside', path: '/spec/externalIPs', data: { port } };
  }
}

function* checkEndpoints(object: JsonObject, context: Context): Observations {
  const messageId = endpointMessage(object, context);
  const kind = String(object['kind']);
  for (const { list, path } of endpointPortLists(object)) {
    for (const [index, entry] of list.entries()) {
      const port = portNumber(asObject(entry)['port']);
      if (!isOneOf(context.params.ports, port) || !isTcp(asObject(entry))) continue;
      const observation = { messageId, path: `${path}/${index}/port`, data: { kind, port } } as const;
      yield messageId === 'endpointPort' ? { ...observation, dependsOnWriter: true } : observation;
    }
  }
}

/** The port lists of an EndpointSlice (one) or of Endpoints (one a subset), with their places. */
function endpointPortLists(object: JsonObject): { list: readonly unknown[]; path: string }[] {
  const subsets = asList(object['subsets']).map((subset, index) => ({
    list: asList(asObject(subset)['ports']),
    path: `/subsets/${index}/ports`,
  }));
  return [{ list: asList(object['ports']), path: '/ports' }, ...subsets];
}

function endpointMessage(object: JsonObject, context: Context): 'kubeletService' | 'followedObject' | 'endpointPort' {
  if (isKubeletService(object, context)) return 'kubeletService';
  return FOLLOWERS.has(context.writer?.username ?? '') ? 'followedObject' : 'endpointPort';
}

/**
 * Controllers that only copy what a Service or its pods say; those were judged when they were written. The last one is
 * what all of them are called where kube-controller-manager runs without --use-service-account-credentials.
 */
const FOLLOWERS: ReadonlySet<string> = new Set([
  'system:serviceaccount:kube-system:endpoint-controller',
  'system:serviceaccount:kube-system:endpointslice-controller',
  'system:serviceaccount:kube-system:endpointslicemirroring-controller',
  'system:kube-controller-manager',
]);

/**
 * True for the Service that prometheus-operator keeps in kube-system for every kubelet, its Endpoints and EndpointSlices
 * (pkg/kubelet/controller.go): labelled, without a selector, headless, with the secure port beside the insecure one.
 */
function isKubeletService(object: JsonObject, { namespace }: Context): boolean {
  if (namespace !== 'kube-system' || labelOf(object, 'k8s-app') !== 'kubelet') return false;
  const spec = asObject(object['spec']);
  const lists = [asList(spec['ports']), ...endpointPortLists(object).map(({ list }) => list)];
  if (!lists.some((list) => list.some((entry) => portNumber(asObject(entry)['port']) === 10250))) return false;
  if (object['kind'] !== 'Service') return true;
  return spec['clusterIP'] === 'None' && Object.keys(asObject(spec['selector'])).length === 0;
}

/** False for UDP and SCTP; whatever else is written, the API server knows no other protocol. */
function isTcp(entry: JsonObject): boolean {
  return !['UDP', 'SCTP'].includes(protocolOf(entry));
}

function isOneOf(ports: readonly number[], value: unknown): value is number {
  return typeof value === 'number' && ports.includes(value);
}
