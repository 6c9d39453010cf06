import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Labels } from '../../src/kube/labels.ts';
import type { ModeProfiles } from '../../src/policy/mode.ts';
import { clusterScope, isExcludedNamespace, namespaceScope, profilesOf } from '../../src/policy/scope.ts';
import { policyOf } from '../support/validate-review.ts';

// The truth table: the labels of a namespace over the policy's defaults. A row's profiles are enforce, warn, audit.

type Profiles = `${string} ${string} ${string}`;

interface Row {
  readonly name: string;
  readonly labels: Labels;
  readonly defaults: Profiles;
  readonly profiles: Profiles;
}

const ROWS: readonly Row[] = [
  { name: 'no label', labels: {}, defaults: 'baseline strict strict', profiles: 'baseline strict strict' },
  { name: 'no label, defaults off', labels: {}, defaults: 'off off off', profiles: 'off off off' },
  {
    name: 'labels of others',
    labels: { enforce: 'off', 'pod-security.kubernetes.io/enforce': 'privileged', 'scrapeguard.io/inject': 'enabled' },
    defaults: 'baseline strict strict',
    profiles: 'baseline strict strict',
  },
  {
    name: 'one label changes its own mode only',
    labels: { 'scrapeguard.io/enforce': 'strict' },
    defaults: 'baseline off off',
    profiles: 'strict off off',
  },
  {
    name: 'a label may ask for less',
    labels: { 'scrapeguard.io/enforce': 'off', 'scrapeguard.io/warn': 'baseline' },
    defaults: 'baseline strict strict',
    profiles: 'off baseline strict',
  },
  {
    name: 'all three',
    labels: { 'scrapeguard.io/enforce': 'strict', 'scrapeguard.io/warn': 'off', 'scrapeguard.io/audit': 'baseline' },
    defaults: 'baseline strict strict',
    profiles: 'strict off baseline',
  },
  ...['', 'Strict', 'restricted', 'true', 'baseline ', 'constructor'].map((value): Row => ({
    name: `the invalid value "${value}" counts as the default`,
    labels: { 'scrapeguard.io/enforce': value, 'scrapeguard.io/warn': 'off' },
    defaults: 'baseline strict strict',
    profiles: 'baseline off strict',
  })),
  {
    name: 'an invalid value where the default is off',
    labels: { 'scrapeguard.io/enforce': 'stirct' },
    defaults: 'off off off',
    profiles: 'off off off',
  },
];

function profilesFrom(text: Profiles): ModeProfiles {
  const [enforce, warn, audit] = text.split(' ');
  return policyOf([], { defaults: { enforce, warn, audit } }).defaults;
}

describe('the scope of a namespace', () => {
  for (const { name, labels, defaults, profiles } of ROWS) {
    it(`${name}: ${defaults} gives ${profiles}`, () => {
      const policy = policyOf([], { defaults: profilesFrom(defaults) });
      const expected = { profiles: profilesFrom(profiles), uncertain: false };
      assert.deepEqual(namespaceScope(policy, labels), expected);
      assert.deepEqual(profilesOf(policy.defaults, labels), expected.profiles);
    });
  }

  it('is the defaults where the namespace does not exist', () => {
    const policy = policyOf([], { defaults: { enforce: 'off', warn: 'baseline', audit: 'strict' } });
    assert.deepEqual(namespaceScope(policy, 'not found'), { profiles: policy.defaults, uncertain: false });
  });

  it('is strict and uncertain where nobody could read the labels, whatever the defaults are', () => {
    const policy = policyOf([], { defaults: { enforce: 'off', warn: 'off', audit: 'off' } });
    const strict = { enforce: 'strict', warn: 'strict', audit: 'strict' };
    assert.deepEqual(namespaceScope(policy, 'unknown'), { profiles: strict, uncertain: true });
  });
});

describe('the scope of what lives outside every namespace', () => {
  it('is clusterScoped and not the defaults', () => {
    const policy = policyOf([], {
      defaults: { enforce: 'off', warn: 'off', audit: 'off' },
      clusterScoped: { enforce: 'strict', warn: 'off', audit: 'baseline' },
    });
    assert.deepEqual(clusterScope(policy).profiles, { enforce: 'strict', warn: 'off', audit: 'baseline' });
    assert.equal(clusterScope(policy).uncertain, false);
  });
});

describe('an excluded namespace', () => {
  const policy = policyOf([], { excludedNamespaces: ['kube-*', 'scrapeguard-system'] });

  it('is named in the policy, or matched by a star', () => {
    const names = ['kube-system', 'kube-', 'scrapeguard-system', 'kube', 'scrapeguard-system-2', 'default'];
    assert.deepEqual(
      names.filter((name) => isExcludedNamespace(policy, name)),
      ['kube-system', 'kube-', 'scrapeguard-system'],
    );
  });

  it('is never the outside of every namespace', () => {
    assert.equal(isExcludedNamespace(policyOf([], { excludedNamespaces: ['*'] }), ''), false);
  });
});
