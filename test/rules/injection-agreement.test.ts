import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { applyPlan } from '../../src/inject/apply.ts';
import { planInjection } from '../../src/inject/plan.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { TEMPLATE_KINDS, templatesOf } from '../../src/kube/templates.ts';
import type { Manifest } from '../../src/manifests/manifests.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import metricsProxyBypass from '../../src/rules/metrics-proxy-bypass.ts';
import unprotectedMetricsPort from '../../src/rules/unprotected-metrics-port.ts';
import { asDefaulted } from '../support/api-defaults.ts';
import { corpusSkip, placeOfLabel, readCorpus, readLabels } from '../support/corpus.ts';
import { generatePods } from '../support/generated-pods.ts';
import { rulesetOf, STRICTEST, TODAY } from '../support/rulesets.ts';

// What the injector makes, the rules about it let pass; and what they miss, it would not have made.

const POLICIES = [{}, { injection: { hostNetwork: 'allow', tokenVolume: 'always', audiences: ['metrics'] } }].map(
  (spec) => rulesetOf({ ...STRICTEST, ...spec }, [unprotectedMetricsPort, metricsProxyBypass]),
);

const VIEW = viewOf([]);
const NAMESPACE = 'shop';

type Ruleset = (typeof POLICIES)[number];

function plan(pod: JsonObject, { policy }: Ruleset): ReturnType<typeof planInjection> {
  const namespaceLabels = VIEW.namespaceLabels(NAMESPACE);
  return planInjection(pod, { injection: policy.injection, namespace: NAMESPACE, namespaceLabels, isMirrorPod: false });
}

/** What the rules refuse in a pod: as the API server asks about it, or as a file. */
function refusals(pod: JsonObject, ruleset: Ruleset, operation?: 'CREATE'): readonly string[] {
  const profiles = { enforce: 'strict', warn: 'strict', audit: 'strict' } as const;
  const { findings, errors } = evaluate(pod, ruleset, {
    view: VIEW,
    scope: { profiles, uncertain: false },
    namespace: NAMESPACE,
    today: TODAY,
    ...(operation === undefined ? {} : { operation }),
  });
  assert.deepEqual(errors, []);
  return findings.filter(({ mode }) => mode === 'enforce').map(({ rule, messageId }) => `${rule.id}/${messageId}`);
}

/** Holds the injector and the rules together about one pod; says whether it was injected. */
function compare(pod: JsonObject, ruleset: Ruleset): boolean {
  const planned = plan(pod, ruleset);
  if (planned.kind === 'skip') return false;
  const alone = refusals(pod, ruleset, 'CREATE');
  assert.ok(alone.includes('unprotected-metrics-port/unprotected'), 'nothing was to be protected');
  const injected = asDefaulted(applyPlan(pod, planned.plan));
  const after = refusals(injected, ruleset, 'CREATE');
  // What somebody wrote about other ports of the pod stays his.
  assert.deepEqual(
    after.filter((refusal) => !alone.includes(refusal)),
    [],
  );
  assert.ok(!after.some((refusal) => refusal.startsWith('unprotected-metrics-port/')), after.join());
  assert.deepEqual(refusals(pod, ruleset), after);
  assert.equal(plan(injected, ruleset).kind, 'skip');
  return true;
}

describe('the injector and the rules', () => {
  it('agree about 10,000 generated pods', () => {
    let injected = 0;
    for (const [number, pod] of generatePods(10_000).entries()) {
      const ruleset = POLICIES[number % POLICIES.length];
      assert.ok(ruleset);
      try {
        if (compare(pod, ruleset)) injected += 1;
      } catch (error) {
        assert.fail(`pod ${number}: ${String(error)}\n${JSON.stringify(pod)}`);
      }
    }
    assert.ok(injected > 2_000, `only ${injected} pods were injected`);
  });
});

describe('the injector and the rules, about published manifests', { skip: corpusSkip }, () => {
  let corpus: ReadonlyMap<string, Manifest> = new Map();
  before(async () => {
    corpus = await readCorpus(readLabels('inject.jsonl'));
  });

  it('agree about every one of them', () => {
    let injected = 0;
    for (const label of readLabels('inject.jsonl')) {
      const object = corpus.get(placeOfLabel(label))?.object;
      assert.ok(object, 'the corpus has no such object');
      const pods = object['kind'] === 'Pod' ? [object] : templatesOf(object, TEMPLATE_KINDS).map(({ pod }) => pod);
      for (const pod of pods) injected += POLICIES.filter((ruleset) => compare(pod, ruleset)).length;
    }
    assert.ok(injected > 30, `only ${injected} pods were injected`);
  });
});
