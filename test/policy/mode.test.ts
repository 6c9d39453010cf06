import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isAtLeast, MODES, strongestMode, weakerMode, type ModeProfiles } from '../../src/policy/mode.ts';

const profiles = (enforce: string, warn: string, audit: string): ModeProfiles =>
  ({ enforce, warn, audit }) as ModeProfiles;

describe('the strongest mode of a rule', () => {
  const rows: readonly (readonly [ModeProfiles, 'baseline' | 'strict', string | undefined])[] = [
    [profiles('baseline', 'strict', 'strict'), 'baseline', 'enforce'],
    [profiles('baseline', 'strict', 'strict'), 'strict', 'warn'],
    [profiles('strict', 'off', 'off'), 'baseline', 'enforce'],
    [profiles('strict', 'off', 'off'), 'strict', 'enforce'],
    [profiles('off', 'baseline', 'strict'), 'baseline', 'warn'],
    [profiles('off', 'baseline', 'strict'), 'strict', 'audit'],
    [profiles('off', 'off', 'baseline'), 'baseline', 'audit'],
    [profiles('off', 'off', 'baseline'), 'strict', undefined],
    [profiles('off', 'off', 'off'), 'baseline', undefined],
  ];
  for (const [asked, profile, expected] of rows) {
    it(`${Object.values(asked).join(' ')} counts a ${profile} rule in ${expected ?? 'no mode'}`, () => {
      assert.equal(strongestMode(asked, profile), expected);
    });
  }
});

describe('two modes', () => {
  it('the weaker one is the later of enforce, warn, audit, in either order', () => {
    const table = MODES.map((a) => MODES.map((b) => weakerMode(a, b)));
    assert.deepEqual(table, [
      ['enforce', 'warn', 'audit'],
      ['warn', 'warn', 'audit'],
      ['audit', 'audit', 'audit'],
    ]);
  });

  it('each is at least as strong as itself and the later ones', () => {
    const table = MODES.map((mode) => MODES.filter((threshold) => isAtLeast(mode, threshold)));
    assert.deepEqual(table, [['enforce', 'warn', 'audit'], ['warn', 'audit'], ['audit']]);
  });
});
