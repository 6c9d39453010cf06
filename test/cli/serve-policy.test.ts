import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { pino } from 'pino';

import { makeMeters } from '../../src/cli/meters.ts';
import { followPolicy } from '../../src/cli/serve-policy.ts';
import { waitUntil } from '../support/wait-for.ts';

const VALID = 'apiVersion: scrapeguard.io/v1alpha1\nkind: MetricsPolicy\nmetadata: {name: first}\n';
const SILENT = pino({ level: 'silent' });

const directory = await mkdtemp(join(tmpdir(), 'scrapeguard-policy-'));
after(() => rm(directory, { recursive: true }));

/** In one step, so that nobody reads half of it. */
async function replace(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

describe('the policy that a server follows', () => {
  it('is told by metrics: whether what was read last is in force, and since when', async (t) => {
    const file = join(directory, 'policy.yaml');
    await replace(file, VALID);
    const meters = await makeMeters();
    let seconds = 1000;
    const now = (): Date => new Date(seconds * 1000);
    const followed = await followPolicy({ policy: file }, { log: SILENT, meters, intervalMs: 20, now });
    t.after(followed.stop);
    const told = async (): Promise<string> => {
      const lines = (await meters.render()).split('\n').filter((line) => line.startsWith('scrapeguard_policy_'));
      return lines.map((line) => line.replace('scrapeguard_policy_', '')).join(' ');
    };
    const say = (used: number, refused: number, isUsed: number, since: number): string =>
      `reloads_total{outcome="used"} ${used} reloads_total{outcome="refused"} ${refused} ` +
      `last_reload_successful ${isUsed} last_reload_success_timestamp_seconds ${since}`;
    const become = (expected: string): Promise<void> => waitUntil(expected, async () => (await told()) === expected);

    assert.equal(await told(), say(0, 0, 1, 1000));
    const first = followed.ruleset();
    seconds = 2000;
    await replace(file, `${VALID}spec: {maximumMod: warn}\n`);
    await become(say(0, 1, 0, 1000));
    assert.equal(followed.ruleset(), first, 'the old one stays in force');
    seconds = 3000;
    await replace(file, `${VALID}spec: {maximumMode: warn}\n`);
    await become(say(1, 1, 1, 3000));
    assert.equal(followed.ruleset().policy.maximumMode, 'warn');
  });

  it('is the default one without a file, since the start', async () => {
    const meters = await makeMeters();
    const followed = await followPolicy({}, { log: SILENT, meters, intervalMs: 20, now: () => new Date(5000) });
    assert.equal(followed.ruleset().policy.maximumMode, 'enforce');
    const text = await meters.render();
    assert.match(text, /^scrapeguard_policy_last_reload_successful 1$/m);
    assert.match(text, /^scrapeguard_policy_last_reload_success_timestamp_seconds 5$/m);
  });
});
