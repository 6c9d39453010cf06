import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Injection, Outcome } from '../../src/admission/reply.ts';
import { decodeReview } from '../../src/admission/decode.ts';
import { ALLOWED } from '../../src/policy/decide.ts';
import { isQuiet, logLineFor } from '../../src/server/log-line.ts';
import { scrapedPod } from '../support/scraped-pods.ts';
import { makeReview } from '../support/validate-review.ts';

const REQUEST = decodeReview(
  JSON.stringify(makeReview({ object: scrapedPod({ secret: 'hunter2' }), namespace: 'shop' })),
);

function outcomeOf(injection: Injection): Outcome {
  return { decision: ALLOWED, answered: [], errors: [], excepted: 0, injection };
}

interface Row {
  readonly injection: Injection;
  readonly line: string;
  readonly quiet: boolean;
  readonly field?: readonly [string, string];
}

const ROWS: readonly Row[] = [
  { injection: { result: 'injected' }, line: 'info injected', quiet: false },
  { injection: { result: 'would-inject' }, line: 'info would be injected', quiet: false },
  {
    injection: { result: 'skipped', reason: 'host-network' },
    line: 'debug not injected',
    quiet: true,
    field: ['skipped', 'host-network'],
  },
  {
    injection: { result: 'failed', error: new Error('no such path') },
    line: 'error an injection failed',
    quiet: false,
    field: ['error', 'Error: no such path'],
  },
];

describe('the log of an injection', () => {
  for (const { injection, line, quiet, field } of ROWS) {
    it(`${injection.result}: ${line}`, () => {
      const outcome = outcomeOf(injection);
      const { level, message, fields } = logLineFor(REQUEST, outcome, 1.5);
      assert.equal(`${level} ${message}`, line);
      assert.equal(isQuiet(outcome), quiet);
      if (field !== undefined) assert.equal(fields[field[0]], field[1]);
      assert.doesNotMatch(JSON.stringify(fields), /hunter2/);
    });
  }
});
