import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { judge } from '../../src/admission/judge.ts';
import { asString } from '../../src/kube/json.ts';
import type { Manifest } from '../../src/manifests/manifests.ts';
import { viewOf, type ClusterView } from '../../src/policy/cluster-view.ts';
import { corpusSkip, placeOfLabel, readCorpus, readLabels } from '../support/corpus.ts';
import { bundleOf, rulesOfLabel } from '../support/grant-labels.ts';
import { rulesetOf, TODAY } from '../support/rulesets.ts';

// Published bundles under the default policy, which expects nobody but Kubernetes' own subjects, against what people
// found in them by hand: an effective grant of /metrics or nodes/proxy is refused, and nothing else is.

const GRANT_RULES = new Set(['metrics-grant', 'nodes-proxy-grant']);

describe('published manifests that grant metrics or nodes/proxy, or seem to', { skip: corpusSkip }, () => {
  const ruleset = rulesetOf();
  const labels = corpusSkip === false ? readLabels('grants.jsonl') : [];
  const views = new Map<string, ClusterView>();
  let corpus: ReadonlyMap<string, Manifest> = new Map();
  before(async () => {
    corpus = await readCorpus();
    const bundles = Map.groupBy(corpus.values(), ({ file }) => bundleOf(file));
    for (const [bundle, manifests] of bundles) {
      views.set(bundle, viewOf(manifests.map(({ object }) => object)));
    }
  });

  const enforcedIn = ({ file, object }: Manifest): string[] => {
    const view = views.get(bundleOf(file));
    assert.ok(view !== undefined);
    const { findings, errors } = judge(object, ruleset, { view, today: TODAY });
    assert.deepEqual(errors, []);
    const enforced = findings.filter(({ mode, rule }) => mode === 'enforce' && GRANT_RULES.has(rule.id));
    return [...new Set(enforced.map(({ rule }) => rule.id))].sort();
  };

  for (const label of labels) {
    const expected = rulesOfLabel(label);
    it(`${String(label['verdict'])}: ${String(label['kind'])} ${String(label['name'])} in ${String(label['file'])}: ${expected.join(', ') || 'not refused'}`, () => {
      const manifest = corpus.get(placeOfLabel(label));
      assert.ok(manifest, 'the corpus has no such object');
      assert.deepEqual(enforcedIn(manifest), expected);
    });
  }

  it('are all that is refused', () => {
    const labelled = new Set(labels.map(placeOfLabel));
    const rbac = [...corpus].filter(([, { object }]) => asString(object['kind'])?.startsWith('ClusterRole') === true);
    const refused = rbac.filter(([, manifest]) => enforcedIn(manifest).length > 0).map(([place]) => place);
    assert.deepEqual(
      refused.filter((place) => !labelled.has(place)),
      [],
    );
    assert.ok(refused.length > 50, `only ${refused.length} are refused`);
  });
});
