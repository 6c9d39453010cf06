import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { asList, asObject, type JsonObject } from '../../src/kube/json.ts';
import { annotationOf } from '../../src/kube/object.ts';
import { NEWEST_VERSION, viewOf } from '../../src/policy/cluster-view.ts';
import { GrantsIndex } from '../../src/rbac/grants-index.ts';
import { OverlayView } from '../../src/rbac/overlay.ts';
import { clusterRoleBinding } from '../rbac/objects.ts';
import { anyJson, countNodes, replaceNode } from '../support/json-trees.ts';
import { mutateWrite, type Setting, type Write } from '../support/validate-review.ts';

/** A pod with metrics on port 9090 and these annotations on top; null takes one away. */
function makePod(annotations: Readonly<Record<string, string | null>> = {}, spec: JsonObject = {}): JsonObject {
  const all = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090', ...annotations };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'front',
      annotations: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)),
    },
    spec: {
      serviceAccountName: 'front',
      containers: [{ name: 'app', image: 'app:1', ports: [{ name: 'metrics', containerPort: 9090 }] }],
      ...spec,
    },
  };
}

/** The cluster has a binding that lets the pod's account create tokenreviews. */
const DELEGATED = [
  clusterRoleBinding('delegators', 'system:auth-delegator', [{ kind: 'Group', name: 'system:serviceaccounts' }]),
];

function namespace(labels: JsonObject): JsonObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } };
}

const NODE = { username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };
const MIRROR = { 'kubernetes.io/config.mirror': 'x' };
const ALTERED = { 'scrapeguard.io/status': 'injected by hand' };

interface Row {
  readonly name: string;
  readonly write?: Write;
  readonly setting?: Setting;
  /** The audit annotations, and the first warning if there is one. */
  readonly annotations: JsonObject;
  readonly warning?: RegExp;
  /** How many containers the pod has afterwards. */
  readonly containers: number;
}

const INJECTED = { annotations: { injection: 'injected' }, containers: 2 };
const untouched = (injection: string): Pick<Row, 'annotations' | 'containers'> => ({
  annotations: { injection },
  containers: 1,
});
const exempt = (why: string): Pick<Row, 'annotations' | 'containers'> => ({
  annotations: { exempt: why },
  containers: 1,
});

const ROWS: readonly Row[] = [
  { name: 'an annotated pod', ...INJECTED },
  { name: 'a dry run', write: { dryRun: true }, ...INJECTED },
  {
    name: 'a pod without annotations',
    write: { object: { ...makePod(), metadata: {} } },
    annotations: {},
    containers: 1,
  },
  {
    name: 'annotations that are none of ours',
    write: { object: { ...makePod(), metadata: { annotations: { team: 'shop' } } } },
    annotations: {},
    containers: 1,
  },
  { name: 'not scraped', write: { object: makePod({ 'prometheus.io/scrape': 'false' }) }, ...untouched('not-scraped') },
  { name: 'opted out', write: { object: makePod({ 'scrapeguard.io/inject': 'false' }) }, ...untouched('opted-out') },
  {
    name: 'a port that is none',
    write: { object: makePod({ 'prometheus.io/port': 'http://x' }) },
    warning: /^not injected: "http:\/\/x" is no port/,
    ...untouched('invalid-port'),
  },
  {
    name: 'the host network',
    write: { object: makePod({}, { hostNetwork: true }) },
    warning: /^not injected: hostNetwork makes loopback/,
    ...untouched('host-network'),
  },
  {
    name: 'a port that nobody declares',
    write: { object: makePod({ 'prometheus.io/port': '9191' }) },
    warning: /^no container declares metrics port 9191/,
    ...INJECTED,
  },
  { name: 'a status that somebody made up', write: { object: makePod(ALTERED) }, ...INJECTED },
  {
    name: 'mode report',
    setting: { spec: { injection: { mode: 'report' } } },
    warning: /^would inject kube-rbac-proxy on port 8443 in front of port 9090$/,
    ...untouched('would-inject'),
  },
  { name: 'select off', setting: { spec: { injection: { select: 'off' } } }, ...untouched('injection-off') },
  {
    name: 'select labelled, and no label',
    setting: { spec: { injection: { select: 'labelled' } } },
    ...untouched('namespace-not-selected'),
  },
  {
    name: 'select labelled, and the label',
    setting: {
      spec: { injection: { select: 'labelled' } },
      clusterObjects: [...DELEGATED, namespace({ 'scrapeguard.io/inject': 'enabled' })],
    },
    ...INJECTED,
  },
  {
    name: 'a namespace that is disabled',
    setting: { clusterObjects: [...DELEGATED, namespace({ 'scrapeguard.io/inject': 'disabled' })] },
    ...untouched('namespace-disabled'),
  },
  {
    name: 'labels that nobody could read: open',
    setting: { viewFor: () => ({ ...viewOf(DELEGATED), namespaceLabels: () => 'unknown' }) },
    warning: /^not injected: the labels of namespace shop could not be read/,
    ...untouched('namespace-unknown'),
  },
  {
    name: 'kube-system, by the injection policy',
    write: { namespace: 'kube-system' },
    ...untouched('excluded-namespace'),
  },
  {
    name: 'our own namespace, by the policy',
    write: { namespace: 'scrapeguard-system' },
    ...exempt('excluded-namespace'),
  },
  { name: 'a mirror pod', write: { object: makePod(MIRROR), user: NODE }, ...untouched('mirror-pod') },
  { name: 'the annotation of a mirror pod from anybody', write: { object: makePod(MIRROR) }, ...INJECTED },
  { name: 'an update', write: { oldObject: makePod() }, ...exempt('operation') },
  {
    name: 'an ephemeral container',
    write: { operation: 'UPDATE', subResource: 'ephemeralcontainers' },
    ...exempt('operation'),
  },
  { name: 'a subresource', write: { subResource: 'ephemeralcontainers' }, ...exempt('subresource') },
  { name: 'a binding', write: { subResource: 'binding' }, ...exempt('subresource') },
  {
    name: 'something else than a pod',
    write: { resource: { group: 'apps', version: 'v1', resource: 'deployments' } },
    ...exempt('operation'),
  },
  { name: 'no object', write: { object: null }, annotations: {}, containers: 0 },
];

const POD: Write = { object: makePod(), namespace: 'shop', resource: { group: '', version: 'v1', resource: 'pods' } };

function containersIn(pod: JsonObject): number {
  const spec = asObject(pod['spec']);
  return asList(spec['containers']).length + asList(spec['initContainers']).length;
}

describe('POST /mutate', () => {
  for (const { name, write = {}, setting = {}, annotations, warning, containers } of ROWS) {
    it(`${name}: ${JSON.stringify(annotations)}, ${containers} containers`, async () => {
      const { response, mutated } = await mutateWrite({ ...POD, ...write }, { clusterObjects: DELEGATED, ...setting });
      assert.equal(response.allowed, true);
      assert.deepEqual(response.auditAnnotations ?? {}, annotations);
      assert.equal(containersIn(mutated), containers);
      assert.equal(response.patch !== undefined, annotations['injection'] === 'injected');
      const [first] = response.warnings ?? [];
      if (warning === undefined) assert.equal(first, undefined);
      else assert.match(first ?? '', warning);
    });
  }

  it('knows the namespace of a pod of a controller from the request alone', async () => {
    const { metadata, ...rest } = makePod();
    const { annotations } = asObject(metadata);
    const object = { ...rest, metadata: { generateName: 'front-', annotations } };
    const { response } = await mutateWrite({ ...POD, object, namespace: 'kube-system' });
    assert.equal(response.auditAnnotations?.['injection'], 'excluded-namespace');
    const injected = await mutateWrite({ ...POD, object });
    assert.equal(containersIn(injected.mutated), 2);
    assert.match(injected.response.warnings?.[0] ?? '', /ServiceAccount shop\/front may not create tokenreviews/);
  });

  it('says the same when it is asked again, and changes nothing', async () => {
    const first = await mutateWrite(POD);
    const second = await mutateWrite({ ...POD, object: first.mutated });
    assert.equal(second.response.patch, undefined);
    assert.deepEqual(second.response.auditAnnotations, first.response.auditAnnotations);
  });

  it('says nothing of the permission where nobody knows', async () => {
    const grants = new OverlayView(new GrantsIndex(), { isCurrent: false });
    const view = { version: NEWEST_VERSION, grants, namespaceLabels: () => ({}) };
    const { response } = await mutateWrite(POD, { viewFor: () => view });
    assert.deepEqual(response.warnings, undefined);
  });

  it('lets a pod through when the view fails it, tells its author, and keeps the error for the log', async () => {
    const broken = { ...viewOf([]), namespaceLabels: () => assert.fail('the view is broken') };
    const { response, outcome } = await mutateWrite(POD, { viewFor: () => broken });
    assert.deepEqual([response.allowed, response.patch], [true, undefined]);
    assert.deepEqual(response.auditAnnotations, { error: 'injection', injection: 'failed' });
    assert.match(response.warnings?.[0] ?? '', /^not injected: /);
    assert.match(outcome.injection?.result === 'failed' ? String(outcome.injection.error) : '', /the view is broken/);
  });

  it('carries what is not ASCII whole', async () => {
    const key = 'prometheus.io/port';
    const { mutated } = await mutateWrite({ ...POD, object: makePod({ 'prometheus.io/scheme': 'http\u{1F512}é' }) });
    const original = asObject(JSON.parse(annotationOf(mutated, 'scrapeguard.io/original') ?? '{}'));
    assert.deepEqual(
      [original[key], original['prometheus.io/scheme'], annotationOf(mutated, key)],
      ['9090', 'http\u{1F512}é', '8443'],
    );
  });

  it('answers whatever a pod looks like, with a patch that applies', async () => {
    const view = viewOf(DELEGATED);
    const pods = [makePod(), makePod({}, { restartPolicy: 'Never', automountServiceAccountToken: false })];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...pods), fc.nat(), anyJson, async (pod, number, value) => {
        const object = replaceNode(pod, number % countNodes(pod), value);
        const { response, outcome, mutated } = await mutateWrite({ ...POD, object }, { viewFor: () => view });
        assert.equal(response.allowed, true);
        assert.notEqual(outcome.injection?.result, 'failed');
        const status = annotationOf(mutated, 'scrapeguard.io/status');
        if (response.patch !== undefined) assert.equal(status?.[0], '{');
      }),
      { numRuns: 500 },
    );
  });
});
