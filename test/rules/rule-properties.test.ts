import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { decodeReview } from '../../src/admission/decode.ts';
import { validate } from '../../src/admission/validate.ts';
import type { AdmissionResponse } from '../../src/kube/admission-review.ts';
import { asList, asObject, isObject, type JsonObject } from '../../src/kube/json.ts';
import { CONTAINER_LISTS } from '../../src/kube/pods.ts';
import { groupOf } from '../../src/kube/object.ts';
import { valueAt } from '../../src/kube/pointer.ts';
import { RESOURCES } from '../../src/kube/resources.ts';
import { TEMPLATE_KINDS, templatesOf } from '../../src/kube/templates.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { messageOf, type Evaluation } from '../../src/policy/evaluate.ts';
import { RULES } from '../../src/rules/index.ts';
import { countReads } from '../support/count-reads.ts';
import { examplesOf } from '../support/examples.ts';
import { anyJson, countNodes, growNode, mapTree, replaceNode } from '../support/json-trees.ts';
import { assertAcceptable } from '../support/response-oracle.ts';
import { judgeAlone, rulesetOf, STRICTEST, TODAY } from '../support/rulesets.ts';
import { makeReview, UID } from '../support/validate-review.ts';

// What holds for every rule, whatever it is about.

const strictest = rulesetOf(STRICTEST);

const EXAMPLES: readonly JsonObject[] = RULES.flatMap(({ meta }) => examplesOf(meta.id)).flatMap(({ manifests }) =>
  manifests.map(({ object }) => object),
);

const KINDS = [...Object.values(RESOURCES), ...TEMPLATE_KINDS].map(({ group, kind }) => ({
  apiVersion: group === '' ? 'v1' : `${group}/v1`,
  kind,
}));

/** An object of a kind that rules judge, anything in it. */
const anyObject = fc
  .tuple(fc.constantFrom(...KINDS), fc.dictionary(fc.constantFrom('spec', 'metadata', 'data', 'template'), anyJson))
  .map(([kind, fields]): JsonObject => Object.assign(fields, kind));

/** An example of which one part is something else; what kind it is stays. */
function broken(examples: readonly JsonObject[]): fc.Arbitrary<JsonObject> {
  return fc
    .tuple(fc.constantFrom(...examples), fc.nat(), anyJson)
    .map(([object, number, value]) => asKindOf(object, replaceNode(object, number % countNodes(object), value)));
}

/** A spread, for `Object.assign` would make a `__proto__` of the fields the prototype of what it assigns to. */
function asKindOf({ apiVersion, kind }: JsonObject, fields: JsonObject): JsonObject {
  return { ...fields, apiVersion, kind };
}

/** The examples that an API server admits; the others are files of components. */
const ADMITTED = EXAMPLES.filter(({ apiVersion, kind }) =>
  KINDS.some((known) => known.kind === kind && groupOf(known.apiVersion) === groupOf(String(apiVersion))),
);

/** What an evaluation says, without the places where it says it. */
function saidIn({ findings }: Evaluation): string[] {
  return findings.map(({ rule, messageId, data }) => JSON.stringify([rule.id, messageId, data])).sort();
}

/** What the webhook answers to an UPDATE in an empty cluster; the API server would accept the answer. */
async function answerToUpdate(object: JsonObject, oldObject: JsonObject): Promise<AdmissionResponse> {
  const request = decodeReview(JSON.stringify(makeReview({ object, oldObject })));
  const judge = { ruleset: strictest, viewFor: () => EMPTY_CLUSTER, today: TODAY };
  const { review } = await validate(request, judge, AbortSignal.any([]));
  assertAcceptable(UID, JSON.parse(JSON.stringify(review)));
  return review.response;
}

const EMPTY_CLUSTER = viewOf([]);

/** The Pods that the examples are or make. */
const PODS = EXAMPLES.flatMap((object) =>
  object['kind'] === 'Pod' ? [object] : templatesOf(object, TEMPLATE_KINDS).map(({ pod }) => pod),
);

/** Rules about how the containers of a pod stand to each other; every other one looks at each by itself. */
const ABOUT_WHOLE_PODS: ReadonlySet<string> = new Set(['metrics-proxy-bypass', 'unprotected-metrics-port']);

const eachByItself = rulesetOf(
  STRICTEST,
  RULES.filter(({ meta }) => !ABOUT_WHOLE_PODS.has(meta.id)),
);

/** A pod with all its containers dealt out anew: each into the list that `places` says, in the order of their keys. */
function deal(pod: JsonObject, places: readonly { readonly list: number; readonly key: number }[]): JsonObject {
  const spec = asObject(pod['spec']);
  const containers = CONTAINER_LISTS.flatMap((list) => asList(spec[list]));
  const dealt = containers
    .map((container, index) => ({ container, place: places[index % places.length] }))
    .sort((a, b) => (a.place?.key ?? 0) - (b.place?.key ?? 0));
  const lists = CONTAINER_LISTS.map((name, index) => [
    name,
    dealt.flatMap(({ container, place }) => (place?.list === index ? [container] : [])),
  ]);
  return { ...pod, spec: { ...spec, ...Object.fromEntries(lists) } };
}

/** Lists whose order means nothing to Kubernetes. */
const UNORDERED: ReadonlySet<string> = new Set([
  ...CONTAINER_LISTS,
  'ports',
  'subsets',
  'endpoints',
  'podMetricsEndpoints',
  'staticConfigs',
  'targets',
  'volumes',
]);

function permute(object: JsonObject, seed: number): JsonObject {
  const permuted = mapTree(object, (node, key) => {
    if (!Array.isArray(node) || !UNORDERED.has(key)) return node;
    const turned = seed % 2 === 0 ? node : node.toReversed();
    const by = seed % Math.max(1, node.length);
    return [...turned.slice(by), ...turned.slice(0, by)];
  });
  return isObject(permuted) ? permuted : object;
}

describe('every rule', () => {
  it('judges any object without failing, and says so in words', () => {
    fc.assert(
      fc.property(fc.oneof(anyObject, broken(EXAMPLES)), (object) => {
        const { findings, errors } = judgeAlone(object, strictest);
        assert.deepEqual(errors, []);
        for (const finding of findings) {
          assert.notEqual(valueAt(object, finding.path), undefined, `${finding.messageId} at ${finding.path}`);
          assert.doesNotMatch(messageOf(finding), /\{\{[a-zA-Z]+\}\}/);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('judges every example without failing, whatever stands in one of its places', () => {
    const wrong = [null, true, -1, 10255, '', '10255', [], [null], {}, [{}], [['']], { '': null }];
    for (const object of EXAMPLES) {
      const nodes = countNodes(object);
      for (let number = 0; number < nodes; number += 1) {
        for (const value of wrong) {
          const { errors } = judgeAlone(replaceNode(object, number, value), strictest);
          assert.deepEqual(errors, [], `part ${number} as ${JSON.stringify(value)} in ${JSON.stringify(object)}`);
        }
      }
    }
  });

  it('judges any update without failing', async () => {
    await fc.assert(
      fc.asyncProperty(broken(ADMITTED), broken(ADMITTED), async (object, oldObject) => {
        const { allowed, status } = await answerToUpdate(object, oldObject);
        assert.ok(allowed || status?.code === 403, status?.message);
      }),
      { numRuns: 300 },
    );
  });

  it('finds nothing new in an update that changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ADMITTED), async (object) => {
        const { allowed, warnings } = await answerToUpdate(object, object);
        assert.deepEqual({ allowed, warnings }, { allowed: true, warnings: undefined });
      }),
    );
  });

  it('says the same of a container in whichever list it stands', () => {
    const place = fc.record({ list: fc.nat({ max: CONTAINER_LISTS.length - 1 }), key: fc.nat() });
    fc.assert(
      fc.property(fc.constantFrom(...PODS), fc.array(place, { minLength: 1, maxLength: 5 }), (pod, places) => {
        assert.deepEqual(saidIn(judgeAlone(deal(pod, places), eachByItself)), saidIn(judgeAlone(pod, eachByItself)));
      }),
      { numRuns: 400 },
    );
  });

  it('says the same whatever the order of a list', () => {
    fc.assert(
      fc.property(fc.constantFrom(...EXAMPLES), fc.nat(), (object, seed) => {
        assert.deepEqual(saidIn(judgeAlone(permute(object, seed), strictest)), saidIn(judgeAlone(object, strictest)));
      }),
      { numRuns: 400 },
    );
  });
});

describe('the reads of every rule grow no faster than the object', () => {
  const FEW = 12;

  for (const { meta } of RULES) {
    it(meta.id, () => {
      const ruleset = rulesetOf(
        STRICTEST,
        RULES.filter((rule) => rule.meta.id === meta.id),
      );
      const readsOf = (object: JsonObject): number =>
        countReads(object, (watched) => assert.deepEqual(judgeAlone(watched, ruleset).errors, []));
      const examples = examplesOf(meta.id).flatMap(({ manifests }) => manifests);
      for (const { object, file } of examples) {
        for (let number = 0; number < countNodes(object); number += 1) {
          const few = readsOf(growNode(object, number, FEW));
          const many = readsOf(growNode(object, number, 4 * FEW));
          assert.ok(many <= 4 * few, `${file}: ${few} reads became ${many} when part ${number} grew fourfold`);
        }
      }
    });
  }
});
