import { readdirSync, readFileSync } from 'node:fs';

import { publishedSchema } from '../src/policy/schema.ts';
import type { Rule } from '../src/policy/rule.ts';
import { deployFiles } from './chart-files.ts';
import { dashboard } from './dashboard/dashboard.ts';
import { annotationsPage } from './pages/annotations-page.ts';
import { errorsPage } from './pages/errors-page.ts';
import { examplesOf, filesIn } from './pages/examples.ts';
import { metricsPage } from './pages/metrics-page.ts';
import { policiesPage, rulesPage, type PolicyFile } from './pages/rule-index.ts';
import { rulePage } from './pages/rule-page.ts';

/** Files by their paths from the root of the repository, with slashes. */
export type Files = ReadonlyMap<string, string>;

/** A file that is not as it would be generated. */
export interface Difference {
  readonly path: string;
  readonly state: 'missing' | 'stale' | 'extra';
}

/** Folders that hold generated files alone, so that one too many is found. */
const OWN_FOLDERS = ['docs/rules', 'deploy/helm/scrapeguard/files'];

/** Every generated file, made of the rules, of the tables of `src` and of the examples and policies in the repository. */
export function generatedFiles(root: URL, rules: readonly Rule[]): Files {
  const metas = rules.map(({ meta }) => meta);
  return new Map([
    ...rules.map((rule) => [`docs/rules/${rule.meta.id}.md`, rulePage(rule, examplesOf(root, rule.meta.id))] as const),
    ['docs/rules/README.md', rulesPage(metas)],
    ['docs/annotations.md', annotationsPage()],
    ['docs/errors.md', errorsPage()],
    ['docs/metrics.md', metricsPage()],
    ['policies/README.md', policiesPage(metas, policyFiles(root))],
    ['policies/policy.schema.json', `${JSON.stringify(publishedSchema(rules), null, 2)}\n`],
    ['deploy/grafana/scrapeguard.json', `${JSON.stringify(dashboard(), null, 2)}\n`],
    ...deployFiles(root, rules),
  ]);
}

/** Where a folder differs from what would be generated, by path. */
export function differences(root: URL, files: Files): Difference[] {
  const wrong = [...files].flatMap(([path, content]): Difference[] => {
    const present = readText(new URL(path, root));
    if (present === content) return [];
    return [{ path, state: present === undefined ? 'missing' : 'stale' }];
  });
  const extra = OWN_FOLDERS.flatMap((folder) => filesIn(new URL(`${folder}/`, root)).map((name) => `${folder}/${name}`))
    .filter((path) => !files.has(path))
    .map((path): Difference => ({ path, state: 'extra' }));
  return [...wrong, ...extra].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function readText(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** The policies that are shipped, each with the first comment in its file. */
function policyFiles(root: URL): PolicyFile[] {
  const folder = new URL('policies/', root);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ name, summary: firstComment(readFileSync(new URL(name, folder), 'utf8')) }));
}

function firstComment(text: string): string {
  const lines = text.split('\n').filter((line) => !line.startsWith('# yaml-language-server:'));
  const start = lines.findIndex((line) => line.startsWith('#'));
  const end = lines.findIndex((line, index) => index >= start && !line.startsWith('#'));
  return lines
    .slice(Math.max(0, start), end)
    .map((line) => line.replace(/^#\s*/, ''))
    .join(' ');
}
