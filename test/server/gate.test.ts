import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { makeGate, type GateParts } from '../../src/server/gate.ts';

interface Asked {
  readonly questions: string[];
  readonly parts: GateParts<string>;
  now: number;
}

/** Tokens are user names; `scraper` may get, `idle` may nothing, and nobody answers about `lost`. */
function askedParts(): Asked {
  const asked: Asked = {
    now: 0,
    questions: [],
    parts: {
      async authenticate(token) {
        asked.questions.push(`who ${token}`);
        if (token === 'lost') throw new Error('no answer');
        return ['scraper', 'idle', 'unlucky'].includes(token) ? token : undefined;
      },
      async authorize(viewer, verb) {
        asked.questions.push(`${viewer} ${verb}`);
        if (viewer === 'unlucky') throw new Error('no answer');
        return viewer === 'scraper' && verb === 'get';
      },
      clock: () => asked.now,
    },
  };
  return asked;
}

describe('the gate of our own metrics', () => {
  const rows: readonly (readonly [authorization: string | undefined, verb: string, status: number])[] = [
    [undefined, 'get', 401],
    ['', 'get', 401],
    ['scraper', 'get', 401],
    ['Basic scraper', 'get', 401],
    ['Bearer', 'get', 401],
    ['Bearer ', 'get', 401],
    ['Bearer a b', 'get', 401],
    ['Bearer nobody', 'get', 401],
    ['Bearer idle', 'get', 403],
    ['Bearer scraper', 'head', 403],
    ['Bearer lost', 'get', 503],
    ['Bearer unlucky', 'get', 503],
    ['Bearer scraper', 'get', 200],
    ['bearer  scraper ', 'get', 200],
  ];
  for (const [authorization, verb, status] of rows) {
    it(`${verb} with ${authorization ?? 'no header'}: ${status}`, async () => {
      assert.equal(await makeGate(askedParts().parts)(authorization, verb), status);
    });
  }

  it('asks once for all who come within ten seconds, and again after them', async () => {
    const asked = askedParts();
    const gate = makeGate(asked.parts);
    await Promise.all([gate('Bearer scraper', 'get'), gate('Bearer scraper', 'get')]);
    asked.now = 9_999;
    await gate('Bearer scraper', 'get');
    assert.deepEqual(asked.questions, ['who scraper', 'scraper get']);
    asked.now = 10_000;
    await gate('Bearer scraper', 'get');
    assert.equal(asked.questions.length, 4);
  });

  it('does not remember that nobody answered, nor take one verb for another', async () => {
    const asked = askedParts();
    const gate = makeGate(asked.parts);
    await gate('Bearer lost', 'get');
    await gate('Bearer lost', 'get');
    assert.equal(await gate('Bearer scraper', 'get'), 200);
    assert.equal(await gate('Bearer scraper', 'head'), 403);
    assert.deepEqual(asked.questions.slice(0, 2), ['who lost', 'who lost']);
  });

  it('forgets the oldest answer when many tokens come', async () => {
    const asked = askedParts();
    const gate = makeGate(asked.parts);
    await gate('Bearer scraper', 'get');
    for (let number = 0; number < 1_000; number += 1) await gate(`Bearer t${number}`, 'get');
    const before = asked.questions.length;
    await gate('Bearer t999', 'get');
    assert.equal(asked.questions.length, before);
    await gate('Bearer scraper', 'get');
    assert.equal(asked.questions.length, before + 2);
  });
});
