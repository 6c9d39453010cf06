import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdPair, type ServingPair } from '../../src/tls/source.ts';

test('a held pair tells every listener of each replacement, until it is stopped', () => {
  const heard: ServingPair[] = [];
  const { source, replace } = holdPair({ cert: 'a', key: 'a' });
  source.onChange((pair) => heard.push(pair));
  source.onChange((pair) => heard.push(pair));
  const next = { cert: 'b', key: 'b', ca: 'c' };
  replace(next);
  assert.deepEqual({ heard, current: source.current }, { heard: [next, next], current: next });
  source.stop();
  replace({ cert: 'c', key: 'c' });
  assert.deepEqual({ heard: heard.length, current: source.current }, { heard: 2, current: next });
});
