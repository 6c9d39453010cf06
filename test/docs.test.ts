import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { parseAllDocuments } from 'yaml';

import packageJson from '../package.json' with { type: 'json' };
import { describeTour } from '../scripts/tour.ts';
import { decodeReview } from '../src/admission/decode.ts';
import { validate } from '../src/admission/validate.ts';
import { exampleCall } from '../src/cli/example-call.ts';
import { isObject, type JsonObject } from '../src/kube/json.ts';
import { viewOf } from '../src/policy/cluster-view.ts';
import { policyParser } from '../src/policy/parse.ts';
import { makeRuleset } from '../src/policy/ruleset.ts';
import { RULES } from '../src/rules/index.ts';
import { runCli } from './cli/run-cli.ts';

// What the documentation says of the repository is true of it.

const ROOT = new URL('../', import.meta.url);
const parse = policyParser(RULES);
const HEAD = { apiVersion: 'scrapeguard.io/v1alpha1', kind: 'MetricsPolicy' };

const pages = ['', 'docs/', 'policies/', 'bench/', 'certs/', 'deploy/', 'test/']
  .flatMap((folder) => namesIn(folder))
  .filter((path) => path.endsWith('.md'));

describe('the pages', () => {
  it('are found', () => {
    for (const page of ['README.md', 'docs/errors.md', 'docs/rules/README.md', 'policies/README.md']) {
      assert.ok(pages.includes(page), page);
    }
  });

  for (const path of pages) {
    const text = read(path);

    it(`${path}: links lead somewhere`, () => {
      const broken = linksIn(text).filter((link) => !existsSync(new URL(posix.join(posix.dirname(path), link), ROOT)));
      assert.deepEqual(broken, []);
    });

    it(`${path}: npm scripts exist`, () => {
      const scripts = [...text.matchAll(/npm run (?:--silent )?([a-z][a-z0-9:-]*)/g)].map(([, name = '']) => name);
      assert.deepEqual(
        scripts.filter((name) => !Object.hasOwn(packageJson.scripts, name)),
        [],
      );
    });

    it(`${path}: commands exist`, async () => {
      for (const command of commandsIn(text)) {
        const { code, stderr } = await runCli([...command, '--help']);
        assert.equal(code, 0, `${command.join(' ')}: ${stderr}`);
      }
    });

    it(`${path}: policies are valid`, () => {
      for (const policy of policiesIn(text)) assert.deepEqual(problemsOf(policy), []);
    });

    it(`${path}: sessions end as they are shown`, async () => {
      for (const { argv, output } of sessionsIn(text)) {
        const { stdout, stderr } = await runCli(argv, { cwd: fileURLToPath(ROOT) });
        assert.equal(`${stderr}${stdout}`.trim(), output.trim());
      }
    });
  }

  it('show the refusal that the command printed at start gets', async () => {
    const [, body = ''] = /-d '(.*)'/.exec(exampleCall('127.0.0.1', 9443)) ?? [];
    const ruleset = makeRuleset(RULES, defaultPolicy());
    const judge = { ruleset, viewFor: () => viewOf([]), today: '2026-01-01' };
    const { review } = await validate(decodeReview(body), judge, new AbortController().signal);
    assert.ok(read('README.md').includes(`\n${review.response.status?.message ?? 'no refusal'}\n`));
  });
});

describe('README.md', () => {
  it('shows the story that npm run cluster tells', () => {
    assert.ok(read('README.md').includes(`\n\`\`\`text\n${describeTour()}\`\`\`\n`));
  });
});

describe('the records of decisions', () => {
  const records = namesIn('docs/adr/');

  it('are numbered without a gap', () => {
    const numbers = records.map((path) => Number(/adr\/([0-9]{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]));
    assert.deepEqual(
      numbers,
      records.map((_, index) => index + 1),
    );
  });

  for (const path of records) {
    it(`${path}: has the four parts, in at most 60 lines`, () => {
      const text = read(path);
      assert.match(
        text,
        /^# [0-9]+\. .*\n\nStatus: .*\n\n## Context\n\n[^]+\n\n## Decision\n\n[^]+\n\n## Consequences\n/,
      );
      assert.ok(text.split('\n').length <= 61, 'too long');
    });
  }
});

describe('the changelog', () => {
  it('begins each entry with what it is', () => {
    const entries = read('CHANGELOG.md')
      .split('\n')
      .filter((line) => line.startsWith('- '));
    assert.ok(entries.length > 0);
    for (const entry of entries) assert.match(entry, /^- \[(?:POLICY|FEATURE|CHANGE|FIX|SECURITY)\] .*\.$/);
  });

  it('has an entry of the version in package.json', () => {
    assert.match(read('CHANGELOG.md'), new RegExp(`^## ${packageJson.version.replaceAll('.', '\\.')} / `, 'm'));
  });
});

/** The files in a folder, for every folder but the root those of its subfolders too; none when there is no folder. */
function namesIn(folder: string): string[] {
  const url = new URL(folder === '' ? './' : folder, ROOT);
  if (!existsSync(url)) return [];
  return readdirSync(url, { recursive: folder !== '', encoding: 'utf8' })
    .map((name) => `${folder}${name.replaceAll('\\', '/')}`)
    .sort();
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/** The targets of links within the repository, without the part after `#`. */
function linksIn(text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target.replace(/#.*$/, ''));
  return links.filter((link) => link !== '' && !/^[a-z]+:/.test(link));
}

const NO_COMMAND: ReadonlySet<string> = new Set(['scrapeguard', '--']);

/** The commands that are named as `scrapeguard check …` or run with npm, without their arguments. */
function commandsIn(text: string): string[][] {
  const named =
    /\bscrapeguard (?:-- )?(?:(?:serve|check|inject|who-can)\b|(?:rules|policy|certs)(?: (?:list|show|init|validate|schema|generate|inspect))?\b)/g;
  return [...text.matchAll(named)].map(([found]) => found.split(' ').filter((word) => !NO_COMMAND.has(word)));
}

function fencesIn(text: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm');
  return [...text.matchAll(fence)].map(([, code = '']) => code);
}

/** Whole policies, and specs as the pages of rules show them. */
function policiesIn(text: string): JsonObject[] {
  return fencesIn(text, 'yaml')
    .flatMap((code) => parseAllDocuments(code))
    .map((document): unknown => document.toJS())
    .filter(isObject)
    .filter(({ kind, spec }) => kind === HEAD.kind || (kind === undefined && isObject(spec)))
    .map((object) => Object.assign({}, HEAD, object));
}

function problemsOf(policy: JsonObject): readonly unknown[] {
  const parsed = parse(policy);
  return parsed.ok ? [] : parsed.problems;
}

function defaultPolicy(): Parameters<typeof makeRuleset>[1] {
  const parsed = parse(HEAD);
  assert.ok(parsed.ok);
  return parsed.document.spec;
}

interface Session {
  readonly argv: readonly string[];
  readonly output: string;
}

/** What is typed after `$` in a block of `console`, and what comes back. */
function sessionsIn(text: string): Session[] {
  return fencesIn(text, 'console').map((code) => {
    const [typed = '', ...output] = code.split('\n');
    const [, line = ''] = /^\$ npm run --silent scrapeguard -- (.*)$/.exec(typed) ?? [];
    assert.notEqual(line, '', `${typed} is no command that can be tried`);
    return { argv: line.split(' '), output: output.join('\n') };
  });
}
