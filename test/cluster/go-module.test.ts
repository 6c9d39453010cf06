import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { clusterSuite } from '../support/cluster-suite.ts';
import { ensureGoBinaries, findGoBinaries, type GoModule } from '../support/go-module.ts';
import { runCommand } from '../support/run-command.ts';

await clusterSuite('a Go module of the toolchain', { needs: ['go'] }, () => {
  let folder = '';
  after(() => rm(folder, { recursive: true, force: true }));

  const makeModule = async (main: string): Promise<GoModule> => {
    folder = folder === '' ? await mkdtemp(join(tmpdir(), 'scrapeguard-go-')) : folder;
    await writeFile(join(folder, 'go.mod'), 'module example.com/echo\n\ngo 1.24.0\n');
    await writeFile(join(folder, 'main.go'), main);
    const renamed = { echo: 'repeat' };
    return { source: folder, packages: '.', minutes: 1, renamed, cache: join(folder, 'cache') };
  };
  const greet = (word: string): string => `package main\n\nfunc main() { print("${word}") }\n`;

  it('is built once, however many ask for it at once', async () => {
    const module = await makeModule(greet('hello'));
    assert.equal(await findGoBinaries(module), undefined);
    const lines: string[] = [];
    const [first = '', ...others] = await Promise.all(
      [1, 2, 3].map(() => ensureGoBinaries(module, (line) => lines.push(line))),
    );
    assert.deepEqual(others, [first, first]);
    assert.equal(lines.filter((line) => line.includes('building, once')).length, 1);
    assert.equal(lines.filter((line) => line.includes('another run is building it')).length, 2);
    assert.equal((await runCommand(join(first, 'repeat'), [])).stderr, 'hello');
    assert.equal(await findGoBinaries(module), first);
    assert.deepEqual(await readdir(module.cache), [first.slice(module.cache.length + 1)]);
  });

  it('is built again when its code changes', async () => {
    const module = await makeModule(greet('goodbye'));
    assert.equal(await findGoBinaries(module), undefined);
    const built = await ensureGoBinaries(module, () => {});
    assert.equal((await runCommand(join(built, 'repeat'), [])).stderr, 'goodbye');
  });

  it('says what the compiler said, and leaves nothing in the cache', async () => {
    const module = await makeModule('package main\n\nfunc main() { mistake() }\n');
    const before = await readdir(module.cache);
    await assert.rejects(
      ensureGoBinaries(module, () => {}),
      /undefined: mistake/,
    );
    assert.deepEqual(await readdir(module.cache), before);
  });
});
