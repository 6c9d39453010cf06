import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { LAYERS, wrongsOf } from './support/architecture.ts';

const ROOT = new URL('../', import.meta.url);

const files = readdirSync(new URL('src/', ROOT), { recursive: true, encoding: 'utf8' })
  .map((file) => `src/${file.replaceAll('\\', '/')}`)
  .filter((file) => /\.(?:ts|mjs)$/.test(file))
  .sort();

describe('the modules of src', () => {
  it('are found', () => {
    assert.ok(files.includes('src/kube/json.ts'));
    assert.ok(files.includes('src/rules/index.ts'));
  });

  it('import only to the left, and the pure ones nothing that waits, asks the clock or leaves the process', () => {
    const wrongs = files.flatMap((file) => wrongsOf(file, readFileSync(new URL(file, ROOT), 'utf8')));
    assert.deepEqual(wrongs, []);
  });
});

interface Row {
  readonly name: string;
  readonly file: string;
  readonly source: string;
  readonly wrong: RegExp;
}

const CAUGHT: readonly Row[] = [
  {
    name: 'an arrow to the right',
    file: 'src/kube/a.ts',
    source: `import { decide } from '../policy/decide.ts';`,
    wrong: /kube may not know policy/,
  },
  {
    name: 'an arrow to the right for a type',
    file: 'src/policy/a.ts',
    source: `import type { Outcome } from '../admission/validate.ts';`,
    wrong: /policy may not know admission/,
  },
  {
    name: 'a type in a type position',
    file: 'src/kube/a.ts',
    source: `let view: typeof import('../policy/cluster-view.ts');`,
    wrong: /kube may not know policy/,
  },
  {
    name: 'a re-export',
    file: 'src/rbac/a.ts',
    source: `export * from '../rules/index.ts';`,
    wrong: /rbac may not know rules/,
  },
  {
    name: 'a dynamic import',
    file: 'src/policy/a.ts',
    source: `export const load = () => import('../cli/check.ts');`,
    wrong: /policy may not know cli/,
  },
  {
    name: 'siblings',
    file: 'src/config/a.ts',
    source: `import { issue } from '../tls/issue.ts';`,
    wrong: /config may not know tls/,
  },
  {
    name: 'a rule that imports a rule',
    file: 'src/rules/a.ts',
    source: `import b from './b.ts';`,
    wrong: /imports another rule/,
  },
  {
    name: 'an import of main',
    file: 'src/cli/a.ts',
    source: `import '../main.ts';`,
    wrong: /cli may not know main/,
  },
  {
    name: 'an import from outside src',
    file: 'src/cli/a.ts',
    source: `import { makePod } from '../../test/support/rule-tester.ts';`,
    wrong: /not in src/,
  },
  { name: 'a folder without a layer', file: 'src/utils/a.ts', source: `export {};`, wrong: /in no layer/ },
  {
    name: 'a built-in module in a pure folder',
    file: 'src/admission/a.ts',
    source: `import { createHash } from 'node:crypto';`,
    wrong: /imports node:crypto, but admission is pure/,
  },
  {
    name: 'an import whose names alone are types, which is still run',
    file: 'src/policy/a.ts',
    source: `import { type Server } from 'node:https';`,
    wrong: /imports node:https/,
  },
  {
    name: 'a package in a pure folder',
    file: 'src/report/a.ts',
    source: `import { colors } from 'some-package/colors';`,
    wrong: /imports some-package, but report is pure/,
  },
  {
    name: 'fastify outside the server',
    file: 'src/audit/a.ts',
    source: `import fastify from 'fastify';`,
    wrong: /only server/,
  },
  {
    name: 'a client of the cluster outside cluster',
    file: 'src/cli/a.ts',
    source: `const client = await import('@kubernetes/client-node');`,
    wrong: /only cluster/,
  },
  {
    name: 'patches outside inject',
    file: 'src/rules/a.ts',
    source: `import { compare } from 'fast-json-patch/index.mjs';`,
    wrong: /only inject/,
  },
  {
    name: 'the clock',
    file: 'src/policy/a.ts',
    source: `export const today = () => new Date().toISOString();`,
    wrong: /new Date\(\)/,
  },
  { name: 'the clock by its number', file: 'src/rules/a.ts', source: `const at = Date.now();`, wrong: /Date\.now/ },
  {
    name: 'the environment',
    file: 'src/kube/a.ts',
    source: `const home = process.env['HOME'];`,
    wrong: /knows the process/,
  },
  { name: 'a timer', file: 'src/inject/a.ts', source: `setTimeout(() => {}, 1);`, wrong: /sets a timer/ },
  { name: 'an exit', file: 'src/cli/a.ts', source: `process.exit(1);`, wrong: /only main/ },
  { name: 'an exit code', file: 'src/server/a.ts', source: `process.exitCode = 1;`, wrong: /only main/ },
];

const PASSED: readonly Omit<Row, 'wrong'>[] = [
  {
    name: 'an arrow to the left and one within the folder',
    file: 'src/admission/a.ts',
    source: `import { decide } from '../policy/decide.ts';\nimport { respond } from './respond.ts';`,
  },
  {
    name: 'the list of rules',
    file: 'src/rules/index.ts',
    source: `import a from './a.ts';`,
  },
  {
    name: 'the type of a package in a pure folder',
    file: 'src/kube/a.ts',
    source: `import type { V1Pod } from '@kubernetes/client-node';`,
  },
  {
    name: 'a date that is handed in',
    file: 'src/policy/a.ts',
    source: `export const isDate = (text: string) => !Number.isNaN(new Date(text).getTime());`,
  },
  {
    name: 'a comment and a string about the clock',
    file: 'src/policy/a.ts',
    source: `// never Date.now()\nexport const hint = 'no new date';`,
  },
  {
    name: 'an exit where it belongs',
    file: 'src/main.ts',
    source: `import { run } from './cli/run.ts';\nprocess.exitCode = await run(process.argv);`,
  },
];

describe('the architecture test', () => {
  for (const { name, file, source, wrong } of CAUGHT) {
    it(`catches ${name}`, () => assert.match(wrongsOf(file, source).join('\n'), wrong));
  }
  for (const { name, file, source } of PASSED) {
    it(`lets ${name} pass`, () => assert.deepEqual(wrongsOf(file, source), []));
  }
  it('names each layer once', () => {
    const folders = LAYERS.flat();
    assert.equal(new Set(folders).size, folders.length);
  });
});
