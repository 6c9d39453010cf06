import { asObject, type JsonObject } from '../src/kube/json.ts';
import { publishedSchema } from '../src/policy/schema.ts';
import type { Rule } from '../src/policy/rule.ts';

const TEXT: JsonObject = { type: 'string' };
const NAME: JsonObject = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' };
const FLAG: JsonObject = { type: 'boolean' };
const TEXTS: JsonObject = { type: 'object', additionalProperties: TEXT };
/** A field of Kubernetes that is handed through. */
const MAP: JsonObject = { type: 'object' };
const LIST: JsonObject = { type: 'array' };

/** The JSON Schema of the chart's values: every key is known, and `policy` is held to the policy's own schema. */
export function valuesSchema(rules: readonly Rule[]): JsonObject {
  const spec = asObject(asObject(publishedSchema(rules)['properties'])['spec']);
  const { templateKinds } = asObject(spec['properties']);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart scrapeguard',
    ...closed({
      mode: { enum: ['audit', 'namespace-opt-in', 'cluster-wide'] },
      failurePolicy: { enum: ['Ignore', 'Fail'] },
      policy: spec,
      bootstrapNamespaces: { type: 'array', items: NAME },
      templateKinds,
      certificates: closed({
        source: { enum: ['self-managed', 'cert-manager', 'existing-secret'] },
        secretName: NAME,
        issuerRef: closed({ name: TEXT, kind: TEXT, group: TEXT }),
        caBundle: TEXT,
      }),
      clientCA: TEXT,
      replicas: { type: 'integer', minimum: 1 },
      image: closed({
        repository: { type: 'string', minLength: 1 },
        tag: TEXT,
        digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
        pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
      }),
      imagePullSecrets: { type: 'array', items: closed({ name: NAME }) },
      runAsUser: { type: ['integer', 'null'], minimum: 1 },
      resources: MAP,
      priorityClassName: TEXT,
      nodeSelector: TEXTS,
      tolerations: LIST,
      affinity: MAP,
      podLabels: TEXTS,
      podAnnotations: TEXTS,
      drainSeconds: { type: 'integer', minimum: 0, maximum: 600 },
      logLevel: { enum: ['trace', 'debug', 'info', 'warn', 'error'] },
      metrics: closed({
        enabled: FLAG,
        scrapers: scrapers(spec),
        serviceMonitor: SERVICE_MONITOR,
        prometheusRule: closed({ enabled: FLAG, labels: TEXTS }),
      }),
      networkPolicy: closed({ enabled: FLAG }),
      // Helm hands every chart a map of this name.
      global: MAP,
    }),
  };
}

const SERVICE_MONITOR = closed({
  enabled: FLAG,
  interval: { type: 'string', pattern: '^[0-9]+(ms|s|m|h)$' },
  labels: TEXTS,
});

/** Subjects as `expectedSubjects` has them, but for wildcards: they are bound by name. */
function scrapers(spec: JsonObject): JsonObject {
  const expected = asObject(asObject(asObject(spec['properties'])['expectedSubjects'])['items']);
  const subjects = asObject(asObject(expected['properties'])['subjects']);
  const noWildcard = { properties: { name: { pattern: '^[^*]+$' }, namespace: { pattern: '^[^*]+$' } } };
  return { type: 'array', items: { allOf: [subjects['items'], noWildcard] } };
}

function closed(properties: JsonObject): JsonObject {
  return { type: 'object', properties, additionalProperties: false };
}
