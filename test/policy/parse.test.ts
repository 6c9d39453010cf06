import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { isObject, type JsonObject } from '../../src/kube/json.ts';
import { policyParser } from '../../src/policy/parse.ts';
import { labelRule } from '../support/label-rule.ts';

const RULES = [
  labelRule('nodes-proxy-grant', { judgesGrants: true }),
  labelRule('unprotected-metrics-port', { profile: 'strict' }),
];
const parse = policyParser(RULES);
const HEAD = { apiVersion: 'scrapeguard.io/v1alpha1', kind: 'MetricsPolicy' };

const DEFAULT_SPEC = {
  defaults: { enforce: 'baseline', warn: 'strict', audit: 'strict' },
  clusterScoped: { enforce: 'baseline', warn: 'strict', audit: 'strict' },
  maximumMode: 'enforce',
  enforceTemplates: false,
  templateKinds: [],
  excludedNamespaces: ['kube-node-lease', 'scrapeguard-system'],
  administrators: [
    { kind: 'Group', name: 'system:masters' },
    { kind: 'Group', name: 'kubeadm:cluster-admins' },
  ],
  breakGlass: [],
  expectedSubjects: [],
  rules: {
    'nodes-proxy-grant': { params: { limit: 10 }, maximumMode: 'enforce' },
    'unprotected-metrics-port': { params: { limit: 10 }, maximumMode: 'enforce' },
  },
  injection: {
    select: 'annotated',
    mode: 'apply',
    excludedNamespaces: ['kube-system'],
    image: 'quay.io/brancz/kube-rbac-proxy:v0.22.1',
    imagePullSecrets: [],
    resources: { requests: { cpu: '10m', memory: '20Mi' }, limits: { cpu: '100m', memory: '64Mi' } },
    runAsUser: 65532,
    audiences: [],
    upstreamHost: '127.0.0.1',
    hostNetwork: 'skip',
    tokenVolume: 'auto',
  },
  exceptions: [],
};

/** Every field, none at its default. */
const FULL_SPEC = {
  defaults: { enforce: 'off', warn: 'baseline', audit: 'off' },
  clusterScoped: { enforce: 'strict', warn: 'off', audit: 'baseline' },
  maximumMode: 'audit',
  enforceTemplates: true,
  templateKinds: [{ group: '', resource: 'apps', kind: 'App', path: '/spec/parts/*/template' }],
  excludedNamespaces: ['kube-*'],
  administrators: [{ kind: 'User', name: 'root' }],
  breakGlass: [{ kind: 'ServiceAccount', namespace: 'ops', name: 'rescue-*' }],
  expectedSubjects: [
    {
      capabilities: [
        'metrics',
        ...['proxy', 'metrics', 'stats', 'log', 'checkpoint', 'pods', 'configz', 'healthz', 'spec'].map(
          (sub) => `nodes/${sub}`,
        ),
        'pods/proxy',
        'services/proxy',
        'escalate',
        'bind',
        'impersonate',
      ],
      subjects: [
        { kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus-*' },
        { kind: 'Group', name: 'sre' },
        { kind: 'User', name: 'jane' },
      ],
      reason: 'the Prometheus that scrapes this cluster',
    },
  ],
  rules: {
    'nodes-proxy-grant': { params: { limit: 3 }, maximumMode: 'warn' },
    'unprotected-metrics-port': { params: { limit: 1 }, maximumMode: 'off' },
  },
  injection: {
    select: 'labelled',
    mode: 'report',
    excludedNamespaces: [],
    image: 'registry.example.com:5000/kube-rbac-proxy:v0.21.0',
    imagePullSecrets: ['pull'],
    resources: { requests: { cpu: '0.5', memory: '1Gi' }, limits: { cpu: '1', memory: '2G' } },
    runAsUser: null,
    audiences: ['metrics'],
    upstreamHost: '::1',
    hostNetwork: 'allow',
    tokenVolume: 'always',
  },
  exceptions: [
    {
      name: 'legacy-exporter',
      rules: ['unprotected-metrics-port'],
      namespaces: ['legacy'],
      kinds: ['Pod'],
      names: ['old-*'],
      reason: 'moves with release 7',
      owner: 'team-legacy',
      expires: '2027-03-31',
    },
  ],
};

/** The problems of a policy, each as `path: message`. */
function problemsOf(document: unknown): string[] {
  const parsed = parse(document);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

const inSpec = (spec: unknown): string[] => problemsOf({ ...HEAD, spec });
const inException = (change: JsonObject): string[] =>
  inSpec({
    exceptions: [{ name: 'e', rules: ['unprotected-metrics-port'], reason: 'r', expires: '2027-03-31', ...change }],
  });

describe('a policy that can be used', () => {
  it('is the default one when nothing is written, field by field', () => {
    const parsed = parse(HEAD);
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.document, { ...HEAD, metadata: { name: 'default' }, spec: DEFAULT_SPEC });
  });

  it('has every field as it was written', () => {
    const document = { ...HEAD, metadata: { name: 'full' }, spec: FULL_SPEC };
    const parsed = parse(document);
    assert.deepEqual(parsed, { ok: true, document });
    assert.deepEqual(Object.keys(FULL_SPEC).sort(), Object.keys(DEFAULT_SPEC).sort());
  });

  it('is completed at every depth, the rest left as it was written', () => {
    const spec = { defaults: { warn: 'off' }, injection: { resources: { limits: { cpu: '1' } } } };
    const parsed = parse({ ...HEAD, spec });
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.document.spec.defaults, { enforce: 'baseline', warn: 'off', audit: 'strict' });
    const { requests, limits } = parsed.document.spec.injection.resources;
    assert.deepEqual(
      [requests, limits],
      [
        { cpu: '10m', memory: '20Mi' },
        { cpu: '1', memory: '64Mi' },
      ],
    );
  });

  it('completes an exception that names rules only: any namespace, kind and name', () => {
    const parsed = parse({
      ...HEAD,
      spec: { exceptions: [{ name: 'e', rules: ['unprotected-metrics-port'], reason: 'r', expires: '2027-03-31' }] },
    });
    assert.ok(parsed.ok);
    const [{ namespaces, kinds, names } = { namespaces: [], kinds: [], names: [] }] = parsed.document.spec.exceptions;
    assert.deepEqual([namespaces, kinds, names], [['*'], ['*'], ['*']]);
  });

  it('leaves the document that was handed over as it was', () => {
    const document = { ...HEAD, spec: { rules: {} } };
    parse(document);
    assert.deepEqual(document, { ...HEAD, spec: { rules: {} } });
  });

  it('shares nothing with the next one', () => {
    const [first, second] = [parse(HEAD), parse(HEAD)];
    assert.ok(first.ok && second.ok);
    first.document.spec.excludedNamespaces.push('default');
    assert.deepEqual(second.document.spec, DEFAULT_SPEC);
  });

  it('a sidecar may not ask for more than its limit', () => {
    assert.deepEqual(inSpec({ injection: { resources: { requests: { cpu: '1' }, limits: { memory: '20Mi' } } } }), [
      '/spec/injection/resources/requests/cpu: "1" is over the limit, "100m".',
    ]);
  });

  for (const image of [
    'quay.io/brancz/kube-rbac-proxy:v0.22.1',
    'quay.io/brancz/kube-rbac-proxy:v0.97.9',
    'kube-rbac-proxy:0.9.8',
    'localhost:5000/kube-rbac-proxy',
    'registry.example.com:5000/kube-rbac-proxy:v0.21.0',
    `kube-rbac-proxy:v0.22.1@sha256:${'1a'.repeat(32)}`,
    `kube-rbac-proxy@sha256:${'1a'.repeat(32)}`,
    'kube-rbac-proxy:latest',
  ]) {
    it(`may inject ${image}`, () => assert.deepEqual(inSpec({ injection: { image } }), []));
  }
});

const UNKNOWN_SUBJECT = { capabilities: ['metrics'], reason: 'r' };

const PROBLEMS: readonly (readonly [name: string, problems: readonly string[], expected: readonly string[]])[] = [
  ['no object', problemsOf('policy'), [': A policy is a YAML or JSON object.']],
  ['a list', problemsOf([HEAD]), [': A policy is a YAML or JSON object.']],
  ['nothing', problemsOf(null), [': A policy is a YAML or JSON object.']],
  ['an empty object', problemsOf({}), [': The key "apiVersion" is missing.', ': The key "kind" is missing.']],
  [
    'another version',
    problemsOf({ ...HEAD, apiVersion: 'scrapeguard.io/v1' }),
    ['/apiVersion: "scrapeguard.io/v1" must be "scrapeguard.io/v1alpha1".'],
  ],
  ['another kind', problemsOf({ ...HEAD, kind: 'Policy' }), ['/kind: "Policy" must be "MetricsPolicy".']],
  ['an unknown key at the top', problemsOf({ ...HEAD, sepc: {} }), ['/sepc: Unknown key "sepc"; did you mean "spec"?']],
  ['an unknown key', inSpec({ default: {} }), ['/spec/default: Unknown key "default"; did you mean "defaults"?']],
  ['an unknown key far from every known one', inSpec({ nonsense: 1 }), ['/spec/nonsense: Unknown key "nonsense".']],
  ['an unknown key that a pointer has to escape', inSpec({ 'a/b~c': 1 }), ['/spec/a~1b~0c: Unknown key "a/b~c".']],
  ['a key that breaks lines', inSpec({ 'a\nb': 1 }), ['/spec/a\nb: Unknown key "a\\nb".']],
  [
    '__proto__',
    inSpec(JSON.parse('{"__proto__": {"maximumMode": "off"}}')),
    ['/spec/__proto__: Unknown key "__proto__".'],
  ],
  [
    'a wrong profile',
    inSpec({ defaults: { enforce: 'basline' } }),
    ['/spec/defaults/enforce: "basline" is not one of off, baseline, strict; did you mean "baseline"?'],
  ],
  [
    'off without quotes',
    inSpec({ defaults: { enforce: false } }),
    [
      '/spec/defaults/enforce: false is not one of off, baseline, strict; YAML reads off without quotes as false: write "off".',
    ],
  ],
  [
    'a wrong cap',
    inSpec({ rules: { 'nodes-proxy-grant': { maximumMode: 'warning' } } }),
    [
      '/spec/rules/nodes-proxy-grant/maximumMode: "warning" is not one of enforce, warn, audit, off; did you mean "warn"?',
    ],
  ],
  [
    'a value of the wrong type',
    inSpec({ enforceTemplates: 'yes' }),
    ['/spec/enforceTemplates: "yes" is not true or false.'],
  ],
  ['a key without a value', inSpec({ exceptions: null }), ['/spec/exceptions: An empty value is not a list.']],
  ['a spec without a value', inSpec(null), ['/spec: An empty value is not an object.']],
  [
    'a text for a number',
    inSpec({ injection: { runAsUser: 'root' } }),
    ['/spec/injection/runAsUser: "root" is not a whole number or null.'],
  ],
  [
    'root as the user of the sidecar',
    inSpec({ injection: { runAsUser: 0 } }),
    ['/spec/injection/runAsUser: 0 must be >= 1.'],
  ],
  [
    'a quantity that is none',
    inSpec({ injection: { resources: { requests: { cpu: '10 potatoes' } } } }),
    ['/spec/injection/resources/requests/cpu: "10 potatoes" has not the right form. A quantity, such as 10m or 64Mi.'],
  ],
  [
    'a place of a template that is no pointer',
    inSpec({ templateKinds: [{ group: '', resource: 'apps', kind: 'App', path: 'spec.template' }] }),
    [
      '/spec/templateKinds/0/path: "spec.template" has not the right form. The JSON Pointer of the pod template; * stands for every item of a list.',
    ],
  ],
  [
    'an unknown rule',
    inSpec({ rules: { 'node-proxy-grant': {} } }),
    ['/spec/rules/node-proxy-grant: Unknown key "node-proxy-grant"; did you mean "nodes-proxy-grant"?'],
  ],
  [
    'an unknown parameter of a rule',
    inSpec({ rules: { 'nodes-proxy-grant': { params: { limits: 1 } } } }),
    ['/spec/rules/nodes-proxy-grant/params/limits: Unknown key "limits"; did you mean "limit"?'],
  ],
  [
    'a bad parameter of a rule',
    inSpec({ rules: { 'nodes-proxy-grant': { params: { limit: '1' } } } }),
    ['/spec/rules/nodes-proxy-grant/params/limit: "1" is not a whole number.'],
  ],
  [
    'an unknown capability',
    inSpec({
      expectedSubjects: [{ capabilities: ['node/proxy'], subjects: [{ kind: 'User', name: 'a' }], reason: 'r' }],
    }),
    [
      '/spec/expectedSubjects/0/capabilities/0: "node/proxy" is not one of metrics, nodes/proxy, nodes/metrics, nodes/stats, nodes/log, nodes/checkpoint, nodes/pods, nodes/configz, nodes/healthz, nodes/spec, pods/proxy, services/proxy, escalate, bind, impersonate; did you mean "nodes/proxy"?',
    ],
  ],
  [
    'an expected subject without a reason',
    inSpec({ expectedSubjects: [{ capabilities: ['metrics'], subjects: [{ kind: 'User', name: 'a' }] }] }),
    ['/spec/expectedSubjects/0: The key "reason" is missing.'],
  ],
  [
    'nobody who is expected',
    inSpec({ expectedSubjects: [{ ...UNKNOWN_SUBJECT, subjects: [] }] }),
    ['/spec/expectedSubjects/0/subjects: This must not be empty.'],
  ],
  [
    'a ServiceAccount of no namespace',
    inSpec({ breakGlass: [{ kind: 'ServiceAccount', name: 'rescue' }] }),
    ['/spec/breakGlass/0: The key "namespace" is missing.'],
  ],
  [
    'a Group of a namespace',
    inSpec({ administrators: [{ kind: 'Group', name: 'admins', namespace: 'ops' }] }),
    ['/spec/administrators/0/namespace: Only a ServiceAccount has a namespace.'],
  ],
  [
    'a kind of subject that there is not',
    inSpec({ breakGlass: [{ kind: 'Users', name: 'a' }] }),
    ['/spec/breakGlass/0/kind: "Users" is not one of User, Group, ServiceAccount; did you mean "User"?'],
  ],
  [
    'a subject without a kind',
    inSpec({ breakGlass: [{ name: 'a' }] }),
    ['/spec/breakGlass/0: The key "kind" is missing.'],
  ],
  [
    'an exception without an end',
    inException({ expires: undefined }),
    ['/spec/exceptions/0: The key "expires" is missing.'],
  ],
  [
    'an end that is no date',
    inException({ expires: 'next year' }),
    ['/spec/exceptions/0/expires: "next year" has not the right form. The last valid day, UTC: 2027-03-31.'],
  ],
  [
    'a day that there is not',
    inException({ expires: '2027-02-29' }),
    ['/spec/exceptions/0/expires: "2027-02-29" is no date.'],
  ],
  [
    'a month that there is not',
    inException({ expires: '2027-13-01' }),
    ['/spec/exceptions/0/expires: "2027-13-01" is no date.'],
  ],
  [
    'an exception without a reason',
    inException({ reason: '' }),
    ['/spec/exceptions/0/reason: This must not be empty.'],
  ],
  ['an exception for no rule', inException({ rules: [] }), ['/spec/exceptions/0/rules: This must not be empty.']],
  [
    'an exception for an unknown rule',
    inException({ rules: ['unprotected-metric-port'] }),
    [
      '/spec/exceptions/0/rules/0: No rule is called "unprotected-metric-port"; did you mean "unprotected-metrics-port"?',
    ],
  ],
  [
    'an exception for a rule that judges grants',
    inException({ rules: ['unprotected-metrics-port', 'nodes-proxy-grant'] }),
    ['/spec/exceptions/0/rules/1: "nodes-proxy-grant" judges grants: say whom you expect in expectedSubjects instead.'],
  ],
  ...[
    'v0.98',
    'v0.98.0',
    'v0.99.1-rc.0',
    'v0.100.0',
    'v1',
    '1.0',
    'v1.0.0',
    'v2.3.4',
    `v1.0.0@sha256:${'0'.repeat(64)}`,
  ].map(
    (tag) =>
      [
        `the image ${tag} of the coming dialect`,
        inSpec({ injection: { image: `quay.io/brancz/kube-rbac-proxy:${tag}` } }),
        [
          `/spec/injection/image: "quay.io/brancz/kube-rbac-proxy:${tag}" takes the flags of kube-rbac-proxy v1; this release writes those of v0.22.`,
        ],
      ] as const,
  ),
];

describe('a policy with a problem', () => {
  for (const [name, problems, expected] of PROBLEMS) {
    it(`${name} is refused with its place and a sentence`, () => assert.deepEqual(problems, expected));
  }

  it('is told all of its problems at once', () => {
    const problems = inSpec({ maximumMode: 'max', default: {}, injection: { mode: 'aply', select: 'all' } });
    assert.deepEqual(problems.map((problem) => problem.replace(/:.*/s, '')).sort(), [
      '/spec/default',
      '/spec/injection/mode',
      '/spec/injection/select',
      '/spec/maximumMode',
    ]);
  });

  it('shows no more of a long value than a reader needs', () => {
    const [problem = ''] = inSpec({ maximumMode: 'x'.repeat(1_000_000) });
    assert.ok(problem.length < 200, problem.slice(0, 300));
  });

  it('never makes the parser throw, and every problem is a sentence with a place', () => {
    const spec = fc.dictionary(fc.constantFrom(...Object.keys(DEFAULT_SPEC), '__proto__', 'other'), fc.jsonValue());
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.record({ apiVersion: fc.constant(HEAD.apiVersion), kind: fc.constant(HEAD.kind), spec }),
        ),
        (document) => {
          const parsed = parse(document);
          if (parsed.ok) return assert.ok(isObject(document));
          assert.ok(parsed.problems.length > 0);
          for (const { path, message } of parsed.problems) {
            assert.match(path, /^(?:\/|$)/);
            assert.match(message, /[.?]$/);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
