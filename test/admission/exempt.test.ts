import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { JsonObject } from '../../src/kube/json.ts';
import { labelledNamespace, labelledPod, labelRule } from '../support/label-rule.ts';
import { validateWrite, type Write } from '../support/validate-review.ts';

const RULES = [labelRule('base')];
const BAD = labelledPod({ bad: 'x' });
const AGGREGATION_CONTROLLER = 'system:serviceaccount:kube-system:clusterrole-aggregation-controller';
const MIRROR = { 'kubernetes.io/config.mirror': 'abc' };
const NODE = { username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };

interface Row {
  readonly name: string;
  readonly write: Write;
  readonly spec?: JsonObject;
  /** Why nothing is judged, or undefined when the write is judged, and then refused. */
  readonly exempt: string | undefined;
}

const ROWS: readonly Row[] = [
  { name: 'an ordinary write', write: { object: BAD }, exempt: undefined },
  { name: 'a DELETE', write: { object: null, oldObject: BAD, operation: 'DELETE' }, exempt: 'operation' },
  { name: 'a CONNECT', write: { object: BAD, operation: 'CONNECT' }, exempt: 'operation' },
  ...['status', 'scale', 'binding', 'eviction', 'exec', 'attach', 'portforward', 'proxy', 'log', 'resize'].map(
    (subResource): Row => ({ name: `pods/${subResource}`, write: { object: BAD, subResource }, exempt: 'subresource' }),
  ),
  {
    name: 'ephemeral containers',
    write: { object: BAD, oldObject: labelledPod({}), subResource: 'ephemeralcontainers' },
    exempt: undefined,
  },
  { name: 'a subresource that is yet to be invented', write: { object: BAD, subResource: 'clone' }, exempt: undefined },
  ...['status', 'finalize'].map((subResource): Row => ({
    name: `namespaces/${subResource}, by which labels are written as well`,
    write: {
      object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { bad: 'x' } } },
      subResource,
    },
    exempt: undefined,
  })),

  {
    name: 'the API server',
    write: { object: BAD, user: { username: 'system:apiserver', groups: ['system:masters'] } },
    exempt: 'apiserver',
  },
  {
    name: "somebody with the API server's name alone",
    write: { object: BAD, user: { username: 'system:apiserver' } },
    exempt: undefined,
  },
  {
    name: 'a cluster administrator',
    write: { object: BAD, user: { username: 'kubernetes-admin', groups: ['system:masters'] } },
    exempt: undefined,
  },
  {
    name: 'the aggregation controller',
    write: { object: BAD, user: { username: AGGREGATION_CONTROLLER, groups: ['system:serviceaccounts'] } },
    exempt: 'aggregation-controller',
  },
  {
    name: 'an account of that name elsewhere',
    write: {
      object: BAD,
      user: { username: 'system:serviceaccount:shop:clusterrole-aggregation-controller' },
    },
    exempt: undefined,
  },
  { name: 'a node', write: { object: BAD, user: NODE }, exempt: undefined },

  {
    name: 'an excluded namespace',
    write: { object: labelledPod({ bad: 'x' }, { namespace: 'scrapeguard-system' }) },
    exempt: 'excluded-namespace',
  },
  {
    name: 'an excluded namespace by a star',
    write: { object: BAD },
    spec: { excludedNamespaces: ['sho*'] },
    exempt: 'excluded-namespace',
  },
  {
    name: 'the namespace of the request counts, not the one that the object claims',
    write: { object: labelledPod({ bad: 'x' }, { namespace: 'kube-node-lease' }), namespace: 'shop' },
    exempt: undefined,
  },
  {
    name: 'a Namespace is not in itself',
    write: {
      object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-node-lease', labels: { bad: 'x' } } },
      namespace: 'kube-node-lease',
    },
    exempt: undefined,
  },
  {
    name: 'what lives outside every namespace, whatever is excluded',
    write: {
      object: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { labels: { bad: 'x' } } },
    },
    spec: { excludedNamespaces: ['*'] },
    exempt: undefined,
  },

  ...Object.entries({
    'our own labels': { labels: { bad: 'x', 'scrapeguard.io/enforce': 'off', 'scrapeguard.io/exempt': 'true' } },
    'our own annotations': { annotations: { 'scrapeguard.io/inject': 'false', 'scrapeguard.io/exempt': 'true' } },
    'the annotation of a mirror pod': { annotations: MIRROR },
    'a name like ours': { name: 'scrapeguard', labels: { bad: 'x', 'app.kubernetes.io/name': 'scrapeguard' } },
    'an owner like a controller': {
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', controller: true }],
    },
  }).map(([name, metadata]): Row => ({
    name,
    write: { object: labelledPod({ bad: 'x' }, metadata) },
    exempt: undefined,
  })),
];

describe('a request', () => {
  for (const { name, write, spec = {}, exempt } of ROWS) {
    it(`${name}: ${exempt === undefined ? 'is judged' : `is not judged, for it is ${exempt}`}`, async () => {
      const { response, outcome } = await validateWrite(write, { rules: RULES, spec });
      assert.equal(outcome.exemption, exempt);
      assert.equal(response.allowed, exempt !== undefined);
      assert.equal(response.auditAnnotations?.['exempt'], exempt);
    });
  }

  it('that is exempt is answered before anything is asked of the cluster', async () => {
    const user = { username: 'system:apiserver', groups: ['system:masters'] };
    const viewFor = () => assert.fail('the cluster was asked');
    const { response } = await validateWrite({ object: BAD, user }, { rules: RULES, viewFor });
    assert.equal(response.allowed, true);
  });
});

describe('a mirror pod', () => {
  const rows: readonly (readonly [name: string, write: Write, isMirror: boolean])[] = [
    ['of a node', { object: labelledPod({ bad: 'x' }, { annotations: MIRROR }), user: NODE }, true],
    [
      'of a node, with an empty annotation',
      { object: labelledPod({ bad: 'x' }, { annotations: { 'kubernetes.io/config.mirror': '' } }), user: NODE },
      true,
    ],
    ['without the annotation', { object: BAD, user: NODE }, false],
    ['as a label', { object: labelledPod({ bad: 'x', ...MIRROR }), user: NODE }, false],
    ['of a user', { object: labelledPod({ bad: 'x' }, { annotations: MIRROR }) }, false],
    [
      'of a user in system:nodes',
      {
        object: labelledPod({ bad: 'x' }, { annotations: MIRROR }),
        user: { username: 'jane', groups: ['system:nodes'] },
      },
      false,
    ],
    [
      'of a user with the name of a node',
      { object: labelledPod({ bad: 'x' }, { annotations: MIRROR }), user: { username: 'system:node:n1' } },
      false,
    ],
    [
      'that is a Service',
      {
        object: { apiVersion: 'v1', kind: 'Service', metadata: { labels: { bad: 'x' }, annotations: MIRROR } },
        user: NODE,
        namespace: 'shop',
      },
      false,
    ],
  ];
  for (const [name, write, isMirror] of rows) {
    it(`${name} is ${isMirror ? 'warned about and let through' : 'refused like any other'}`, async () => {
      const { response } = await validateWrite(write, { rules: RULES });
      assert.equal(response.allowed, isMirror);
      assert.equal(response.auditAnnotations?.['decision'], isMirror ? 'warned' : 'denied');
    });
  }
});

describe('the labels of a namespace', () => {
  it('decide, not the labels of its objects', async () => {
    const clusterObjects = [labelledNamespace({ enforce: 'off' }), labelledNamespace({ enforce: 'off' }, 'other')];
    const setting = { rules: RULES, clusterObjects };
    assert.equal((await validateWrite({ object: BAD }, setting)).response.allowed, true);
    const elsewhere = labelledPod({ bad: 'x', 'scrapeguard.io/enforce': 'off' }, { namespace: 'third' });
    assert.equal((await validateWrite({ object: elsewhere }, setting)).response.allowed, false);
  });
});
