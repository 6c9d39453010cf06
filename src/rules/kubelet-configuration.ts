import { Type } from 'typebox';

import { isLoopback } from '../kube/addresses.ts';
import { argumentsIn } from '../kube/component-arguments.ts';
import { componentCommandsOf, type ComponentCommand } from '../kube/component-commands.ts';
import { documentsIn } from '../kube/embedded-yaml.ts';
import { hasFlag } from '../kube/flags.ts';
import type { JsonObject } from '../kube/json.ts';
import {
  kubeletsConfiguredIn,
  settingsInFlags,
  type KubeletSettings,
  type Setting,
  type SettingName,
} from '../kube/kubelet-settings.ts';
import { containersOf, type Container } from '../kube/pods.ts';
import { defineRule, type Observation } from '../policy/rule.ts';

export default defineRule({
  meta: {
    id: 'kubelet-configuration',
    title: 'A kubelet answers only those whom it has authenticated and authorized',
    severity: 'critical',
    profile: 'baseline',
    targets: ['pods', 'templates', 'configmaps'],
    judges: 'pod',
    anyKind: true,
    reads: [],
    rationale:
      'A kubelet with a read-only port, with anonymous authentication or with the authorization mode AlwaysAllow tells everyone on the network what runs on its node, environment variables included; the last two also let them run commands in every container.',
    remediation:
      'Set readOnlyPort: 0, authentication.anonymous.enabled: false, authentication.webhook.enabled: true and authorization.mode: Webhook, and scrape https://<node>:10250/metrics with a token that may get nodes/metrics.',
    references: [
      'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/',
      'https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/',
      'https://nvd.nist.gov/vuln/detail/CVE-2019-11248',
    ],
    controls: ['CIS 4.2.1', 'CIS 4.2.2', 'CIS 4.2.4'],
    messages: {
      readOnlyPort: {
        level: 'violation',
        text: '{{source}} has {{setting}}, which opens a port of the kubelet that asks nobody who they are',
        remediation: 'Set it to 0, and scrape https://<node>:10250/metrics with a token that may get nodes/metrics.',
      },
      cadvisorPort: {
        level: 'violation',
        text: "{{source}} has {{setting}}, which opens cAdvisor's page to everyone who can reach the node",
        remediation:
          'Remove the flag, which Kubernetes 1.12 dropped, and scrape https://<node>:10250/metrics/cadvisor.',
      },
      anonymousAuthentication: {
        level: 'violation',
        text: '{{source}} has {{setting}}, so that the kubelet lets in requests without credentials',
        remediation: 'Set authentication.anonymous.enabled: false (--anonymous-auth=false).',
      },
      alwaysAllow: {
        level: 'violation',
        text: '{{source}} has {{setting}}, so that whoever gets in may run commands in every container of the node',
        remediation: 'Set authorization.mode: Webhook (--authorization-mode=Webhook).',
      },
      webhookAuthentication: {
        level: 'advice',
        text: '{{source}} has {{setting}} beside Webhook authorization, so that no token of a scraper is accepted',
        remediation: 'Set authentication.webhook.enabled: true (--authentication-token-webhook=true).',
      },
      healthzAddress: {
        level: 'advice',
        text: '{{source}} has {{setting}}, where older kubelets serve profiles to everyone (CVE-2019-11248)',
        remediation: 'Leave healthzBindAddress at 127.0.0.1.',
      },
      flagDefaults: {
        level: 'advice',
        text: '{{source}} starts a kubelet without --config; by the defaults of its flags port 10255 is open and everyone is let in',
        remediation:
          'Give it a KubeletConfiguration with --config, or --read-only-port=0, --anonymous-auth=false and --authorization-mode=Webhook.',
      },
      configMap: {
        level: 'advice',
        text: '{{source}} has {{setting}}, which opens every kubelet that takes its configuration from it',
      },
    },
  },
  params: Type.Object({}),
  *check(object) {
    switch (object['kind']) {
      case 'Pod':
        for (const container of containersOf(object)) yield* checkContainer(container);
        break;
      case 'ConfigMap':
        for (const { key, path, document } of documentsIn(object, KUBELET_WORDS)) {
          for (const problem of checkDocument(document)) yield inConfigMap(problem, key, path);
        }
        break;
      default:
        yield* checkDocument(object);
    }
  },
});

type Problem =
  | 'readOnlyPort'
  | 'cadvisorPort'
  | 'anonymousAuthentication'
  | 'alwaysAllow'
  | 'webhookAuthentication'
  | 'healthzAddress';
type Observations<Id extends string> = Generator<Observation<Id>>;

/** What a text must mention to be worth reading. */
const KUBELET_WORDS = /read-?only-?port|anonymous|AlwaysAllow|cadvisor-port|healthz-?bind-?address/i;

/** Problems that are no more than advice wherever they are found. */
const ADVICE: ReadonlySet<Problem> = new Set(['webhookAuthentication', 'healthzAddress']);

/** No kubelet reads a ConfigMap by itself, so what it says is a warning. */
function inConfigMap(
  { messageId, data }: Observation<Problem>,
  key: string,
  path: string,
): Observation<Problem | 'configMap'> {
  const message = ADVICE.has(messageId) ? messageId : 'configMap';
  return { messageId: message, path, data: { ...data, source: `the text under "${key}"` } };
}

function* checkContainer(container: Container): Observations<Problem | 'flagDefaults'> {
  const source = `container "${container.name}"`;
  for (const use of componentCommandsOf(container)) {
    if (use.component !== 'kubelet') continue;
    yield* checkSettings(settingsInFlags(use.command), source);
    if (hasFlagDefaults(use)) yield { messageId: 'flagDefaults', path: container.path, data: { source } };
  }
}

function* checkDocument(document: JsonObject): Observations<Problem> {
  for (const { title, settings } of kubeletsConfiguredIn(document)) yield* checkSettings(settings, `the ${title}`);
  for (const { component, command } of argumentsIn(document)) {
    const title = typeof document['kind'] === 'string' ? document['kind'] : 'configuration file';
    if (component === 'kubelet') yield* checkSettings(settingsInFlags(command), `the ${title}`);
  }
}

/** When a setting is a problem. */
interface SettingCheck {
  readonly setting: SettingName;
  readonly problem: Problem;
  readonly isProblem: (value: Setting['value'], settings: KubeletSettings) => boolean;
}

const CHECKS: readonly SettingCheck[] = [
  { setting: 'readOnlyPort', problem: 'readOnlyPort', isProblem: (port) => port !== 0 },
  { setting: 'cadvisorPort', problem: 'cadvisorPort', isProblem: (port) => port !== 0 },
  {
    setting: 'anonymousAuthentication',
    problem: 'anonymousAuthentication',
    isProblem: (isEnabled) => isEnabled === true,
  },
  { setting: 'authorizationMode', problem: 'alwaysAllow', isProblem: (mode) => mode === 'AlwaysAllow' },
  {
    setting: 'webhookAuthentication',
    problem: 'webhookAuthentication',
    isProblem: (isEnabled, { authorizationMode }) => isEnabled === false && authorizationMode?.value === 'Webhook',
  },
  {
    setting: 'healthzBindAddress',
    problem: 'healthzAddress',
    isProblem: (address, { healthzPort }) => address !== '' && !isLoopback(String(address)) && healthzPort?.value !== 0,
  },
];

function* checkSettings(settings: KubeletSettings, source: string): Observations<Problem> {
  for (const { setting, problem, isProblem } of CHECKS) {
    const found = settings[setting];
    if (found === undefined || !isProblem(found.value, settings)) continue;
    yield { messageId: problem, path: found.path, data: { source, setting: found.written } };
  }
}

/** Flags by which a kubelet is told something else than its flags' defaults, or does not start at all. */
const TELLING_FLAGS = [
  'config',
  'config-dir',
  'read-only-port',
  'anonymous-auth',
  'authorization-mode',
  'version',
  'help',
  'h',
] as const;

/** True for a kubelet that gets neither a configuration nor the flags in question (`applyLegacyDefaults`). */
function hasFlagDefaults({ command, isWhole }: ComponentCommand): boolean {
  const isUnknown = command.words.some(({ text }) => text.startsWith('$'));
  return isWhole && !isUnknown && !TELLING_FLAGS.some((flag) => hasFlag(command, flag));
}
