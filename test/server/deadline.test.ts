import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Deadlines, parseDuration, waitingTime } from '../../src/server/deadline.ts';

describe('parseDuration reads what Go writes', () => {
  const rows: readonly (readonly [string, number | undefined])[] = [
    ['5s', 5_000],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1.5s', 1_500],
    ['0s', 0],
    ['', undefined],
    ['5', undefined],
    ['5 s', undefined],
    ['-5s', undefined],
    ['5s; rm', undefined],
  ];
  for (const [text, milliseconds] of rows) {
    it(`${JSON.stringify(text)} is ${milliseconds}`, () => assert.equal(parseDuration(text), milliseconds));
  }
});

describe('waitingTime leaves a fifth of the timeout for the answer', () => {
  const rows: readonly (readonly [string | undefined, number])[] = [
    ['5s', 4_000],
    ['1s', 800],
    [undefined, 4_000],
    ['nonsense', 4_000],
    ['1h', 24_000],
  ];
  for (const [timeout, milliseconds] of rows) {
    it(`${timeout} lets a view take ${milliseconds} ms`, () => assert.equal(waitingTime(timeout), milliseconds));
  }
});

describe('Deadlines', () => {
  it('abort in time and share a timer within a slot', async () => {
    const deadlines = new Deadlines();
    const signals = Array.from({ length: 100 }, () => deadlines.after(120));
    assert.ok(new Set(signals).size < 10, 'a hundred requests at once need few timers');
    await Promise.all(signals.map((signal) => new Promise((resolve) => signal.addEventListener('abort', resolve))));
    assert.ok(signals.every(({ aborted }) => aborted));
    assert.equal(deadlines.after(120).aborted, false);
  });
});
