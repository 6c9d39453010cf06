import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { decodeReview } from '../../src/admission/decode.ts';
import { validate } from '../../src/admission/validate.ts';
import type { AdmissionRequest } from '../../src/kube/admission-review.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { makeRuleset } from '../../src/policy/ruleset.ts';
import { RULES as REAL_RULES } from '../../src/rules/index.ts';
import { kubernetesLike } from '../support/kubernetes-like.ts';
import { labelledDeployment, labelledNamespace, labelledPod, labelRule } from '../support/label-rule.ts';
import { makePod } from '../support/rule-tester.ts';
import { makeReview, policyOf, UID, validateReview, validateWrite } from '../support/validate-review.ts';

const RULES = [labelRule('base'), labelRule('more', { profile: 'strict' })];
const BAD = labelledPod({ bad: 'x' });

describe('the rules of the product', () => {
  const nginx = makePod({
    spec: { hostNetwork: true },
    container: { image: 'nginx', ports: [{ containerPort: 10255 }] },
  });

  it('refuse a Pod on the kubelet read-only port', async () => {
    const { response } = await validateWrite({ object: nginx });
    assert.equal(response.status?.code, 403);
    assert.match(response.status?.message ?? '', /10255.*\(\/spec\/containers\/0\/ports\/0\/(?:host|container)Port\)/);
    assert.equal(response.auditAnnotations?.['decision'], 'denied');
  });

  it('warn the author of a Deployment that makes such Pods', async () => {
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'nginx' },
      spec: { template: nginx },
    };
    const { response } = await validateWrite({ object, namespace: 'default' });
    assert.equal(response.allowed, true);
    assert.match(response.warnings?.join() ?? '', /^kubelet-read-only-port: container "app" /);
  });

  it('refuse an ephemeral container on that port, and nothing that was there before', async () => {
    const debug = (ports: readonly JsonObject[]): JsonObject =>
      makePod({ spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox', ports }] } });
    const subResource = 'ephemeralcontainers';
    const bad = debug([{ containerPort: 10255 }]);
    assert.equal((await validateWrite({ object: bad, oldObject: makePod(), subResource })).response.allowed, false);
    assert.equal((await validateWrite({ object: bad, oldObject: bad, subResource })).response.allowed, true);
  });

  it('have nothing to say of a Pod like any other', async () => {
    const { response } = await validateWrite({ object: makePod({ container: { ports: [{ containerPort: 8080 }] } }) });
    assert.deepEqual(response, { uid: UID, allowed: true });
  });
});

describe('an answer', () => {
  it('echoes the uid and has no key without content', async () => {
    const review = makeReview({ object: labelledPod({}) });
    const { response } = await validateReview(review, { rules: RULES });
    assert.deepEqual(response, { uid: UID, allowed: true });
  });

  it('is the same for a dry run', async () => {
    const review = makeReview({ object: BAD });
    const dryRun = { ...review, request: { ...asObject(review['request']), dryRun: true } };
    const answers = await Promise.all([review, dryRun].map((each) => validateReview(each, { rules: RULES })));
    assert.deepEqual(answers[0]?.response, answers[1]?.response);
  });

  it('to a write without an object refuses it, for nothing was judged', async () => {
    for (const object of [undefined, null, 'pod', [], 7]) {
      const { response } = await validateWrite({ object, operation: 'CREATE' }, { rules: RULES });
      assert.equal(response.status?.code, 400);
      assert.deepEqual(response.auditAnnotations, { error: 'no-object' });
    }
  });

  it('comes with what was found, for the log', async () => {
    const spec = { exceptions: [{ name: 'e', rules: ['more'], reason: 'r', expires: '2099-01-01' }] };
    const object = labelledPod({ bad: 'x,y', odd: 'z', throws: 'base2' });
    const { outcome } = await validateWrite({ object }, { rules: [...RULES, labelRule('base2')], spec });
    assert.deepEqual(
      outcome.answered.map(({ finding, count, answer }) => [finding.rule.id, finding.messageId, count, answer]),
      [
        ['base', 'bad', 2, 'deny'],
        ['base', 'odd', 1, 'warn'],
      ],
    );
    assert.deepEqual(
      outcome.errors.map(({ rule }) => rule.id),
      ['base2'],
    );
    assert.equal(outcome.excepted, 3);
    assert.equal(outcome.exemption, undefined);
  });
});

function asObject(value: unknown): JsonObject {
  return { ...(value as JsonObject) };
}

describe('the namespace of a write', () => {
  const answer = async (clusterObjects: readonly JsonObject[], object = BAD): Promise<string> => {
    const { response } = await validateWrite({ object }, { rules: RULES, clusterObjects });
    return response.auditAnnotations?.['decision'] ?? 'nothing';
  };

  it('gives the modes by its labels', async () => {
    assert.equal(await answer([]), 'denied');
    assert.equal(await answer([labelledNamespace({})]), 'denied');
    assert.equal(await answer([labelledNamespace({ enforce: 'off' })]), 'warned');
    assert.equal(await answer([labelledNamespace({ enforce: 'off', warn: 'off' })]), 'audited');
    assert.equal(await answer([labelledNamespace({ enforce: 'off', warn: 'off', audit: 'off' })]), 'nothing');
    assert.equal(await answer([labelledNamespace({ enforce: 'off' }, 'another')]), 'denied');
    assert.equal(await answer([labelledNamespace({ enforce: 7 })]), 'denied');
  });

  it('is asked for once, by its name, and by the request that was sent', async () => {
    const asked: string[] = [];
    const requests: AdmissionRequest[] = [];
    const { response } = await validateWrite(
      { object: BAD },
      {
        rules: RULES,
        viewFor: async (request, signal) => {
          assert.ok(signal instanceof AbortSignal);
          requests.push(request);
          await Promise.resolve();
          return { ...viewOf([]), namespaceLabels: (name) => (asked.push(name), 'not found') };
        },
      },
    );
    assert.equal(response.allowed, false);
    assert.deepEqual(asked, ['shop']);
    assert.deepEqual(
      requests.map(({ uid, name }) => [uid, name]),
      [[UID, 'app']],
    );
  });

  it('is of no importance for what lives outside every namespace', async () => {
    const object = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { labels: { bad: 'x' } },
    };
    const viewFor = () => ({ ...viewOf([]), namespaceLabels: () => 'unknown' as const });
    const spec = { clusterScoped: { enforce: 'off' }, rules: { more: { maximumMode: 'off' } } };
    const { response } = await validateWrite({ object }, { rules: RULES, viewFor, spec });
    assert.equal(response.auditAnnotations?.['decision'], 'warned');
  });

  it('is none for a Namespace, although the request names one', async () => {
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { bad: 'x' } } };
    const clusterObjects = [labelledNamespace({ enforce: 'off', warn: 'off', audit: 'off' })];
    const { response } = await validateWrite({ object, namespace: 'shop' }, { rules: RULES, clusterObjects });
    assert.equal(response.status?.code, 403);
  });
});

describe('an UPDATE', () => {
  it('is judged on what it adds, in the answer too', async () => {
    const verdict = await validateWrite({ object: labelledPod({ bad: 'x,y' }), oldObject: BAD }, { rules: RULES });
    assert.match(verdict.response.status?.message ?? '', /"y"/);
    assert.equal((await validateWrite({ object: BAD, oldObject: BAD }, { rules: RULES })).response.allowed, true);
  });

  it('of a template, too', async () => {
    const before = labelledDeployment({ bad: 'x' });
    const after = labelledDeployment({ bad: 'x' }, { labels: { version: '2' } });
    assert.deepEqual((await validateWrite({ object: after, oldObject: before }, { rules: RULES })).response, {
      uid: UID,
      allowed: true,
    });
  });
});

describe('whatever an object holds', () => {
  const ruleset = makeRuleset(REAL_RULES, policyOf(REAL_RULES, { enforceTemplates: true }));
  const strict = { enforce: 'strict', warn: 'strict', audit: 'strict' };
  const spec = { defaults: strict, clusterScoped: strict, enforceTemplates: true };

  it('no rule throws, and the answer is one that the API server takes', async () => {
    await fc.assert(
      fc.asyncProperty(kubernetesLike, fc.option(kubernetesLike, { nil: undefined }), async (object, oldObject) => {
        const write = { object, ...(oldObject === undefined ? {} : { oldObject }) };
        const { outcome } = await validateWrite(write, { spec });
        assert.deepEqual(
          outcome.errors.map(({ rule, error }) => [rule.id, String(error)]),
          [],
        );
      }),
      { numRuns: 250 },
    );
  });

  it('the answer is the same every time', async () => {
    await fc.assert(
      fc.asyncProperty(kubernetesLike, async (object) => {
        const [first, second] = await Promise.all([
          validateWrite({ object }, { spec }),
          validateWrite({ object }, { spec }),
        ]);
        assert.deepEqual(first, second);
      }),
      { numRuns: 100 },
    );
  });

  it('the object is left as it was', async () => {
    await fc.assert(
      fc.asyncProperty(kubernetesLike, async (object) => {
        const request = decodeReview(JSON.stringify(makeReview({ object, oldObject: object })));
        const before = JSON.stringify(request);
        await validate(request, { ruleset, viewFor: () => viewOf([]), today: '2026-01-01' }, AbortSignal.any([]));
        assert.equal(JSON.stringify(request), before);
      }),
      { numRuns: 100 },
    );
  });

  it('a refusal names a finding, a failed rule or an unknown that refuses', async () => {
    const label = fc.constantFrom('bad', 'worse', 'odd', 'unsure', 'throws', 'good');
    const value = fc.constantFrom('base', 'more', 'x', 'x,y');
    const profile = fc.constantFrom('off', 'baseline', 'strict');
    const cap = fc.constantFrom('enforce', 'warn', 'audit', 'off');
    const policies = fc.record({
      defaults: fc.record({ enforce: profile, warn: profile, audit: profile }),
      maximumMode: cap,
      enforceTemplates: fc.boolean(),
      rules: fc.record({ base: fc.record({ maximumMode: cap }), more: fc.record({ maximumMode: cap }) }),
    });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(label, value), fc.boolean(), policies, async (labels, isTemplate, policy) => {
        const object = isTemplate ? labelledDeployment(labels) : labelledPod(labels);
        const { response, outcome } = await validateWrite({ object }, { rules: RULES, spec: policy });
        const answers = new Set(outcome.answered.map(({ answer }) => answer));
        if (response.status?.code === 403) assert.ok(answers.has('deny'));
        if (response.status?.code === 500) assert.ok(outcome.errors.length > 0 && !answers.has('deny'));
        if (response.status?.code === 503) assert.ok(answers.has('unknown'));
        if (response.allowed) assert.ok(!answers.has('deny') && !answers.has('unknown'));
      }),
      { numRuns: 300 },
    );
  });
});
