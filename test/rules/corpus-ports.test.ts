import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import type { Manifest } from '../../src/manifests/manifests.ts';
import type { Evaluation } from '../../src/policy/evaluate.ts';
import { corpusSkip, placeOfLabel, readCorpus, readLabels } from '../support/corpus.ts';
import { judgeAlone, rulesetOf, STRICTEST } from '../support/rulesets.ts';

/** What is refused, as `rule/messageId path`. */
function refusals(evaluation: Evaluation): string[] {
  return evaluation.findings
    .filter(({ mode }) => mode === 'enforce')
    .map(({ rule, messageId, path }) => `${rule.id}/${messageId} ${path}`);
}

describe('published manifests that mention a port of Kubernetes', { skip: corpusSkip }, () => {
  const byDefault = rulesetOf();
  let corpus: ReadonlyMap<string, Manifest> = new Map();
  before(async () => {
    corpus = await readCorpus();
  });

  for (const label of corpusSkip === false ? readLabels('ports.jsonl') : []) {
    it(`${String(label['expected'])}: ${String(label['kind'])} ${String(label['name'])} in ${String(label['file'])}`, () => {
      const manifest = corpus.get(placeOfLabel(label));
      assert.ok(manifest, 'the corpus has no such object');
      const refused = refusals(judgeAlone(manifest.object, byDefault));
      if (label['expected'] === 'deny') assert.notDeepEqual(refused, []);
      else assert.deepEqual(refused, []);
    });
  }

  it('finds the kubelet read-only port in no object without a label', () => {
    const labelled = new Set(readLabels('ports.jsonl').map(placeOfLabel));
    const findings = [...corpus].flatMap(([place, manifest]) =>
      judgeAlone(manifest.object, byDefault)
        .findings.filter(({ rule }) => rule.id.startsWith('kubelet-read-only-port'))
        .map(({ messageId, path }) => ({ place, messageId, path })),
    );
    assert.deepEqual(
      findings.filter(({ place }) => !labelled.has(place)),
      [],
    );
    assert.notDeepEqual(findings, []);
  });

  it('no rule fails on any of them, in the strictest policy', () => {
    const strictest = rulesetOf(STRICTEST);
    const errors = [...corpus.values()].flatMap(({ object }) => judgeAlone(object, strictest).errors);
    assert.deepEqual(errors, []);
    assert.ok(corpus.size > 3000, `only ${corpus.size} objects were read`);
  });
});
