import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { applyPlan } from '../../src/inject/apply.ts';
import { patchError, patchOf } from '../../src/inject/patch.ts';
import { planInjection } from '../../src/inject/plan.ts';
import { recogniseProxies } from '../../src/inject/recognise.ts';
import { asStrings, type JsonObject } from '../../src/kube/json.ts';
import { TEMPLATE_KINDS, isTemplateKind, templatesOf } from '../../src/kube/templates.ts';
import type { Manifest } from '../../src/manifests/manifests.ts';
import { corpusSkip, placeOfLabel, readCorpus, readLabels } from '../support/corpus.ts';
import { circumstancesOf, wordsOf } from '../support/injection.ts';

/** A reason to leave a template alone, in the order in which they are decided, by what its label says. */
const REASONS: readonly (readonly [(label: JsonObject) => boolean, string])[] = [
  [({ annotated_on: place }) => place !== 'pod-template', 'no-metrics-port'],
  [(label) => !isScraped(label) && hasPort(label), 'not-scraped'],
  [(label) => !hasPort(label), 'no-metrics-port'],
  [(label) => complicationsOf(label).includes('windows'), 'windows'],
  [(label) => label['hostNetwork'] === true, 'host-network'],
  [(label) => complicationsOf(label).includes('scheme-https'), 'app-serves-tls'],
];

function complicationsOf(label: JsonObject): readonly string[] {
  return asStrings(label['complications']);
}

/** The label calls `prometheus.io.scrape` a look-alike, but to Prometheus the two keys are one. */
function dotted(label: JsonObject): JsonObject {
  const { dotted_annotations: annotations } = label;
  return typeof annotations === 'object' && annotations !== null ? { ...annotations } : {};
}

function isScraped(label: JsonObject): boolean {
  return label['scrape_enabled'] === true || dotted(label)['prometheus.io.scrape'] === 'true';
}

function hasPort(label: JsonObject): boolean {
  return typeof label['port'] === 'string' || dotted(label)['prometheus.io.port'] !== undefined;
}

function podOf({ object }: Manifest): JsonObject {
  return isTemplateKind(object, TEMPLATE_KINDS) ? (templatesOf(object, TEMPLATE_KINDS)[0]?.pod ?? {}) : object;
}

const labels =
  corpusSkip === false ? readLabels('inject.jsonl').filter((label) => label['annotated_on'] !== 'service') : [];

describe('published pods and pod templates with metrics', { skip: corpusSkip }, () => {
  const circumstances = circumstancesOf({ injection: { excludedNamespaces: [] } });
  let corpus: ReadonlyMap<string, Manifest> = new Map();
  before(async () => {
    corpus = await readCorpus(readLabels('inject.jsonl'));
  });

  for (const label of labels) {
    const reason = REASONS.find(([applies]) => applies(label))?.[1];
    it(`${reason ?? 'injected'}: ${String(label['owner_kind'])} ${String(label['owner'])} in ${String(label['file'])}`, () => {
      const manifest = corpus.get(placeOfLabel(label));
      assert.ok(manifest, 'the corpus has no such object');
      const pod = podOf(manifest);
      const injection = planInjection(pod, circumstances);
      if (injection.kind === 'skip') {
        assert.equal(injection.reason, reason, wordsOf(injection).join(', '));
        return;
      }
      assert.equal(reason, undefined);
      assert.equal(patchError(pod, patchOf(pod, injection.plan)), undefined);
      const isUndeclared = injection.warnings.some(({ code }) => code === 'port-not-declared');
      assert.equal(isUndeclared, complicationsOf(label).includes('port-not-declared'));
      assert.equal(injection.plan.initContainers.length > 0, label['job'] === true);
      const after = applyPlan(pod, injection.plan);
      assert.deepEqual(wordsOf(planInjection(after, circumstances)), ['already-injected']);
      assert.ok(recogniseProxies(after, circumstances.injection).ports.every(({ by }) => by === 'injected'));
    });
  }

  it('covers every label that is about a pod', () => assert.equal(labels.length, 49));
});
