import { TEMPLATE_KINDS } from '../../src/kube/templates.ts';
import { RESOURCES } from '../../src/kube/resources.ts';
import type { ClusterFact, Rule, RuleMeta } from '../../src/policy/rule.ts';
import { VERDICTS, type Example, type Verdict } from './examples.ts';
import { fenced, list, notice, page, prose, table } from './markdown.ts';
import { defaultsOf, parameterTable } from './parameters.ts';
import { yamlText } from './yaml-text.ts';

/** The page of a rule, docs/rules/ID.md. */
export function rulePage(rule: Rule, examples: readonly Example[]): string {
  const { meta } = rule;
  return page(
    notice(`src/rules/${meta.id}.ts and policies/${meta.id}/examples`),
    `# ${meta.id}`,
    `${prose(meta.title)}.`,
    facts(meta),
    '## Why',
    prose(meta.rationale),
    '## How to fix it',
    prose(meta.remediation),
    '## What it says',
    'A violation is refused where the rule is enforced; advice is a warning at most.',
    messageTable(meta),
    ...ownRemediations(meta),
    '## Parameters',
    parameterTable(rule),
    '## In a policy',
    ...policyParts(rule),
    '## Examples',
    ...exampleParts(examples),
    '## References',
    list(meta.references.map((url) => `<${url}>`)),
  );
}

function facts(meta: RuleMeta): string {
  return list([
    `Profile: ${meta.profile}`,
    `Severity: ${meta.severity}`,
    `Judges: ${targetsOf(meta).join(', ')}`,
    ...(meta.reads.length === 0 ? [] : [`Reads of the cluster: ${meta.reads.map((fact) => FACTS[fact]).join(', ')}`]),
    ...(meta.controls.length === 0 ? [] : [`Controls: ${meta.controls.join(', ')}`]),
  ]);
}

const FACTS: Readonly<Record<ClusterFact, string>> = {
  namespace: 'the namespace',
  clusterrole: 'the ClusterRole',
  'rbac-index': 'ClusterRoles and ClusterRoleBindings',
  version: 'the version',
};

function targetsOf({ targets, anyKind }: RuleMeta): string[] {
  const kinds = targets.flatMap((target) =>
    target === 'templates' ? TEMPLATE_KINDS.map(({ kind }) => kind) : [RESOURCES[target].kind],
  );
  return anyKind === true ? [...kinds, 'files of any kind'] : kinds;
}

function messageTable({ messages }: RuleMeta): string {
  return table(
    ['message', 'level', 'text'],
    Object.entries(messages).map(([id, { level, text }]) => [`\`${id}\``, level, withPlaceholders(text)]),
  );
}

/** Placeholders are set in italics: *container*. */
function withPlaceholders(text: string): string {
  return prose(text).replaceAll(/\{\{([a-zA-Z]+)\}\}/g, '*$1*');
}

function ownRemediations({ messages }: RuleMeta): string[] {
  const items = Object.entries(messages).flatMap(([id, { remediation }]) =>
    remediation === undefined ? [] : [`\`${id}\`: ${withPlaceholders(remediation)}`],
  );
  return items.length === 0 ? [] : ['These have a fix of their own:', list(items)];
}

/** The settings with their defaults, and how something is let through. */
function policyParts(rule: Rule): string[] {
  const { id, judgesGrants } = rule.meta;
  const params = defaultsOf(rule);
  const settings = { ...(Object.keys(params).length === 0 ? {} : { params }), maximumMode: 'enforce' };
  return [
    'The defaults; `maximumMode` is `enforce`, `warn`, `audit` or `off`:',
    yamlBlock({ rules: { [id]: settings } }),
    ...(judgesGrants === true
      ? ['Somebody who is meant to have the grant is named under `expectedSubjects`, not under `exceptions`.']
      : ['An exception, which ends on its own:', yamlBlock({ exceptions: [{ ...EXCEPTION, rules: [id] }] })]),
  ];
}

const EXCEPTION = {
  name: 'legacy-exporter',
  rules: [''],
  namespaces: ['legacy'],
  names: ['exporter-*'],
  reason: 'moves with release 7',
  owner: 'team-legacy',
  expires: '2027-03-31',
};

function yamlBlock(spec: object): string {
  return fenced('yaml', yamlText({ spec }));
}

const VERDICT_TITLES: Readonly<Record<Verdict, string>> = {
  denied: 'Refused',
  warned: 'Warned about',
  allowed: 'Allowed',
};

/** The first example of each verdict in full, links to the others. */
function exampleParts(examples: readonly Example[]): string[] {
  const groups = Map.groupBy(examples, ({ verdict }) => verdict);
  return VERDICTS.flatMap((verdict) => {
    const [first, ...rest] = groups.get(verdict) ?? [];
    if (first === undefined) return [];
    const others = rest.length === 0 ? '' : `${VERDICT_TITLES[verdict]} too: ${rest.map(linkTo).join(', ')}.`;
    return [`${VERDICT_TITLES[verdict]}, ${linkTo(first)}:`, fenced('yaml', first.text), others];
  });
}

function linkTo({ path }: Example): string {
  return `[${path.slice(path.lastIndexOf('/') + 1)}](../../${path})`;
}
