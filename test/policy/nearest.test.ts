import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { nearestName } from '../../src/policy/nearest.ts';

const RULES = ['kubelet-read-only-port', 'kubelet-read-only-port-client', 'metrics-grant', 'nodes-proxy-grant'];
const PROFILES = ['off', 'baseline', 'strict'];

describe('the nearest name', () => {
  const rows: readonly (readonly [name: string, candidates: readonly string[], nearest: string | undefined])[] = [
    ['kubelet-readonly-port', RULES, 'kubelet-read-only-port'],
    ['metric-grant', RULES, 'metrics-grant'],
    ['nodes-proxy-grants', RULES, 'nodes-proxy-grant'],
    ['metrics-grant', RULES, 'metrics-grant'],
    ['node-exporter', RULES, undefined],
    ['basline', PROFILES, 'baseline'],
    ['Strict', PROFILES, 'strict'],
    ['of', PROFILES, 'off'],
    ['restricted', PROFILES, 'strict'],
    ['privileged', PROFILES, undefined],
    ['', PROFILES, undefined],
    ['anything', [], undefined],
  ];
  for (const [name, candidates, nearest] of rows) {
    it(`to "${name}" is ${nearest ?? 'none'}`, () => assert.equal(nearestName(name, candidates), nearest));
  }

  it('is the first of two that are equally near', () => {
    assert.equal(nearestName('cat', ['bat', 'hat']), 'bat');
  });

  it('is found at once for a name of any length', () => {
    assert.equal(nearestName('x'.repeat(1_000_000), RULES), undefined);
  });
});
