import { Type } from 'typebox';

import { isLoopback } from '../kube/addresses.ts';
import type { Command } from '../kube/command-line.ts';
import { componentCommandsOf } from '../kube/component-commands.ts';
import { documentsIn } from '../kube/embedded-yaml.ts';
import { flagOf } from '../kube/flags.ts';
import { asList, asObject, asString, isObject, type JsonObject } from '../kube/json.ts';
import { annotationOf } from '../kube/object.ts';
import { containersOf } from '../kube/pods.ts';
import { ignoredPathsOf } from '../kube/rbac-proxy.ts';
import { defineRule, type Observation } from '../policy/rule.ts';

export default defineRule({
  meta: {
    id: 'kube-rbac-proxy-flags',
    title: 'A kube-rbac-proxy protects what it stands in front of',
    severity: 'high',
    profile: 'baseline',
    targets: ['pods', 'templates', 'configmaps'],
    judges: 'pod',
    anyKind: true,
    reads: [],
    rationale:
      'A kube-rbac-proxy that lets the metrics pass unasked, that takes tokens in the clear or that allows everyone is worse than none, because it looks like protection.',
    remediation:
      'Use --secure-listen-address, keep the metrics out of --ignore-paths, and name a user in every static authorization.',
    references: ['https://github.com/brancz/kube-rbac-proxy'],
    controls: [],
    messages: {
      ignorePaths: {
        level: 'violation',
        text: 'container "{{container}}" lets {{path}} pass without authentication, by {{pattern}} in --ignore-paths',
        remediation: 'Take the pattern out of --ignore-paths; only health checks belong there.',
      },
      insecureAddress: {
        level: 'violation',
        text: 'container "{{container}}" serves plain HTTP on {{address}}, so that tokens cross the network in the clear',
        remediation: 'Use --secure-listen-address instead.',
      },
      allowsEveryone: {
        level: 'violation',
        text: '{{source}} has a static authorization without a user name, which allows everyone who can log in',
        remediation: 'Write user.name in it; user.groups is not looked at.',
      },
    },
  },
  params: Type.Object({}),
  *check(object) {
    switch (object['kind']) {
      case 'Pod':
        for (const container of containersOf(object)) {
          for (const { component, command } of componentCommandsOf(container)) {
            if (component === 'kube-rbac-proxy') yield* checkFlags(command, container.name, metricsPathsOf(object));
          }
        }
        break;
      case 'ConfigMap':
        for (const { key, path, document } of documentsIn(object, /\bstatic\b/)) {
          for (const { messageId } of checkConfiguration(document)) {
            yield { messageId, path, data: { source: `the text under "${key}"` } };
          }
        }
        break;
      case undefined:
        yield* checkConfiguration(object);
        break;
      default:
    }
  },
});

type Observations<Id extends string> = Generator<Observation<Id>>;

/** Longer paths are left alone: matching one takes its length for every character of a pattern. */
const LONGEST_PATH = 64;

/** Where a pod's metrics are: the usual path, and the one that an annotation names. */
function metricsPathsOf(pod: JsonObject): readonly string[] {
  const annotated = annotationOf(pod, 'prometheus.io/path');
  return annotated === undefined || annotated.length > LONGEST_PATH ? ['/metrics'] : ['/metrics', annotated];
}

function* checkFlags(
  command: Command,
  container: string,
  metricsPaths: readonly string[],
): Observations<'ignorePaths' | 'insecureAddress'> {
  for (const { path, pattern } of ignoredPathsOf(command, metricsPaths)) {
    yield { messageId: 'ignorePaths', path: pattern.path, data: { container, path, pattern: pattern.value } };
  }
  const address = flagOf(command, 'insecure-listen-address');
  if (address === undefined || address.value === '' || isLoopback(address.value)) return;
  yield { messageId: 'insecureAddress', path: address.path, data: { container, address: address.value } };
}

/** The fields by which a static authorization is narrowed to some resources; an empty one stands for everything. */
const RESOURCE_FIELDS = ['namespace', 'apiGroup', 'resource', 'subresource', 'name'] as const;

/** Checks a file for `--config-file`, known by its shape: it has no kind. */
function* checkConfiguration(document: JsonObject): Observations<'allowsEveryone'> {
  const { static: entries, resourceAttributes } = asObject(document['authorization']);
  for (const [index, entry] of asList(entries).entries()) {
    if (!isObject(entry) || !allowsEveryone(entry, asObject(resourceAttributes))) continue;
    const data = { source: 'the kube-rbac-proxy configuration' };
    yield { messageId: 'allowsEveryone', path: `/authorization/static/${index}`, data };
  }
}

/**
 * True for an entry that lets whoever is authenticated read the metrics: no user name, since groups are not looked at, and
 * nothing else that the proxy's own question would fail (kube-rbac-proxy pkg/authz `Matches`).
 */
function allowsEveryone(entry: JsonObject, asked: JsonObject): boolean {
  const isForReading = ['', 'get'].includes(textOf(entry, 'verb'));
  if (textOf(asObject(entry['user']), 'name') !== '' || !isForReading) return false;
  if (entry['resourceRequest'] !== true) return matchesMetrics(textOf(entry, 'path'));
  return RESOURCE_FIELDS.every((field) => ['', textOf(asked, field)].includes(textOf(entry, field)));
}

function matchesMetrics(path: string): boolean {
  return path === '' || path === '/metrics' || path.startsWith('/metrics/');
}

function textOf(object: JsonObject, field: string): string {
  return asString(object[field]) ?? '';
}
