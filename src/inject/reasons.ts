import { LONGEST_WARNING, renderMessage, shorten } from '../policy/message.ts';
import type { ProxiedPort } from './record.ts';

/** What a reason says, `{{value}}` standing for the value it is about, and whether somebody has to do something. */
interface Reason {
  readonly text: string;
  readonly needsAction: boolean;
}

/** Every reason for leaving a pod without a proxy of ours. */
export const SKIP_REASONS = {
  'mirror-pod': { text: 'a mirror pod only shows what its node runs', needsAction: false },
  'excluded-namespace': { text: 'the policy excludes namespace {{value}} from injection', needsAction: false },
  'opted-out': { text: 'the pod has scrapeguard.io/inject: "false"', needsAction: false },
  'injection-off': { text: 'the policy injects nowhere (injection.select: off)', needsAction: false },
  'namespace-unknown': { text: 'the labels of namespace {{value}} could not be read', needsAction: true },
  'namespace-disabled': { text: 'namespace {{value}} has scrapeguard.io/inject=disabled', needsAction: false },
  'namespace-not-selected': { text: 'namespace {{value}} has no scrapeguard.io/inject=enabled', needsAction: false },
  'no-metrics-port': { text: 'no metrics port is annotated', needsAction: false },
  'not-scraped': { text: 'prometheus.io/scrape is not "true"', needsAction: false },
  'malformed-pod': { text: 'spec.{{value}} is not what a pod has there', needsAction: true },
  windows: { text: 'there is no kube-rbac-proxy for Windows', needsAction: true },
  'host-network': {
    text: 'hostNetwork makes loopback the node’s; move the metrics off it or set injection.hostNetwork: allow',
    needsAction: true,
  },
  'already-injected': { text: 'the proxy is there and unaltered', needsAction: false },
  'proxy-altered': { text: 'its proxy {{value}} is not as it was injected: remove it, or mend it', needsAction: true },
  'already-protected': { text: 'container {{value}} is a kube-rbac-proxy in front of the port', needsAction: false },
  'app-serves-tls': { text: 'prometheus.io/scheme says that port {{value}} serves TLS itself', needsAction: false },
  'invalid-port': { text: '"{{value}}" is no port from 1 to 65535', needsAction: true },
  'unknown-port-name': { text: 'no container declares a port named "{{value}}"', needsAction: true },
  'not-tcp': { text: 'port {{value}} is declared, but not for TCP', needsAction: true },
  'kubelet-port': { text: 'port {{value}} is the kubelet’s read-only port', needsAction: true },
  'too-many-ports': { text: '{{value}} metrics ports are annotated; at most 8 get a proxy', needsAction: true },
  'invalid-path': { text: '"{{value}}" is no plain path, such as /metrics', needsAction: true },
  'invalid-scheme': { text: '"{{value}}" is no scheme: http or https', needsAction: true },
  'annotations-full': {
    text: 'the pod’s annotations leave no room: Kubernetes takes {{value}} bytes of them',
    needsAction: true,
  },
  'no-free-port': { text: 'every port from 8443 up is taken', needsAction: true },
} as const satisfies Readonly<Record<string, Reason>>;

/** Why a pod gets no proxy of ours. */
export type SkipReason = keyof typeof SKIP_REASONS;

/** What is worth telling about a pod although it stops nothing, `{{value}}` standing for the value it is about. */
export const WARNINGS = {
  'invalid-inject': 'scrapeguard.io/inject: "{{value}}" is neither "true" nor "false" and counts as none',
  'invalid-proxy-port': 'scrapeguard.io/proxy-port: "{{value}}" is no port from 1024 to 65535, not used',
  'proxy-port-taken': 'scrapeguard.io/proxy-port: {{value}} is taken already; another one is taken',
  'invalid-resource': '{{key}}: "{{value}}" is no quantity; the policy’s is used',
  'request-over-limit': 'the proxy’s {{key}} request of {{value}} is over its limit, which is raised',
  'port-not-declared': 'no container declares metrics port {{value}}; a proxy guards it all the same',
  'path-query': 'the query of the metrics path "{{value}}" is left out; annotations cannot send one',
  'scraped-without-port':
    'prometheus.io/scrape is "true" without prometheus.io/port, so that every port is scraped as it is',
  'node-wide-port': 'with hostNetwork, port {{value}} stays open to whatever runs on the node',
  'pull-secrets-alone':
    'with imagePullSecrets of its own the pod no longer gets those of its ServiceAccount; name them too',
  'istio-merge':
    'Istio merges the metrics into port 15020, unauthenticated; set prometheus.istio.io/merge-metrics: "false"',
} as const satisfies Readonly<Record<string, string>>;

/** One thing to tell, with the value it is about. */
export interface Warning {
  readonly code: keyof typeof WARNINGS;
  readonly value?: string | number;
  /** The annotation or resource that the value stands for. */
  readonly key?: string;
}

/** A value is shown up to this many characters, so that the sentence around it keeps its end. */
const LONGEST_VALUE = 40;

/** The sentence for a reason to skip, of at most 120 characters, the value in it. */
export function skipSentence(reason: SkipReason, value?: string | number): string {
  return sentenceOf(SKIP_REASONS[reason].text, { value });
}

/** The sentence for a warning, of at most 120 characters, the value in it. */
export function warningSentence({ code, value, key }: Warning): string {
  return sentenceOf(WARNINGS[code], { value, key });
}

/** True when a pod that is skipped for this reason stays open unless somebody does something. */
export function needsAction(reason: SkipReason): boolean {
  return SKIP_REASONS[reason].needsAction;
}

function sentenceOf(text: string, values: Readonly<Record<string, string | number | undefined>>): string {
  const shown = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, shorten(String(value), LONGEST_VALUE)]],
  );
  return shorten(renderMessage({ level: 'advice', text }, Object.fromEntries(shown)), LONGEST_WARNING);
}

/** What a plan does, or would do where the policy only reports, in at most 120 characters. */
export function planSentence(ports: readonly ProxiedPort[], isApplied: boolean): string {
  const places = ports.map(({ port, proxyPort }) => `${proxyPort} in front of ${port}`).join(', ');
  return shorten(`${isApplied ? 'injected' : 'would inject'} kube-rbac-proxy on port ${places}`, LONGEST_WARNING);
}
