import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { parse as parseYaml } from 'yaml';

import packageJson from '../../package.json' with { type: 'json' };
import {
  mutatingConfiguration,
  validatingConfiguration,
  type WebhookOptions,
} from '../../src/admission/webhook-configurations.ts';
import { certificatePermissions } from '../../src/cluster/certificate-permissions.ts';
import { FOLLOWING, REVIEWING } from '../../src/cluster/permissions.ts';
import { asList, asObject, isObject, type JsonObject } from '../../src/kube/json.ts';
import type { Policy } from '../../src/policy/document.ts';
import { policyParser } from '../../src/policy/parse.ts';
import { RULES } from '../../src/rules/index.ts';
import { type Ran, runCli } from '../cli/run-cli.ts';
import {
  argumentsOf,
  CHART,
  helmSkip,
  objectOf,
  podSpecOf,
  policyTextOf,
  renderChart,
  renderText,
} from '../support/chart.ts';

const MODES = ['audit', 'namespace-opt-in', 'cluster-wide'] as const;
const SECRET = 'scrapeguard-certificates';

const directory = mkdtempSync(join(tmpdir(), 'scrapeguard-chart-'));
after(() => rmSync(directory, { recursive: true }));

describe('the chart', { skip: helmSkip }, () => {
  it('has the version of the package', () => {
    const { version, appVersion } = parseYaml(readFileSync(`${CHART}/Chart.yaml`, 'utf8'));
    assert.deepEqual([version, appVersion], [packageJson.version, packageJson.version]);
  });

  it('passes helm lint', async () => {
    // The schema and every template, with the values as they come.
    assert.equal((await renderText()).error, '');
  });
});

interface WebhookRow {
  readonly values: JsonObject;
  readonly namespace?: string;
  readonly expected: Omit<WebhookOptions, 'namespace'>;
}

const WEBHOOKS: readonly WebhookRow[] = [
  { values: {}, expected: { namespaces: 'every', failurePolicy: 'Ignore', bootstrapNamespaces: [] } },
  {
    values: { mode: 'namespace-opt-in' },
    expected: { namespaces: 'opted-in', failurePolicy: 'Ignore', bootstrapNamespaces: [] },
  },
  {
    values: { mode: 'namespace-opt-in', failurePolicy: 'Fail' },
    expected: { namespaces: 'opted-in', failurePolicy: 'Fail', bootstrapNamespaces: [] },
  },
  {
    values: { mode: 'cluster-wide', failurePolicy: 'Fail', bootstrapNamespaces: ['calico-system', 'longhorn'] },
    namespace: 'security',
    expected: {
      namespaces: 'every',
      failurePolicy: 'Fail',
      bootstrapNamespaces: ['calico-system', 'longhorn'],
    },
  },
];

describe("the chart's webhook configurations are the product's own", { skip: helmSkip }, () => {
  for (const { values, namespace = 'scrapeguard-system', expected } of WEBHOOKS) {
    it(`with ${JSON.stringify({ ...values, namespace })}`, async () => {
      const objects = await renderChart({ values, namespace });
      const options: WebhookOptions = { ...expected, namespace };
      for (const made of [validatingConfiguration(RULES, options), mutatingConfiguration(options)]) {
        assert.deepEqual(objectOf(objects, String(made['kind']))['webhooks'], made['webhooks']);
      }
    });
  }

  it('and more kinds with a pod template are asked about, and known to the policy', async () => {
    const kind = { group: 'example.com', resource: 'apps', kind: 'App', path: '/spec/template' };
    const objects = await renderChart({ values: { templateKinds: [kind] } });
    const taken = {
      apiGroups: ['example.com'],
      apiVersions: ['*'],
      resources: ['apps'],
      operations: ['CREATE', 'UPDATE'],
    };
    const asking = asList(objectOf(objects, 'ValidatingWebhookConfiguration')['webhooks'])
      .map(asObject)
      .filter(({ rules }) => JSON.stringify(rules).includes('example.com'));
    assert.deepEqual(
      asking.map(({ name, rules }) => [name, asList(rules).at(-1)]),
      [['workloads.validate.scrapeguard.io', { ...taken, scope: 'Namespaced' }]],
    );
    assert.deepEqual(policyOf(objects).templateKinds, [kind]);
  });
});

describe("the chart's permissions are what the code needs", { skip: helmSkip }, () => {
  const { namespaced, clusterWide } = certificatePermissions(SECRET);

  const ROWS: readonly { readonly values: JsonObject; readonly cluster: unknown; readonly role: unknown }[] = [
    { values: {}, cluster: [...FOLLOWING, ...clusterWide, ...REVIEWING], role: namespaced },
    { values: { metrics: { enabled: false } }, cluster: [...FOLLOWING, ...clusterWide], role: namespaced },
    {
      values: { certificates: { source: 'cert-manager' }, metrics: { enabled: false } },
      cluster: FOLLOWING,
      role: undefined,
    },
  ];
  for (const { values, cluster, role } of ROWS) {
    it(`with ${JSON.stringify(values)}`, async () => {
      const objects = await renderChart({ values });
      assert.deepEqual(objectOf(objects, 'ClusterRole')['rules'], cluster);
      assert.deepEqual(objects.find(({ kind }) => kind === 'Role')?.['rules'], role);
      assert.equal(argumentsOf(objects).includes(`--cert-secret=scrapeguard-system/${SECRET}`), role !== undefined);
    });
  }

  it('the collections of every fact that a rule reads are followed', () => {
    const collections: Readonly<Record<string, readonly string[]>> = {
      namespace: ['namespaces'],
      clusterrole: ['clusterroles'],
      'rbac-index': ['clusterroles', 'clusterrolebindings'],
      // Every account that has logged in may ask for it.
      version: [],
    };
    const read = new Set(RULES.flatMap(({ meta }) => meta.reads).flatMap((fact) => collections[fact] ?? [fact]));
    assert.deepEqual(read, new Set(FOLLOWING.flatMap(({ resources }) => asList(resources))));
  });

  it('no rule has a wildcard', async () => {
    for (const values of [{}, { mode: 'cluster-wide', failurePolicy: 'Fail' }]) {
      const roles = (await renderChart({ values })).filter(({ kind }) => String(kind).endsWith('Role'));
      assert.doesNotMatch(JSON.stringify(roles), /\*/);
    }
  });
});

describe("the chart's policy", { skip: helmSkip }, () => {
  for (const mode of MODES) {
    it(`of mode ${mode} is the one that is shipped`, async () => {
      const shipped = parsed(readFileSync(new URL(`../../policies/${mode}.yaml`, import.meta.url), 'utf8'));
      assert.deepEqual(policyOf(await renderChart({ values: { mode } })), shipped);
    });
  }

  it('takes fields from the values, map by map; false, an empty list and null are said, too', async () => {
    const policy = {
      enforceTemplates: true,
      excludedNamespaces: ['old'],
      injection: { excludedNamespaces: [], runAsUser: null, resources: { limits: { cpu: '1' } } },
    };
    const made = policyOf(await renderChart({ values: { mode: 'cluster-wide', policy } }));
    assert.deepEqual([made.enforceTemplates, made.excludedNamespaces], [true, ['old', 'scrapeguard-system']]);
    const { excludedNamespaces, runAsUser, resources } = made.injection;
    assert.deepEqual([excludedNamespaces, runAsUser], [[], null]);
    assert.deepEqual(resources.limits, { cpu: '1', memory: '64Mi' });
  });

  it('never judges the namespace of the release', async () => {
    const objects = await renderChart({ namespace: 'security', values: { mode: 'cluster-wide' } });
    assert.ok(policyOf(objects).excludedNamespaces.includes('security'));
  });
});

describe('what the chart makes passes the policy that it brings', { skip: helmSkip }, () => {
  const scrapers = [
    { kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus' },
    { kind: 'Group', name: 'scrapers' },
  ];
  for (const mode of MODES) {
    it(`of mode ${mode}`, async () => {
      const values = { mode, metrics: { scrapers, serviceMonitor: { enabled: true } } };
      const { text } = await renderText({ values });
      const objects = await renderChart({ values });
      assert.deepEqual(
        asList(objectOf(objects, 'ClusterRoleBinding', 'scrapeguard-metrics-reader')['subjects']).length,
        2,
      );
      const { code, stdout } = await checkWith(policyTextOf(objects), text);
      assert.equal(code, 0, stdout);
    });
  }

  it('and a scraper that it does not expect is refused', async () => {
    const { text } = await renderText({ values: { mode: 'cluster-wide', metrics: { scrapers } } });
    const { code, stdout } = await checkWith(
      policyTextOf(await renderChart({ values: { mode: 'cluster-wide' } })),
      text,
    );
    assert.equal(code, 1);
    assert.match(stdout, /metrics-grant/);
  });
});

describe("the chart's pods", { skip: helmSkip }, () => {
  const SETTINGS: readonly JsonObject[] = [
    {},
    { certificates: { source: 'cert-manager' }, metrics: { enabled: false } },
    { certificates: { source: 'existing-secret', caBundle: 'PEM' }, clientCA: 'PEM' },
  ];
  for (const values of SETTINGS) {
    it(`are started with options that serve has: ${JSON.stringify(values)}`, async () => {
      const [command = '', ...options] = argumentsOf(await renderChart({ values }));
      const { stdout } = await runCli([command, '--help']);
      const known = new Set([...stdout.matchAll(/^ +(--[a-z-]+)/gm)].map(([, option]) => option));
      for (const option of options) assert.ok(known.has(option.split('=')[0]), option);
    });
  }

  it('mount every file that they are told of', async () => {
    for (const values of SETTINGS) {
      const objects = await renderChart({ values });
      const [container] = asList(podSpecOf(objects)['containers']).map(asObject);
      const mounted = asList(container?.['volumeMounts']).map((mount) => String(asObject(mount)['mountPath']));
      const files = argumentsOf(objects).flatMap((option) => /=(\/.*)$/.exec(option)?.[1] ?? []);
      const stray = files.filter((file) => !mounted.some((folder) => file === folder || file.startsWith(`${folder}/`)));
      assert.deepEqual(stray, []);
    }
  });

  it('leave the user to the platform where it is null', async () => {
    const spec = podSpecOf(await renderChart({ values: { runAsUser: null } }));
    const seccompProfile = { type: 'RuntimeDefault' };
    assert.deepEqual(spec['securityContext'], { runAsNonRoot: true, seccompProfile });
  });
});

interface Refusal {
  readonly values: JsonObject;
  readonly namespace?: string;
  readonly complaint: RegExp;
}

const REFUSED: readonly Refusal[] = [
  { values: { mode: 'enforce' }, complaint: /mode/ },
  { values: { replica: 3 }, complaint: /additional properties 'replica'/ },
  { values: { policy: { maxMode: 'warn' } }, complaint: /additional properties 'maxMode'/ },
  { values: { policy: { injection: { select: 'all' } } }, complaint: /select/ },
  { values: { metrics: { scrapers: [{ kind: 'ServiceAccount', name: 'prometheus' }] } }, complaint: /namespace/ },
  { values: { metrics: { scrapers: [{ kind: 'Group', name: 'team-*' }] } }, complaint: /pattern/ },
  { values: { image: { digest: 'latest' } }, complaint: /digest/ },
  {
    values: { failurePolicy: 'Fail' },
    complaint: /failurePolicy Fail goes with mode namespace-opt-in or cluster-wide/,
  },
  { values: { certificates: { source: 'existing-secret' } }, complaint: /needs certificates\.caBundle/ },
  { values: {}, namespace: 'default', complaint: /in a namespace of its own, not in default/ },
];

describe('the chart refuses', { skip: helmSkip }, () => {
  for (const { values, namespace = 'scrapeguard-system', complaint } of REFUSED) {
    it(JSON.stringify({ ...values, namespace }), async () => {
      assert.match((await renderText({ values, namespace })).error, complaint);
    });
  }
});

function policyOf(objects: readonly JsonObject[]): Policy {
  return parsed(policyTextOf(objects));
}

function parsed(text: string): Policy {
  const document: unknown = parseYaml(text, { version: '1.1' });
  const result = policyParser(RULES)(isObject(document) ? document : {});
  assert.ok(result.ok, JSON.stringify(result));
  return result.document.spec;
}

/** What `check` says of manifests; the namespace of the release is judged like any other. */
async function checkWith(policy: string, manifests: string): Promise<Ran> {
  const file = join(directory, 'policy.yaml');
  writeFileSync(file, policy.replace('- scrapeguard-system', '- elsewhere'));
  return runCli(['check', '--policy', file, '--fail-on', 'warn', '-'], { stdin: manifests });
}
