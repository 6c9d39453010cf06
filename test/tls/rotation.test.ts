import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CLOCK_SKEW_MS } from '../../src/tls/issue.ts';
import { nextAction, type Action, type Authority, type Facts } from '../../src/tls/rotation.ts';

const NOW = 1_000_000_000;
const SETTLE = 30_000;

const alive = (cert: string): Authority => ({ cert, renewAt: NOW + 1, expiresAt: NOW + 1000 });
const due = (cert: string): Authority => ({ cert, renewAt: NOW, expiresAt: NOW + 1000 });
/** Over, and by more than any clock may be wrong. */
const gone = (cert: string): Authority => ({ cert, renewAt: 0, expiresAt: NOW - CLOCK_SKEW_MS - 1 });
/** Over by our clock, perhaps not by another's. */
const late = (cert: string): Authority => ({ cert, renewAt: 0, expiresAt: NOW - CLOCK_SKEW_MS });

/** Bundles whose texts are the names of CAs, as they are set. */
const bundles = (...lists: readonly (readonly Authority[])[]): Facts['bundles'] =>
  lists.map((authorities) => ({ text: authorities.map(({ cert }) => cert).join(''), authorities }));

const leafOf = (issuer: string, renewAt = NOW + 1): NonNullable<Facts['leaf']> => ({ issuer, renewAt });

interface Row {
  readonly name: string;
  readonly facts: Facts;
  readonly seenMs?: number;
  readonly action: Action;
}

const [A, B] = [alive('A'), alive('B')];

const ROWS: readonly Row[] = [
  {
    name: 'nothing is there: a CA first, before anybody trusts or serves anything',
    facts: { trusted: [], bundles: [] },
    action: { do: 'stage', keep: [] },
  },
  {
    name: 'a first CA is trusted before it signs',
    facts: { authority: A, trusted: [A], bundles: bundles([], [A]) },
    action: { do: 'trust', bundle: 'A' },
  },
  {
    name: 'a first leaf need not wait: no other was believed',
    facts: { authority: A, trusted: [A], bundles: bundles([A]) },
    action: { do: 'issue' },
  },
  {
    name: 'nor where no webhook is registered yet',
    facts: { authority: A, trusted: [A], bundles: [] },
    action: { do: 'issue' },
  },
  {
    name: 'all is well',
    facts: { authority: A, trusted: [A], leaf: leafOf('A'), bundles: bundles([A], [A]) },
    action: { do: 'nothing' },
  },
  {
    name: 'a leaf is renewed by the CA that it has',
    facts: { authority: A, trusted: [A, B], leaf: leafOf('A', NOW), bundles: bundles([A, B]) },
    action: { do: 'issue' },
  },
  {
    name: 'even where a bundle could not be set',
    facts: { authority: A, trusted: [A], leaf: leafOf('A', NOW), bundles: bundles([]) },
    action: { do: 'issue' },
  },
  {
    name: 'a CA at two thirds of its life gets a successor, and stays trusted',
    facts: { authority: due('A'), trusted: [due('A')], leaf: leafOf('A'), bundles: bundles([A]) },
    action: { do: 'stage', keep: ['A'] },
  },
  {
    name: 'an expired CA gets a successor alone',
    facts: { authority: gone('A'), trusted: [gone('A')], leaf: leafOf('A', 0), bundles: bundles([A]) },
    action: { do: 'stage', keep: [] },
  },
  {
    name: 'a successor is trusted beside its predecessor, in every bundle',
    facts: { authority: B, trusted: [B, A], leaf: leafOf('A'), bundles: bundles([B, A], [A]) },
    action: { do: 'trust', bundle: 'BA' },
  },
  {
    name: 'it signs nothing before it is believed everywhere',
    facts: { authority: B, trusted: [B, A], leaf: leafOf('A'), bundles: bundles([B, A]) },
    seenMs: SETTLE - 1,
    action: { do: 'wait' },
  },
  {
    name: 'then it does',
    facts: { authority: B, trusted: [B, A], leaf: leafOf('A'), bundles: bundles([B, A]) },
    seenMs: SETTLE,
    action: { do: 'issue' },
  },
  {
    name: 'a leaf that is lost while two CAs are trusted waits as well: replicas may still serve one of either',
    facts: { authority: B, trusted: [B, A], bundles: bundles([B, A]) },
    action: { do: 'wait' },
  },
  {
    name: 'a predecessor stays after the switch',
    facts: { authority: B, trusted: [B, late('A')], leaf: leafOf('B'), bundles: bundles([B, late('A')]) },
    action: { do: 'nothing' },
  },
  {
    name: 'until it has expired by any clock',
    facts: { authority: B, trusted: [B, gone('A')], leaf: leafOf('B'), bundles: bundles([B, gone('A')]) },
    action: { do: 'keep', keep: ['B'] },
  },
  {
    name: 'and then leaves the bundles',
    facts: { authority: B, trusted: [B], leaf: leafOf('B'), bundles: bundles([B, gone('A')]) },
    action: { do: 'trust', bundle: 'B' },
  },
  {
    name: 'a bundle that somebody emptied is set again',
    facts: { authority: A, trusted: [A], leaf: leafOf('A'), bundles: bundles([A], []) },
    action: { do: 'trust', bundle: 'A' },
  },
  {
    name: 'a CA that is not in the Secret is not trusted',
    facts: { authority: A, trusted: [A], leaf: leafOf('A'), bundles: bundles([A, B]) },
    action: { do: 'trust', bundle: 'A' },
  },
  {
    name: 'the Secret is lost: a new CA beside those by which replicas are trusted now',
    facts: { trusted: [], bundles: bundles([A, gone('X')], [A, B]) },
    action: { do: 'stage', keep: ['A', 'B'] },
  },
  {
    name: 'the key is lost: likewise, and what the Secret trusts as well',
    facts: { trusted: [B], leaf: leafOf('B'), bundles: bundles([A]) },
    action: { do: 'stage', keep: ['B', 'A'] },
  },
  {
    name: 'the leaf is lost: whoever else is trusted now is kept, for the Secret may be newer than what is served',
    facts: { authority: B, trusted: [B], bundles: bundles([A], [B]) },
    action: { do: 'keep', keep: ['B', 'A'] },
  },
];

describe('the next step of a rotation', () => {
  for (const { name, facts, seenMs = 0, action } of ROWS) {
    it(name, () => {
      assert.deepEqual(nextAction(facts, { now: NOW, seenMs, settleMs: SETTLE }), action);
    });
  }

  it('takes over no more CAs than a Secret can hold', () => {
    const many = Array.from({ length: 5000 }, (_, number) => alive(`CA${number}`));
    const action = nextAction({ trusted: [], bundles: bundles(many) }, { now: NOW, seenMs: 0, settleMs: SETTLE });
    assert.ok(action.do === 'stage' && action.keep.length === 20);
  });
});
