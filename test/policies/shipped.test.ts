import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { readPolicy } from '../../src/config/policy-file.ts';
import type { Policy } from '../../src/policy/document.ts';
import { RULES } from '../../src/rules/index.ts';

async function shipped(name: string): Promise<Policy> {
  const file = fileURLToPath(new URL(`../../policies/${name}.yaml`, import.meta.url));
  const { metadata, spec } = await readPolicy(file, RULES);
  assert.equal(metadata.name, name);
  return spec;
}

const byDefault = await readPolicy(undefined, RULES).then(({ spec }) => spec);

describe('the policies that are shipped', () => {
  it('cluster-wide is the default policy', async () => {
    assert.deepEqual(await shipped('cluster-wide'), byDefault);
  });

  it('namespace-opt-in judges no namespace that did not ask for it', async () => {
    const off = { enforce: 'off', warn: 'off', audit: 'off' };
    assert.deepEqual(await shipped('namespace-opt-in'), {
      ...byDefault,
      defaults: off,
      injection: { ...byDefault.injection, select: 'labelled' },
    });
  });

  it('audit refuses nothing', async () => {
    assert.deepEqual(await shipped('audit'), {
      ...byDefault,
      maximumMode: 'warn',
      injection: { ...byDefault.injection, mode: 'report' },
    });
  });
});
