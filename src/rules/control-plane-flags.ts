import { Type } from 'typebox';

import { hasOpenUrl, hasUrl, isLoopback } from '../kube/addresses.ts';
import { alwaysAllowsMetrics } from '../kube/always-allow-paths.ts';
import { commandsOf, type Command } from '../kube/command-line.ts';
import { argumentsIn } from '../kube/component-arguments.ts';
import { componentCommandsOf, type ComponentCommand } from '../kube/component-commands.ts';
import type { ComponentName } from '../kube/components.ts';
import { booleanOf, flagOf, hasFlag, integerOf, listItemsOf, type Flag, type FlagKind } from '../kube/flags.ts';
import { asString, type JsonObject } from '../kube/json.ts';
import { containersOf, isHostNetwork, portsOfContainer, type Container } from '../kube/pods.ts';
import { portNumber, protocolOf } from '../kube/ports.ts';
import { defineRule, type Observation, type RuleContext } from '../policy/rule.ts';

export default defineRule({
  meta: {
    id: 'control-plane-flags',
    title: 'The control plane serves metrics to authenticated clients only',
    severity: 'high',
    profile: 'baseline',
    targets: ['pods', 'templates'],
    judges: 'pod',
    anyKind: true,
    reads: [],
    rationale:
      'The API server, the controller managers, the scheduler and etcd know everything that happens in a cluster. An insecure port, a path that is always allowed or an etcd without client certificates tells it to everyone who can reach the node.',
    remediation:
      'Serve metrics on the secure port (10257, 10258, 10259; 127.0.0.1:2381 for etcd) with delegated authorization, and let the scraper get /metrics.',
    references: [
      'https://kubernetes.io/docs/concepts/cluster-administration/system-metrics/',
      'https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/',
      'https://etcd.io/docs/latest/op-guide/security/',
    ],
    controls: ['CIS 1.2.1', 'CIS 1.2.6', 'CIS 1.3.7', 'CIS 1.4.2', 'CIS 2.1', 'CIS 2.2', 'CIS 2.5'],
    messages: {
      insecurePort: {
        level: 'violation',
        text: '{{source}} runs {{component}} with {{setting}}, a port that serves metrics and more without authentication',
        remediation: 'Remove the flag or set it to 0; the secure port serves the same with delegated authorization.',
      },
      insecureAddress: {
        level: 'violation',
        text: '{{source}} runs {{component}} with {{setting}}, so that its insecure port is open to the network',
        remediation: 'Remove the flag; the secure port serves the same with delegated authorization.',
      },
      bindAddress: {
        level: 'advice',
        text: '{{source}} runs {{component}} with {{setting}}; only its own node needs to reach it',
        remediation: 'Use --bind-address=127.0.0.1 unless a scraper on another node reads its metrics.',
      },
      alwaysAllowPaths: {
        level: 'violation',
        text: '{{source}} has {{setting}} among its always allowed paths, so that everyone may read the metrics',
        remediation:
          'Leave --authorization-always-allow-paths at /healthz,/readyz,/livez, and let the scraper get /metrics by a ClusterRole.',
      },
      alwaysAllow: {
        level: 'violation',
        text: '{{source}} runs kube-apiserver with {{setting}}, so that everyone may do everything',
        remediation: 'Use --authorization-mode=Node,RBAC.',
      },
      anonymousAuthentication: {
        level: 'advice',
        text: '{{source}} runs kube-apiserver with {{setting}}; what RBAC gives to system:unauthenticated is open to all',
        remediation: 'Use --anonymous-auth=false, or allow anonymous requests to the health checks only.',
      },
      etcdMetrics: {
        level: 'violation',
        text: '{{source}} runs etcd with metrics on {{setting}}, where everyone on the network reads them',
        remediation: 'Use --listen-metrics-urls=http://127.0.0.1:2381, or https with client certificates.',
      },
      etcdClients: {
        level: 'violation',
        text: '{{source}} runs etcd with clients on {{setting}}, where everyone on the network reads keys and metrics',
        remediation: 'Use https with --client-cert-auth=true and --trusted-ca-file.',
      },
      etcdLocalClients: {
        level: 'advice',
        text: '{{source}} runs etcd with clients on {{setting}}, where everything beside it reads keys and metrics',
        remediation: 'Use https with --client-cert-auth=true and --trusted-ca-file.',
      },
      etcdCertificates: {
        level: 'violation',
        text: '{{source}} runs etcd with {{setting}}, so that it serves keys and metrics without asking for a certificate',
        remediation: 'Set --client-cert-auth=true and --peer-client-cert-auth=true, each with its trusted CA.',
      },
      etcdNoCertificates: {
        level: 'advice',
        text: '{{source}} runs etcd with clients on {{setting}} and asks them for no certificate',
        remediation: 'Add --client-cert-auth=true and --trusted-ca-file.',
      },
      hostPort: {
        level: 'advice',
        text: 'container "{{container}}" takes port {{port}} of the node, where {{component}} serves metrics without authentication',
        remediation: 'Use another port, so that a scraper does not take one for the other.',
      },
    },
  },
  params: Type.Object({
    hostPorts: Type.Array(Type.Integer({ minimum: 1, maximum: 65535 }), {
      default: [2381, 4194, 10249, 10251, 10252],
      description:
        'Ports of a node that are worth a word when a program that is no component of Kubernetes takes them.',
    }),
  }),
  *check(object, context) {
    if (object['kind'] !== 'Pod') {
      yield* checkDocument(object);
      return;
    }
    for (const container of containersOf(object)) {
      yield* checkContainer(container);
      yield* checkPorts(container, isHostNetwork(object), context);
    }
  },
});

type Context = RuleContext<{ hostPorts: number[] }>;
type FlagProblem =
  | 'insecurePort'
  | 'insecureAddress'
  | 'bindAddress'
  | 'alwaysAllowPaths'
  | 'alwaysAllow'
  | 'anonymousAuthentication'
  | 'etcdMetrics'
  | 'etcdClients'
  | 'etcdLocalClients'
  | 'etcdCertificates'
  | 'etcdNoCertificates';
type Observations<Id extends string> = Generator<Observation<Id>>;

function* checkContainer(container: Container): Observations<FlagProblem> {
  const source = `container "${container.name}"`;
  for (const command of commandsOf(container)) yield* checkPaths(command, source);
  for (const use of componentCommandsOf(container)) {
    if (!use.isWhole) yield* checkPaths(use.command, source);
    yield* checkComponent(use, source);
  }
}

function* checkDocument(document: JsonObject): Observations<FlagProblem> {
  const source = `the ${asString(document['kind']) ?? 'configuration file'}`;
  for (const use of argumentsIn(document)) {
    yield* checkPaths(use.command, source);
    yield* checkComponent(use, source);
  }
}

/** Any server that delegates its authorization has this flag, and nothing else has. */
function* checkPaths(command: Command, source: string): Observations<FlagProblem> {
  for (const { value, path } of listItemsOf(command, 'authorization-always-allow-paths')) {
    if (alwaysAllowsMetrics(value)) yield { messageId: 'alwaysAllowPaths', path, data: { source, setting: value } };
  }
}

/** When a flag of some components is a problem. */
interface FlagCheck {
  readonly components: readonly ComponentName[];
  readonly flag: string;
  readonly kind?: FlagKind;
  readonly problem: FlagProblem;
  readonly isProblem: (flag: Flag, command: Command) => boolean;
}

const APISERVER: readonly ComponentName[] = ['kube-apiserver'];
const MANAGERS: readonly ComponentName[] = ['kube-controller-manager', 'kube-scheduler', 'cloud-controller-manager'];
const ETCD: readonly ComponentName[] = ['etcd'];

const CHECKS: readonly FlagCheck[] = [
  { components: MANAGERS, flag: 'port', problem: 'insecurePort', isProblem: isOpenPort },
  { components: MANAGERS, flag: 'address', problem: 'insecureAddress', isProblem: isOpenInsecurely },
  { components: MANAGERS, flag: 'bind-address', problem: 'bindAddress', isProblem: isOffLoopback },
  { components: APISERVER, flag: 'insecure-port', problem: 'insecurePort', isProblem: isOpenPort },
  { components: APISERVER, flag: 'port', problem: 'insecurePort', isProblem: isOpenPort },
  { components: APISERVER, flag: 'insecure-bind-address', problem: 'insecureAddress', isProblem: isOpenInsecurely },
  { components: APISERVER, flag: 'address', problem: 'insecureAddress', isProblem: isOpenInsecurely },
  {
    components: APISERVER,
    flag: 'authorization-mode',
    problem: 'alwaysAllow',
    isProblem: (_flag, command) =>
      listItemsOf(command, 'authorization-mode').some(({ value }) => value === 'AlwaysAllow'),
  },
  {
    components: APISERVER,
    flag: 'anonymous-auth',
    kind: 'boolean',
    problem: 'anonymousAuthentication',
    isProblem: (flag) => booleanOf(flag) === true,
  },
  {
    components: ETCD,
    flag: 'listen-metrics-urls',
    problem: 'etcdMetrics',
    isProblem: ({ value }) => hasOpenUrl(value, 'http'),
  },
  {
    components: ETCD,
    flag: 'listen-client-urls',
    problem: 'etcdClients',
    isProblem: ({ value }) => hasOpenUrl(value, 'http'),
  },
  {
    components: ETCD,
    flag: 'listen-client-urls',
    problem: 'etcdLocalClients',
    isProblem: ({ value }) => !hasOpenUrl(value, 'http') && hasUrl(value, 'http'),
  },
  {
    components: ETCD,
    flag: 'listen-client-urls',
    problem: 'etcdNoCertificates',
    isProblem: ({ value }, command) =>
      hasOpenUrl(value, 'https') && !CERTIFICATE_FLAGS.some((flag) => hasFlag(command, flag)),
  },
  ...['client-cert-auth', 'peer-client-cert-auth'].map((flag): FlagCheck => ({
    components: ETCD,
    flag,
    kind: 'boolean',
    problem: 'etcdCertificates',
    isProblem: (found) => booleanOf(found) === false,
  })),
];

/** Flags by which etcd asks clients for a certificate, or takes its whole configuration from a file. */
const CERTIFICATE_FLAGS: readonly string[] = ['client-cert-auth', 'trusted-ca-file', 'config-file'];

function* checkComponent({ component, command, isWhole }: ComponentCommand, source: string): Observations<FlagProblem> {
  for (const { components, flag: name, kind, problem, isProblem } of CHECKS) {
    const flag = components.includes(component) ? flagOf(command, name, kind) : undefined;
    if (flag === undefined || !isProblem(flag, command)) continue;
    // Arguments that are added to others do not show that a flag is missing.
    if (problem === 'etcdNoCertificates' && !isWhole) continue;
    yield { messageId: problem, path: flag.path, data: { source, component, setting: `--${name}=${flag.value}` } };
  }
}

function isOpenPort(flag: Flag): boolean {
  return (integerOf(flag) ?? 0) !== 0;
}

function isOffLoopback({ value }: Flag): boolean {
  return value !== '' && !isLoopback(value);
}

/** An insecure address without its port closed: releases that know the one open the other by default. */
function isOpenInsecurely(flag: Flag, command: Command): boolean {
  const ports = ['insecure-port', 'port'].flatMap((name) => flagOf(command, name) ?? []);
  return isOffLoopback(flag) && !ports.some((port) => integerOf(port) === 0);
}

/** Who serves metrics on a port of the node without asking who reads them. */
const PORT_OWNERS: ReadonlyMap<number, string> = new Map([
  [2381, 'etcd'],
  [4194, 'cAdvisor'],
  [10249, 'kube-proxy'],
  [10251, 'kube-scheduler'],
  [10252, 'kube-controller-manager'],
]);

function* checkPorts(container: Container, hostNetwork: boolean, context: Context): Observations<'hostPort'> {
  if (componentCommandsOf(container).length > 0) return;
  for (const { spec, path } of portsOfContainer(container)) {
    const field = hostNetwork && spec['hostPort'] === undefined ? 'containerPort' : 'hostPort';
    const port = portNumber(spec[field]);
    if (port === undefined || !context.params.hostPorts.includes(port) || protocolOf(spec) !== 'TCP') continue;
    const component = PORT_OWNERS.get(port) ?? 'a component of Kubernetes';
    yield { messageId: 'hostPort', path: `${path}/${field}`, data: { container: container.name, port, component } };
  }
}
