import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { mutate } from '../../src/admission/mutate.ts';
import { decodeReview } from '../../src/admission/decode.ts';
import { validate } from '../../src/admission/validate.ts';
import { METERS } from '../../src/cli/meter-table.ts';
import { makeMeters } from '../../src/cli/meters.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { readPolicy } from '../../src/config/policy-file.ts';
import { makeRuleset } from '../../src/policy/ruleset.ts';
import { RULES } from '../../src/rules/index.ts';
import { makePod } from '../support/rule-tester.ts';
import { reviewOf } from '../support/server.ts';

const { spec } = await readPolicy(undefined, RULES);
const JUDGE = { ruleset: makeRuleset(RULES, spec), viewFor: () => viewOf([]), today: '2026-01-01' };
const OPEN = makePod({ container: { ports: [{ containerPort: 10255 }] } });
const SCRAPED = {
  ...makePod(),
  metadata: { name: 'app', annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' } },
};

/** The series of our own after some reviews, each by the function that answers it. */
async function seriesAfter(
  ...reviews: readonly (readonly [answer: typeof validate | typeof mutate, object: JsonObject, request?: JsonObject])[]
): Promise<string[]> {
  const meters = await makeMeters();
  for (const [answer, object, request] of reviews) {
    const asked = decodeReview(JSON.stringify(reviewOf(object, request)));
    meters.verdict(asked, (await answer(asked, JUDGE, AbortSignal.timeout(5_000))).outcome, 2);
  }
  return (await meters.render()).split('\n').filter((line) => /^scrapeguard_.*\} [1-9]/.test(line));
}

describe('our own metrics', () => {
  it('count a refusal, and the finding behind it', async () => {
    const series = await seriesAfter([validate, OPEN], [validate, OPEN]);
    assert.ok(
      series.includes(
        'scrapeguard_admission_reviews_total{decision="denied",resource="pods",operation="CREATE",dry_run="false"} 2',
      ),
      series.join('\n'),
    );
    assert.ok(series.includes('scrapeguard_findings_total{rule="kubelet-read-only-port",answer="deny"} 2'));
  });

  it('count what was let through, and why', async () => {
    const series = await seriesAfter([validate, OPEN, { namespace: 'kube-node-lease' }]);
    assert.ok(
      series.includes(
        'scrapeguard_admission_reviews_total{decision="exempt",resource="pods",operation="CREATE",dry_run="false"} 1',
      ),
      series.join('\n'),
    );
    assert.ok(series.includes('scrapeguard_exemptions_total{reason="excluded-namespace"} 1'));
  });

  it('count injections by what became of them', async () => {
    const series = await seriesAfter([mutate, SCRAPED], [mutate, OPEN]);
    assert.ok(series.includes('scrapeguard_injections_total{outcome="injected",reason=""} 1'), series.join('\n'));
    assert.ok(series.includes('scrapeguard_injections_total{outcome="skipped",reason="no-metrics-port"} 1'));
  });

  it('take no label from an object', async () => {
    const resource = { group: 'example.com', version: 'v1', resource: 'anything' };
    const series = await seriesAfter([validate, OPEN, { resource, subResource: 'odd' }]);
    assert.ok(
      series.some((line) => line.includes('resource="other"')),
      series.join('\n'),
    );
  });

  it('read gauges when somebody asks', async () => {
    const meters = await makeMeters();
    let waiting = 3;
    meters.observe('scrapeguard_requests_in_flight', () => [{ value: waiting }]);
    assert.match(await meters.render(), /^scrapeguard_requests_in_flight 3$/m);
    waiting = 0;
    assert.match(await meters.render(), /^scrapeguard_requests_in_flight 0$/m);
  });

  it('have a sentence and a name each that says what it counts', () => {
    for (const { name, kind, help } of METERS) {
      assert.match(name, kind === 'counter' ? /^scrapeguard_[a-z_]+_total$/ : /^scrapeguard_[a-z_]+(?<!_total)$/);
      assert.match(help, /^[A-Z0-9].*\.$/);
    }
  });
});
