import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  mutatingConfiguration,
  validatingConfiguration,
  type WebhookOptions,
} from '../../src/admission/webhook-configurations.ts';
import { asList, asObject, asString, asStrings, type JsonObject } from '../../src/kube/json.ts';
import { RESOURCES, type ResourceName } from '../../src/kube/resources.ts';
import { TEMPLATE_KINDS } from '../../src/kube/templates.ts';
import type { Target } from '../../src/policy/rule.ts';
import { RULES } from '../../src/rules/index.ts';
import { labelRule } from '../support/label-rule.ts';

const OPTIONS: WebhookOptions = {
  namespace: 'guard',
  failurePolicy: 'Fail',
  bootstrapNamespaces: ['cni', 'csi'],
  namespaces: 'every',
};
const ALL_TARGETS: readonly Target[] = [...(Object.keys(RESOURCES) as ResourceName[]), 'templates'];

function entriesFor(targets: readonly Target[], options: WebhookOptions = OPTIONS): ReadonlyMap<string, JsonObject> {
  const configurations = [
    validatingConfiguration([labelRule('rule', { targets })], options),
    mutatingConfiguration(options),
  ];
  const webhooks = configurations.flatMap((configuration) => asList(configuration['webhooks']).map(asObject));
  return new Map(
    webhooks.map((webhook) => [
      asString(webhook['name'])?.replace(/(?:\.validate)?\.scrapeguard\.io$/, '') ?? '',
      webhook,
    ]),
  );
}

/** What an entry takes, each as `group/resource scope operations`. */
function takenBy(entry: JsonObject | undefined): string[] {
  return asList(entry?.['rules'])
    .map(asObject)
    .flatMap(({ apiGroups, apiVersions, resources, operations, scope }) => {
      assert.deepEqual(apiVersions, ['*']);
      return asStrings(apiGroups).flatMap((group) =>
        asStrings(resources).map(
          (resource) => `${group}/${resource} ${String(scope)} ${asStrings(operations).join('+')}`,
        ),
      );
    })
    .sort();
}

function requirementsOf(entry: JsonObject | undefined): readonly JsonObject[] {
  return asList(asObject(entry?.['namespaceSelector'])['matchExpressions']).map(asObject);
}

/** The namespaces that an entry leaves out. */
function leftOutBy(entry: JsonObject | undefined): unknown {
  const [expression, ...others] = requirementsOf(entry);
  assert.deepEqual(others, []);
  assert.deepEqual([expression?.['key'], expression?.['operator']], ['kubernetes.io/metadata.name', 'NotIn']);
  return expression?.['values'];
}

function conditionsOf(entry: JsonObject | undefined): Readonly<Record<string, unknown>> {
  const conditions = asList(entry?.['matchConditions']).map(asObject);
  return Object.fromEntries(conditions.map(({ name, expression }) => [name, expression]));
}

const WRITES = 'CREATE+UPDATE';
const RBAC = 'rbac.authorization.k8s.io';
const MONITORS = ['podmonitors', 'scrapeconfigs', 'servicemonitors'];

interface Row {
  readonly entry: string;
  readonly path?: '/mutate';
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly takes: readonly string[];
  readonly leavesOut: readonly string[];
  readonly conditions: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    entry: 'rbac',
    failurePolicy: 'Fail',
    takes: [`${RBAC}/clusterrolebindings Cluster ${WRITES}`, `${RBAC}/clusterroles Cluster ${WRITES}`],
    leavesOut: ['guard'],
    conditions: ['not-the-api-server', 'not-the-aggregation-controller'],
  },
  {
    entry: 'rbac-namespaced',
    failurePolicy: 'Ignore',
    takes: [`${RBAC}/rolebindings Namespaced ${WRITES}`, `${RBAC}/roles Namespaced ${WRITES}`],
    leavesOut: ['guard'],
    conditions: ['not-the-api-server', 'not-the-aggregation-controller'],
  },
  {
    entry: 'pods',
    failurePolicy: 'Fail',
    takes: ['/pods Namespaced CREATE', '/pods/ephemeralcontainers Namespaced UPDATE'],
    leavesOut: ['guard', 'kube-system', 'cni', 'csi'],
    conditions: [],
  },
  {
    entry: 'workloads',
    failurePolicy: 'Ignore',
    takes: [
      ...TEMPLATE_KINDS.map(({ group, resource }) => `${group}/${resource} Namespaced ${WRITES}`),
      ...['configmaps', 'endpoints', 'pods', 'services'].map((resource) => `/${resource} Namespaced ${WRITES}`),
      `discovery.k8s.io/endpointslices Namespaced ${WRITES}`,
      ...MONITORS.map((resource) => `monitoring.coreos.com/${resource} Namespaced ${WRITES}`),
    ].sort(),
    leavesOut: ['guard'],
    conditions: ['pods-that-the-other-entry-leaves-out', 'configmaps-of-node-components'],
  },
  {
    entry: 'namespaces',
    failurePolicy: 'Fail',
    takes: [
      `/namespaces Cluster ${WRITES}`,
      '/namespaces/finalize Cluster UPDATE',
      '/namespaces/status Cluster UPDATE',
    ],
    leavesOut: ['guard'],
    conditions: ['a-label-of-ours-is-set-or-changes'],
  },
  {
    entry: 'inject',
    path: '/mutate',
    failurePolicy: 'Ignore',
    takes: ['/pods Namespaced CREATE'],
    leavesOut: ['guard'],
    conditions: ['not-a-mirror-pod'],
  },
];

/** What a namespace opts in with, by entry; the others are asked about every namespace all the same. */
const OPT_IN: Readonly<Record<string, JsonObject>> = {
  'rbac-namespaced': { key: 'scrapeguard.io/enforce', operator: 'Exists' },
  pods: { key: 'scrapeguard.io/enforce', operator: 'Exists' },
  workloads: { key: 'scrapeguard.io/enforce', operator: 'Exists' },
  inject: { key: 'scrapeguard.io/inject', operator: 'In', values: ['enabled'] },
};

describe('the webhook entries', () => {
  const all = entriesFor(ALL_TARGETS);

  it('are those of the table', () => {
    assert.deepEqual(
      [...all.keys()],
      ROWS.map(({ entry }) => entry),
    );
  });

  for (const { entry, path = '/validate', failurePolicy, takes, leavesOut, conditions } of ROWS) {
    it(`${entry} takes its resources and operations, and no others`, () =>
      assert.deepEqual(takenBy(all.get(entry)), takes));

    it(`${entry} is ${failurePolicy} where Fail is chosen, and Ignore where Ignore is`, () => {
      assert.equal(all.get(entry)?.['failurePolicy'], failurePolicy);
      const ignored = entriesFor(ALL_TARGETS, { ...OPTIONS, failurePolicy: 'Ignore' });
      assert.equal(ignored.get(entry)?.['failurePolicy'], 'Ignore');
    });

    it(`${entry} leaves out ${leavesOut.join(', ')}`, () => assert.deepEqual(leftOutBy(all.get(entry)), leavesOut));

    it(`${entry} has ${conditions.length === 0 ? 'no condition' : conditions.join(', ')}`, () => {
      assert.deepEqual(Object.keys(conditionsOf(all.get(entry))), conditions);
    });

    it(`${entry} has no side effects, little time, and takes equivalents`, () => {
      const { sideEffects, timeoutSeconds, matchPolicy, admissionReviewVersions, clientConfig } = all.get(entry) ?? {};
      assert.deepEqual([sideEffects, timeoutSeconds, matchPolicy], ['None', 5, 'Equivalent']);
      assert.deepEqual(admissionReviewVersions, ['v1']);
      assert.deepEqual(clientConfig, {
        service: { namespace: 'guard', name: 'scrapeguard', path, port: 443 },
      });
    });
  }

  it('select namespaces that opted in where that is chosen, by what each entry is for', () => {
    const chosen = entriesFor(ALL_TARGETS, { ...OPTIONS, namespaces: 'opted-in' });
    for (const [entry, webhook] of chosen) {
      const required = [...requirementsOf(all.get(entry)), ...(OPT_IN[entry] === undefined ? [] : [OPT_IN[entry]])];
      assert.deepEqual(requirementsOf(webhook), required, entry);
      assert.deepEqual(takenBy(webhook), takenBy(all.get(entry)));
    }
  });

  it('ask the one that mutates again after others have, and the others once', () => {
    const policies = [...all].map(([entry, webhook]) => [entry, webhook['reinvocationPolicy']]);
    assert.deepEqual(
      policies,
      ROWS.map(({ entry, path }) => [entry, path === '/mutate' ? 'IfNeeded' : undefined]),
    );
  });

  it('know a mirror pod by its annotation and its writer together', () => {
    // The expression was tried on a real API server; here it must name all that isMirrorPod asks for.
    assert.equal(
      conditionsOf(all.get('inject'))['not-a-mirror-pod'],
      "!(has(object.metadata.annotations) && 'kubernetes.io/config.mirror' in object.metadata.annotations && " +
        "request.userInfo.username.startsWith('system:node:') && 'system:nodes' in request.userInfo.groups)",
    );
  });

  it('send a Pod to one of two entries, never to both', () => {
    // The expression was tried on a real API server; here it must name the namespaces that the other entry leaves out.
    const expression = conditionsOf(all.get('workloads'))['pods-that-the-other-entry-leaves-out'];
    assert.equal(
      expression,
      "request.resource.resource != 'pods' || request.operation != 'CREATE' || request.namespace in ['kube-system', 'cni', 'csi']",
    );
  });

  it('that validate are only those that some rule has a target for', () => {
    assert.deepEqual([...entriesFor([]).keys()], ['inject']);
    assert.deepEqual([...entriesFor(['clusterroles']).keys()], ['rbac', 'inject']);
    assert.deepEqual(takenBy(entriesFor(['clusterroles']).get('rbac')), [`${RBAC}/clusterroles Cluster ${WRITES}`]);
    assert.deepEqual([...entriesFor(['pods']).keys()], ['pods', 'workloads', 'inject']);
    assert.deepEqual(takenBy(entriesFor(['pods']).get('workloads')), [`/pods Namespaced ${WRITES}`]);
    assert.deepEqual([...entriesFor(['services']).keys()], ['workloads', 'inject']);
  });

  it('take every target that there is', () => {
    const taken = new Set([...all.values()].flatMap(takenBy).map((each) => each.split(' ', 1)[0]));
    for (const { group, resource } of [...Object.values(RESOURCES), ...TEMPLATE_KINDS]) {
      assert.ok(taken.has(`${group}/${resource}`), resource);
    }
  });

  it('take every target of the rules of the product', () => {
    const configuration = validatingConfiguration(RULES, OPTIONS);
    assert.deepEqual(
      configuration,
      validatingConfiguration([labelRule('all', { targets: RULES.flatMap(({ meta }) => meta.targets) })], OPTIONS),
    );
    assert.ok(asList(configuration['webhooks']).length > 0);
  });
});
