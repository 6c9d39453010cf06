import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFileLock } from './file-lock.ts';

const directory = await mkdtemp(join(tmpdir(), 'scrapeguard-lock-'));
const timing = { beatMs: 10, staleMs: 5_000, pollMs: 5 };

describe('a file lock', () => {
  after(() => rm(directory, { recursive: true }));

  it('lets one work at a time', async () => {
    const path = join(directory, 'one');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await sleep(10);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 5 }, () => withFileLock(path, work, { timing })));
    assert.equal(most, 1);
    assert.equal(existsSync(path), false);
  });

  it('says once that it waits', async () => {
    const path = join(directory, 'waiting');
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = withFileLock(path, () => promise, { timing });
    let told = 0;
    const onWait = (): void => {
      told += 1;
      resolve();
    };
    await withFileLock(path, async () => {}, { timing, onWait });
    await first;
    assert.equal(told, 1);
  });

  it('is given back when the work fails', async () => {
    const path = join(directory, 'failing');
    await assert.rejects(
      withFileLock(path, () => Promise.reject(new Error('no')), { timing }),
      /no/,
    );
    assert.equal(await withFileLock(path, async () => 'yes', { timing }), 'yes');
  });

  it('is taken over from a holder that is gone', async () => {
    const path = join(directory, 'stale');
    await writeFile(path, 'held by process 1\n');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path, longAgo, longAgo);
    assert.equal(await withFileLock(path, async () => 'taken over', { timing }), 'taken over');
  });
});
