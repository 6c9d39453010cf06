// `npm run generate` writes everything that is made of rule metadata and tables; `npm run generate:check` says which of
// these files are out of date, and exits 1.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { RULES } from '../src/rules/index.ts';
import { differences, generatedFiles, type Difference, type Files } from './generated-files.ts';

const ROOT = new URL('../', import.meta.url);
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const files = generatedFiles(ROOT, RULES);
const found = differences(ROOT, files);
if (values.check) check(found);
else write(found, files);

function check(wrong: readonly Difference[]): void {
  if (wrong.length === 0) return;
  for (const { path, state } of wrong) process.stderr.write(`${path} is ${state}\n`);
  process.stderr.write('Run `npm run generate` and commit what it writes.\n');
  process.exitCode = 1;
}

function write(wrong: readonly Difference[], wanted: Files): void {
  for (const { path, state } of wrong) {
    const file = fileURLToPath(new URL(path, ROOT));
    const content = wanted.get(path);
    if (content === undefined) {
      rmSync(file, { recursive: true });
    } else {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    process.stdout.write(`${path} was ${state}\n`);
  }
}
