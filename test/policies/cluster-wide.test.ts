import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';

import { parse } from 'yaml';

import { policyParser } from '../../src/policy/parse.ts';

it('cluster-wide.yaml spells out every field of the default policy', () => {
  const written: unknown = parse(readFileSync(new URL('../../policies/cluster-wide.yaml', import.meta.url), 'utf8'));
  // Over no rules at all, so that `rules` stays as empty as it is written.
  const parsed = policyParser([])({ apiVersion: 'scrapeguard.io/v1alpha1', kind: 'MetricsPolicy' });
  assert.ok(parsed.ok);
  assert.deepEqual(written, { ...parsed.document, metadata: { name: 'cluster-wide' } });
});
