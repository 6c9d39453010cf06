import type { RuleMeta } from '../../src/policy/rule.ts';
import { list, notice, page, prose, table } from './markdown.ts';

const SOURCE = 'src/rules';

/** docs/rules/README.md: every rule in one table. */
export function rulesPage(rules: readonly RuleMeta[]): string {
  return page(
    notice(SOURCE),
    '# Rules',
    'Each rule belongs to a profile; `strict` holds those of `baseline` too. `npm run --silent scrapeguard -- rules show ID` says the same as its page.',
    table(
      ['rule', 'profile', 'severity', 'about'],
      rules.map((meta) => [`[${meta.id}](${meta.id}.md)`, meta.profile, meta.severity, prose(meta.title)]),
    ),
  );
}

/** A policy file with the sentence that its first comment says of it. */
export interface PolicyFile {
  readonly name: string;
  readonly summary: string;
}

/** policies/README.md: the policy files, and the rules with their examples. */
export function policiesPage(rules: readonly RuleMeta[], files: readonly PolicyFile[]): string {
  return page(
    notice(`${SOURCE} and the first comment of each policy`),
    '# Policies',
    'A policy says what is enforced, warned about or only recorded, and where. Every field has a default; the schema is [policy.schema.json](policy.schema.json).',
    files.length === 0 ? '' : list(files.map(({ name, summary }) => `[${name}](${name}): ${summary}`)),
    '## Rules and their examples',
    'The folder of a rule holds manifests that it refuses, warns about and allows. They are tests: `test/examples.test.ts` judges each of them.',
    table(
      ['rule', 'profile', 'severity', 'examples', 'about'],
      rules.map((meta) => [
        `[${meta.id}](../docs/rules/${meta.id}.md)`,
        meta.profile,
        meta.severity,
        `[examples](${meta.id}/examples)`,
        prose(meta.title),
      ]),
    ),
  );
}
