import { Type } from 'typebox';

import { commandsOf, wordsOf } from '../kube/command-line.ts';
import { literalVariablesOf } from '../kube/environment.ts';
import { forwardsTo, mentions } from '../kube/forwarders.ts';
import { asList, asObject, type JsonObject } from '../kube/json.ts';
import { metadataOf } from '../kube/object.ts';
import { containersOf, type Container } from '../kube/pods.ts';
import { escapeToken, type JsonPointer } from '../kube/pointer.ts';
import { mentionsOneOf, portUse, type PortUse } from '../kube/port-use.ts';
import { portNumber } from '../kube/ports.ts';
import { scrapeSettingOf } from '../kube/prometheus-annotations.ts';
import { scrapeTargetsOf } from '../kube/scrape-targets.ts';
import { wordOf, type Word } from '../kube/word.ts';
import { defineRule, type Message, type Observation, type RuleContext } from '../policy/rule.ts';

/** What the rule can say: of containers, of annotations, of the objects that configure Prometheus. */
const MESSAGES = {
  argument: {
    level: 'violation',
    text: 'container "{{container}}" asks the kubelet\'s unauthenticated port {{port}}',
  },
  variable: {
    level: 'violation',
    text: '{{variable}} sends container "{{container}}" to the kubelet\'s unauthenticated port {{port}}',
  },
  listener: {
    level: 'advice',
    text: 'container "{{container}}" seems to listen on port {{port}}, where scrapers expect a kubelet',
    remediation: 'Let the program listen on another port.',
  },
  annotation: {
    level: 'violation',
    text: "annotation {{annotation}} sends scrapers to the kubelet's unauthenticated port {{port}}",
    remediation:
      "Annotate a port of the program's own; kubelets are scraped as nodes, on https://<node>:10250/metrics, and need no annotation.",
  },
  idleAnnotation: {
    level: 'advice',
    text: "annotation {{annotation}} names the kubelet's port {{port}}, but scraping is off",
    remediation: "Remove it, or annotate a port of the program's own.",
  },
  monitor: {
    level: 'violation',
    text: "the {{kind}} scrapes the kubelet's unauthenticated port {{port}}",
  },
  kubeletMonitor: {
    level: 'advice',
    text: 'the ServiceMonitor scrapes http-metrics of the kubelets, their unauthenticated port {{port}}',
    remediation: 'Scrape https-metrics with scheme: https and the service account token.',
  },
} as const satisfies Readonly<Record<string, Message>>;

export default defineRule({
  meta: {
    id: 'kubelet-read-only-port-client',
    title: 'Nothing may ask the kubelet read-only port',
    severity: 'medium',
    profile: 'strict',
    targets: ['pods', 'templates', 'services', 'servicemonitors', 'podmonitors', 'scrapeconfigs'],
    judges: 'pod',
    reads: [],
    rationale:
      'Whoever reads metrics from port 10255 keeps that port open on every node: it cannot be closed before the last client has moved, and what it serves is neither encrypted nor signed by the kubelet. Kubelets serve the same on 10250 to those who may get nodes/metrics or nodes/stats.',
    remediation:
      'Ask https://<node>:10250 with a service account token that may get nodes/metrics and nodes/stats; if the number means something else, use another one.',
    references: [
      'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/',
      'https://cloud.google.com/kubernetes-engine/docs/how-to/disable-kubelet-readonly-port',
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
        yield* checkAnnotations(object, context);
        for (const container of containersOf(object)) {
          if (mentionsPort(container, context.params.ports)) yield* checkContainer(container, context);
        }
        break;
      case 'Service':
        yield* checkAnnotations(object, context);
        break;
      case 'ServiceMonitor':
      case 'PodMonitor':
      case 'ScrapeConfig':
        yield* checkMonitor(object, context);
        break;
      default:
    }
  },
});

type Context = RuleContext<{ ports: number[] }>;
type Observations = Generator<Observation<keyof typeof MESSAGES>>;

/** True for the few containers that are worth a closer look: the digits stand in what they are told. */
function mentionsPort(container: Container, ports: readonly number[]): boolean {
  return (
    wordsOf(container).some(({ text }) => mentionsOneOf(text, ports)) ||
    commandsOf(container).some((command) => mentions(command, ports)) ||
    literalVariablesOf(container).entries.some(({ value }) => mentionsOneOf(value, ports))
  );
}

function* checkContainer(container: Container, context: Context): Observations {
  const { ports } = context.params;
  for (const [path, { use, port }] of usesInCommandLine(container, ports)) {
    const messageId = use === 'asks' ? 'argument' : 'listener';
    yield { messageId, path, data: { container: container.name, port } };
  }
  for (const { name: variable, value, path } of literalVariablesOf(container).entries) {
    const found = useIn(`${variable}=${value}`, ports);
    if (found === undefined) continue;
    const data = { container: container.name, port: found.port };
    if (found.use === 'asks') yield { messageId: 'variable', path, data: { ...data, variable } };
    else yield { messageId: 'listener', path, data };
  }
}

interface Use {
  readonly use: PortUse;
  readonly port: number;
}

/** One use a place, asking before listening; none where the container passes connections on to the port. */
function usesInCommandLine(container: Container, ports: readonly number[]): ReadonlyMap<JsonPointer, Use> {
  const found = new Map<JsonPointer, Use>();
  // Scripts are read twice: as they are written, which shows assignments, and as commands, which shows what variables hold.
  const lines = [wordsOf(container).map(withoutComments), ...commandsOf(container).map(({ words }) => words)];
  for (const words of lines) {
    for (const [index, { text, path }] of words.entries()) {
      // The digits cannot stand in the flag before: there they would follow a letter, and be no port.
      if (!mentionsOneOf(text, ports)) continue;
      const flag = words[index - 1]?.text ?? '';
      const use = useIn(BARE_FLAG.test(flag) ? `${flag} ${text}` : text, ports);
      if (use !== undefined && found.get(path)?.use !== 'asks') found.set(path, use);
    }
  }
  if (found.size > 0) for (const { path } of forwardsTo(container, ports)) found.delete(path);
  return found;
}

/** A flag whose value may be the next word. */
const BARE_FLAG = /^--?[A-Za-z][\w.-]*$/;

function withoutComments(word: Word): Word {
  return word.text.includes('\n') ? wordOf(word.text.replaceAll(/^[ \t]*#.*$/gm, ''), word.path) : word;
}

function useIn(text: string, ports: readonly number[]): Use | undefined {
  let listens: Use | undefined;
  for (const port of ports) {
    const use = portUse(text, port);
    if (use === 'asks') return { use, port };
    if (use === 'listens') listens ??= { use, port };
  }
  return listens;
}

/** Annotations that name a port to scrape, in every spelling that Prometheus reads alike. */
function* checkAnnotations(object: JsonObject, { params: { ports } }: Context): Observations {
  const annotations = asObject(metadataOf(object)['annotations']);
  const keys = Object.keys(annotations);
  const scrape = keys.filter((key) => scrapeSettingOf(key) === 'scrape').map((key) => annotations[key]);
  if (scrape.length > 0 && scrape.every((value) => value === 'false')) return;
  for (const annotation of keys) {
    const port = scrapeSettingOf(annotation) === 'port' ? portNumber(annotations[annotation]) : undefined;
    if (port === undefined || !ports.includes(port)) continue;
    const messageId = scrape.includes('true') ? 'annotation' : 'idleAnnotation';
    yield { messageId, path: `/metadata/annotations/${escapeToken(annotation)}`, data: { annotation, port } };
  }
}

function* checkMonitor(object: JsonObject, { params: { ports } }: Context): Observations {
  const kind = String(object['kind']);
  for (const { value, path } of scrapeTargetsOf(object)) {
    const port = ports.find((candidate) => isTarget(value, candidate));
    if (port !== undefined) yield { messageId: 'monitor', path, data: { kind, port } };
  }
  if (kind === 'ServiceMonitor' && ports.includes(INSECURE_PORT.number)) yield* checkKubeletMonitor(object);
}

function isTarget(value: number | string, port: number): boolean {
  return value === port || value === String(port) || (typeof value === 'string' && portUse(value, port) !== undefined);
}

/** What prometheus-operator's Service for the kubelets calls the port (pkg/kubelet/controller.go). */
const INSECURE_PORT = { name: 'http-metrics', number: 10255 } as const;

/** Only of a ServiceMonitor that selects that Service: many programs call their own port so. */
function* checkKubeletMonitor(object: JsonObject): Observations {
  const spec = asObject(object['spec']);
  const labels = asObject(asObject(spec['selector'])['matchLabels']);
  if (labels['k8s-app'] !== 'kubelet' && labels['app.kubernetes.io/name'] !== 'kubelet') return;
  for (const [index, endpoint] of asList(spec['endpoints']).entries()) {
    if (asObject(endpoint)['port'] !== INSECURE_PORT.name) continue;
    const path = `/spec/endpoints/${index}/port`;
    yield { messageId: 'kubeletMonitor', path, data: { port: INSECURE_PORT.number } };
  }
}
