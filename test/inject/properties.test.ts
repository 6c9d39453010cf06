import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';
import jsonPatch from 'fast-json-patch';

import { applyPlan } from '../../src/inject/apply.ts';
import { patchError, patchOf } from '../../src/inject/patch.ts';
import { planInjection, type Plan } from '../../src/inject/plan.ts';
import { skipSentence, warningSentence } from '../../src/inject/reasons.ts';
import { recogniseProxies } from '../../src/inject/recognise.ts';
import { factsOf } from '../../src/inject/pod-facts.ts';
import { rivalsIn } from '../../src/inject/rivals.ts';
import { asList, asObject, isObject, type JsonObject } from '../../src/kube/json.ts';
import { annotationsIn, circumstancesOf, type Setting } from '../support/injection.ts';
import { anyJson } from '../support/json-trees.ts';
import { injections, podsToInject } from '../support/pods-to-inject.ts';

const settings: fc.Arbitrary<Setting> = fc.record({
  injection: injections,
  labels: fc.constantFrom(
    {},
    { 'scrapeguard.io/inject': 'enabled' },
    { team: 'a' },
    { 'scrapeguard.io/inject': 'disabled' },
    { 'istio-injection': 'enabled', 'scrapeguard.io/inject': 'enabled' },
    'not found' as const,
    'unknown' as const,
  ),
});

/** An injected pod with everything that it came from. */
interface Sample {
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly plan: Plan;
  readonly setting: Setting;
}

/** Pods that are injected, so that a property says something about each of its samples. */
const injectedPods: fc.Arbitrary<Sample> = fc
  .tuple(podsToInject, settings)
  .map(([before, setting]): Sample | undefined => {
    const injection = planInjection(before, circumstancesOf(setting));
    if (injection.kind !== 'plan') return undefined;
    return { before, setting, plan: injection.plan, after: applyPlan(before, injection.plan) };
  })
  .filter((sample) => sample !== undefined);

const LISTS = ['containers', 'initContainers', 'volumes', 'imagePullSecrets'] as const;

/** A pod as it was before a plan, made of what it is after it: the lists cut, the annotations put back. */
function withoutPlan({ before, after, plan }: Sample): JsonObject {
  const spec: Record<string, unknown> = { ...asObject(after['spec']) };
  for (const list of LISTS) {
    if (plan[list].length === 0) continue;
    const items = asList(spec[list]);
    const added = items.slice(items.length - plan[list].length);
    assert.deepEqual(added, plan[list]);
    spec[list] = items.slice(0, items.length - plan[list].length);
  }
  const annotations: Record<string, unknown> = { ...annotationsIn(after) };
  for (const [key, value] of Object.entries(plan.annotations)) {
    assert.equal(annotations[key], value);
    if (Object.hasOwn(annotationsIn(before), key)) annotations[key] = annotationsIn(before)[key];
    else delete annotations[key];
  }
  return { ...after, spec, metadata: { ...asObject(after['metadata']), annotations } };
}

/** The same pod with the lists that were not there written out empty, so that two can be compared. */
function comparable(pod: JsonObject): JsonObject {
  const spec = asObject(pod['spec']);
  const lists = LISTS.map((list) => [list, asList(spec[list])]);
  const metadata = asObject(pod['metadata']);
  return {
    ...pod,
    spec: { ...spec, ...Object.fromEntries(lists) },
    metadata: { ...metadata, annotations: asObject(metadata['annotations']) },
  };
}

const RUNS = { numRuns: 100 };

describe('whatever a pod is', () => {
  it('it is injected or skipped for a reason, in sentences that a client shows whole', () => {
    fc.assert(
      fc.property(fc.oneof(podsToInject, anyJson.filter(isObject)), settings, (pod, setting) => {
        const injection = planInjection(pod, circumstancesOf(setting));
        const sentences = injection.warnings.map(warningSentence);
        if (injection.kind === 'skip') sentences.push(skipSentence(injection.reason, injection.value));
        for (const sentence of sentences) assert.ok(sentence.length <= 120 && !sentence.includes('{{'), sentence);
      }),
      RUNS,
    );
  });

  it('it is recognised without a failure', () => {
    fc.assert(
      fc.property(podsToInject, injections, (pod, injection) => {
        const { ports } = recogniseProxies(pod, circumstancesOf({ injection }).injection);
        assert.ok(ports.every(({ by, container }) => (by === 'nobody') === (container === undefined)));
      }),
      RUNS,
    );
  });
});

describe('a pod that is injected', () => {
  it('is the same without what was added', () => {
    fc.assert(
      fc.property(injectedPods, (sample) => {
        assert.deepEqual(comparable(withoutPlan(sample)), comparable(sample.before));
      }),
      RUNS,
    );
  });

  it('keeps every container of its own, the very same and in its place', () => {
    fc.assert(
      fc.property(injectedPods, ({ before, after }) => {
        for (const list of LISTS) {
          const items = asList(asObject(after['spec'])[list]);
          const own = asList(asObject(before['spec'])[list]);
          assert.ok(own.every((item, index) => items[index] === item));
        }
      }),
      RUNS,
    );
  });

  it('was not changed itself', () => {
    fc.assert(
      fc.property(podsToInject, settings, (pod, setting) => {
        const text = JSON.stringify(pod);
        const injection = planInjection(pod, circumstancesOf(setting));
        if (injection.kind === 'plan') assert.equal(patchError(pod, patchOf(pod, injection.plan)), undefined);
        assert.equal(JSON.stringify(pod), text);
      }),
      RUNS,
    );
  });

  it('is what its patch makes of it, and the patch only adds to lists', () => {
    fc.assert(
      fc.property(injectedPods, ({ before, after, plan }) => {
        const patch = patchOf(before, plan);
        const patched = jsonPatch.applyPatch(structuredClone(before), structuredClone([...patch]), true).newDocument;
        assert.deepEqual(JSON.parse(JSON.stringify(patched)), JSON.parse(JSON.stringify(after)));
        for (const { op, path } of patch) {
          const isAnnotation = path.startsWith('/metadata');
          assert.ok(
            op === 'add' || (op === 'replace' && (isAnnotation || path.split('/').length === 3)),
            `${op} ${path}`,
          );
        }
      }),
      RUNS,
    );
  });

  it('is not injected again, whoever appends containers after it', () => {
    fc.assert(
      fc.property(injectedPods, fc.boolean(), ({ after, setting }, isAppended) => {
        const spec = asObject(after['spec']);
        const late = { name: 'late-comer', image: 'x', ports: [{ containerPort: 1234 }] };
        const final = isAppended
          ? { ...after, spec: { ...spec, containers: [...asList(spec['containers']), late] } }
          : after;
        const { kind, ...rest } = planInjection(final, circumstancesOf(setting));
        assert.equal(kind, 'skip', JSON.stringify(rest));
        assert.equal('reason' in rest ? rest.reason : '', 'already-injected');
      }),
      RUNS,
    );
  });

  it('has every annotated port protected, by a proxy that shares nothing', () => {
    fc.assert(
      fc.property(injectedPods, ({ after, plan, setting }) => {
        const { ports, status } = recogniseProxies(after, circumstancesOf(setting).injection);
        const added = new Set(plan.ports.map(({ container }) => container));
        const rivals = rivalsIn(factsOf(after)).filter(({ proxy }) => added.has(proxy.container.name));
        assert.equal(status, 'truthful');
        assert.deepEqual(rivals, []);
        assert.ok(ports.every(({ by }) => by !== 'nobody'));
        const own = ports.filter(({ by }) => by === 'injected').map(({ port }) => port);
        assert.deepEqual(
          own,
          plan.ports.map(({ port }) => port),
        );
      }),
      RUNS,
    );
  });
});
