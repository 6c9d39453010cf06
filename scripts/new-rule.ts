// `npm run new-rule -- ID` makes a rule that works, with its test, its examples and its page, and lists it; everything
// passes at once, and each file is then made into what is meant.
import { execFileSync, execSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { RULES } from '../src/rules/index.ts';
import { idProblem, scaffold, withRule } from './rule-scaffold.ts';

const ROOT = new URL('../', import.meta.url);
const INDEX = 'src/rules/index.ts';

const [id = '', ...rest] = process.argv.slice(2);
const problem = usageProblem();
if (problem === undefined) make();
else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 2;
}

function usageProblem(): string | undefined {
  if (id === '' || rest.length > 0) return 'Usage: npm run new-rule -- ID';
  const known = RULES.map(({ meta }) => meta.id);
  const taken = [...scaffold(id).keys()].find((path) => existsSync(new URL(path, ROOT)));
  return idProblem(id, known) ?? (taken === undefined ? undefined : `${taken} exists already.`);
}

function make(): void {
  const here = { cwd: fileURLToPath(ROOT), stdio: 'inherit' } as const;
  const files = new Map([...scaffold(id), [INDEX, withRule(readFileSync(new URL(INDEX, ROOT), 'utf8'), id)]]);
  for (const [path, text] of files) {
    const file = fileURLToPath(new URL(path, ROOT));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    process.stdout.write(`${path} ${path === INDEX ? 'lists the rule' : 'was written'}\n`);
  }
  const modules = [...files.keys()].filter((path) => path.endsWith('.ts'));
  // The id was checked, so no path means anything to a shell.
  execSync(`npm run --silent format -- ${modules.join(' ')}`, here);
  execFileSync(process.execPath, ['scripts/generate.ts'], here);
  process.stdout.write('Now make each of them into what you mean; `npm run check` tells what is missing.\n');
}
