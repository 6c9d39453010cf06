import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { homeOf, judge } from '../../src/admission/judge.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { messageOf } from '../../src/policy/evaluate.ts';
import { makeRuleset } from '../../src/policy/ruleset.ts';
import { RULES as REAL_RULES } from '../../src/rules/index.ts';
import { kubernetesLike } from '../support/kubernetes-like.ts';
import { labelledDeployment, labelledNamespace, labelledPod, labelRule } from '../support/label-rule.ts';
import { policyOf, validateWrite } from '../support/validate-review.ts';

const RULES = [labelRule('base'), labelRule('more', { profile: 'strict' })];
const TODAY = '2026-01-01';

describe('the namespace of an object without a request', () => {
  const rows: readonly (readonly [name: string, object: JsonObject, home: string])[] = [
    ['its own', { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop' } }, 'shop'],
    ['default where none is written', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app' } }, 'default'],
    ['default without metadata', { apiVersion: 'apps/v1', kind: 'Deployment' }, 'default'],
    ['default where it is malformed', { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 7 } }, 'default'],
    ['default for a custom resource', { apiVersion: 'example.com/v1', kind: 'Fleet' }, 'default'],
    ['none for a Namespace', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }, ''],
    ['none for a ClusterRole', { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' }, ''],
    [
      'none for a ClusterRoleBinding that names one by mistake',
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { namespace: 'shop' } },
      '',
    ],
    ['none for a Node', { apiVersion: 'v1', kind: 'Node' }, ''],
    [
      'none for a kubelet configuration',
      { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' },
      '',
    ],
    ['none for a kubeadm configuration', { apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'ClusterConfiguration' }, ''],
    ['none for a file that is no API object', { readOnlyPort: 10255, metadata: { namespace: 'shop' } }, ''],
    ['none without an apiVersion', { kind: 'Pod' }, ''],
    ['none without a kind', { apiVersion: 'v1' }, ''],
  ];
  for (const [name, object, home] of rows) it(`is ${name}`, () => assert.equal(homeOf(object), home));
});

describe('an object without a request', () => {
  const modesOf = (object: JsonObject, spec: JsonObject = {}, others: readonly JsonObject[] = []): string[] => {
    const ruleset = makeRuleset(RULES, policyOf(RULES, spec));
    const { findings } = judge(object, ruleset, { view: viewOf(others), today: TODAY });
    return findings.map(({ rule, mode }) => `${rule.id} ${mode}`);
  };

  it('counts in the strongest mode that the policy asks for', () => {
    assert.deepEqual(modesOf(labelledPod({ bad: 'x' })), ['base enforce', 'more warn']);
    assert.deepEqual(modesOf(labelledPod({ bad: 'x' }), { maximumMode: 'audit' }), ['base audit', 'more audit']);
  });

  it('counts by the labels of its namespace', () => {
    const others = [
      labelledNamespace({ enforce: 'strict', warn: 'off' }),
      labelledNamespace({ enforce: 'off' }, 'default'),
    ];
    assert.deepEqual(modesOf(labelledPod({ bad: 'x' }), {}, others), ['base enforce', 'more enforce']);
    const homeless = labelledPod({ bad: 'x' }, { namespace: undefined });
    assert.deepEqual(modesOf(homeless, {}, others), ['base warn', 'more warn']);
  });

  it('counts by clusterScoped outside every namespace', () => {
    const object = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { labels: { bad: 'x' } },
    };
    const spec = { clusterScoped: { enforce: 'off', warn: 'baseline', audit: 'off' } };
    assert.deepEqual(modesOf(object, spec), ['base warn']);
  });

  it('that is a template counts in the mode that its pods would meet', () => {
    const modes = ['base enforce', 'more warn'];
    assert.deepEqual(modesOf(labelledDeployment({ bad: 'x' })), modes);
    assert.deepEqual(modesOf(labelledDeployment({ bad: 'x' }), { enforceTemplates: true }), modes);
  });

  it('is not judged in an excluded namespace', () => {
    assert.deepEqual(modesOf(labelledPod({ bad: 'x' }, { namespace: 'kube-node-lease' })), []);
    assert.deepEqual(
      modesOf(labelledPod({ bad: 'x' }, { namespace: undefined }), { excludedNamespaces: ['default'] }),
      [],
    );
  });

  it('is held to be written by an ordinary user', () => {
    const spec = {
      breakGlass: [
        { kind: 'User', name: '*' },
        { kind: 'Group', name: '*' },
      ],
    };
    const mirror = labelledPod({ bad: 'x' }, { annotations: { 'kubernetes.io/config.mirror': '1' } });
    assert.deepEqual(modesOf(mirror, spec), ['base enforce', 'more warn']);
  });
});

describe('the same object, with and without a request', () => {
  const ruleset = makeRuleset(REAL_RULES, policyOf(REAL_RULES));

  it('has the same findings, and judging it never throws', async () => {
    await fc.assert(
      fc.asyncProperty(kubernetesLike, async (object) => {
        const { findings, errors } = judge(object, ruleset, { view: viewOf([]), today: TODAY });
        assert.deepEqual(errors, []);
        const { outcome } = await validateWrite({ object, namespace: homeOf(object) }, { today: TODAY });
        const requested = outcome.answered.map(({ finding, count }) => [finding.rule.id, finding.messageId, count]);
        const grouped = Map.groupBy(findings, ({ rule, messageId }) => `${rule.id} ${messageId}`);
        const judged = [...grouped.values()].map((group) => [group[0]?.rule.id, group[0]?.messageId, group.length]);
        if (outcome.exemption === undefined) assert.deepEqual(requested, judged);
        else assert.deepEqual(judged, []);
      }),
      { numRuns: 250 },
    );
  });
});

describe('an object that another writer would be forgiven', () => {
  const MIRROR = { annotations: { 'kubernetes.io/config.mirror': 'x' } };
  const rows: readonly (readonly [name: string, object: JsonObject, assumes: readonly boolean[]])[] = [
    ['a mirror pod, in what would be refused', labelledPod({ bad: 'x' }, MIRROR), [true, false]],
    ['another pod', labelledPod({ bad: 'x' }), [false, false]],
    ['a workload with the annotation', labelledDeployment({ bad: 'x' }, MIRROR), [false, false]],
  ];
  for (const [name, object, assumes] of rows) {
    it(`${name}: the finding says whom it assumes`, () => {
      const { findings } = judge(object, makeRuleset(RULES, policyOf(RULES)), { view: viewOf([]), today: TODAY });
      assert.deepEqual(
        findings.map((finding) => finding.assumesWriter),
        assumes,
      );
      for (const finding of findings) {
        assert.equal(messageOf(finding).endsWith(' (assuming that an ordinary user writes it)'), finding.assumesWriter);
      }
    });
  }
});
