import { Type } from 'typebox';

import { isLoopback } from '../kube/addresses.ts';
import { argumentsIn } from '../kube/component-arguments.ts';
import { componentCommandsOf, type ComponentCommand } from '../kube/component-commands.ts';
import { documentsIn } from '../kube/embedded-yaml.ts';
import { flagOf } from '../kube/flags.ts';
import { asString, type JsonObject } from '../kube/json.ts';
import { containersOf } from '../kube/pods.ts';
import { defineRule, type Observation } from '../policy/rule.ts';

export default defineRule({
  meta: {
    id: 'kube-proxy-metrics-address',
    title: 'kube-proxy serves its metrics on loopback only',
    severity: 'medium',
    profile: 'strict',
    targets: ['pods', 'templates', 'configmaps'],
    judges: 'pod',
    anyKind: true,
    reads: [],
    rationale:
      'kube-proxy never asks who reads its metrics, its configuration or its profiles. On an address other than loopback everyone who can reach a node reads them.',
    remediation:
      'Leave metricsBindAddress at 127.0.0.1:10249 and put a kube-rbac-proxy on the node network in front of it.',
    references: ['https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/'],
    controls: ['CIS 4.3.1'],
    messages: {
      address: {
        level: 'violation',
        text: '{{source}} has kube-proxy serve its metrics on {{address}}, where everyone on the network reads them',
      },
      configMap: {
        level: 'advice',
        text: '{{source}} has metricsBindAddress {{address}}, where each kube-proxy that reads it serves metrics to everyone',
      },
    },
  },
  params: Type.Object({}),
  *check(object) {
    switch (object['kind']) {
      case 'Pod':
        for (const container of containersOf(object)) {
          for (const use of componentCommandsOf(container)) yield* checkFlag(use, `container "${container.name}"`);
        }
        break;
      case 'ConfigMap':
        for (const { key, path, document } of documentsIn(object, /metricsBindAddress|metrics-bind-address/)) {
          for (const { data } of checkDocument(document)) {
            yield { messageId: 'configMap', path, data: { ...data, source: `the text under "${key}"` } };
          }
        }
        break;
      default:
        yield* checkDocument(object);
    }
  },
});

type Observations = Generator<Observation<'address'>>;

function* checkFlag({ component, command }: ComponentCommand, source: string): Observations {
  const flag = component === 'kube-proxy' ? flagOf(command, 'metrics-bind-address') : undefined;
  if (flag === undefined || !isOpen(flag.value)) return;
  yield { messageId: 'address', path: flag.path, data: { source, address: flag.value } };
}

function* checkDocument(document: JsonObject): Observations {
  const kind = asString(document['kind']) ?? '';
  const address = asString(document['metricsBindAddress']) ?? '';
  if ((kind === 'KubeProxyConfiguration' || kind === '') && isOpen(address)) {
    const source = `the ${kind === '' ? 'kube-proxy configuration' : kind}`;
    yield { messageId: 'address', path: '/metricsBindAddress', data: { source, address } };
  }
  for (const use of argumentsIn(document)) yield* checkFlag(use, `the ${kind === '' ? 'configuration file' : kind}`);
}

/** An empty address turns the metrics off. */
function isOpen(address: string): boolean {
  return address !== '' && !isLoopback(address);
}
