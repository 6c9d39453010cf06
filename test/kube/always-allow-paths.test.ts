import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { alwaysAllowsMetrics } from '../../src/kube/always-allow-paths.ts';

describe('alwaysAllowsMetrics', () => {
  for (const entry of ['/metrics', 'metrics', '/m*', 'm*', '*', '/*', '/metrics*', '/metrics/*', '/metrics/slis']) {
    it(`holds for ${entry}`, () => assert.equal(alwaysAllowsMetrics(entry), true));
  }

  for (const entry of [
    '',
    '/',
    '/healthz',
    '/metricsz',
    '/Metrics',
    '//metrics',
    '/metri',
    '/metricsz*',
    '/n*',
    ' /metrics',
  ]) {
    it(`does not hold for "${entry}"`, () => assert.equal(alwaysAllowsMetrics(entry), false));
  }

  it('holds for every beginning of the path with a star', () => {
    fc.assert(
      fc.property(fc.nat('/metrics'.length), (length) => {
        assert.equal(alwaysAllowsMetrics(`${'/metrics'.slice(0, length)}*`), true);
      }),
    );
  });
});
