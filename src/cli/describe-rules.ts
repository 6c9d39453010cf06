import { asObject, type JsonObject } from '../kube/json.ts';
import { docsUrl, type Message, type Rule } from '../policy/rule.ts';

/** A table of rules for a person, with a line for the names of its columns. */
export function listRules(rules: readonly Rule[]): string {
  const rows = rules.map(({ meta: { id, profile, severity, title } }) => [id, profile, severity, title]);
  return table([['ID', 'PROFILE', 'SEVERITY', 'TITLE'], ...rows]);
}

/** The same facts as data. */
export function ruleSummary({ meta: { id, profile, severity, title } }: Rule): JsonObject {
  return { id, profile, severity, title };
}

/** Everything about a rule for a person. */
export function describeRule({ meta, params }: Rule): string {
  const { id, title, severity, profile, targets, controls } = meta;
  const facts = [
    ['Severity', severity],
    ['Profile', profile],
    ['Judges', targets.join(', ')],
    ['Controls', controls.join(', ')],
    ['Docs', docsUrl(id)],
  ].filter(([, value]) => value !== '');
  const sections = [
    `${id}\n${title}.\n`,
    table(facts.map(([name, value]) => [`${name}:`, value ?? ''])),
    section('Why', [meta.rationale]),
    section('What to do', [meta.remediation]),
    section('What it says', Object.entries(meta.messages).flatMap(messageLines)),
    section('Parameters', Object.entries(params.properties).flatMap(paramLines)),
    section('Read on', meta.references),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

/** The same facts as data. */
export function ruleDetails(rule: Rule): JsonObject {
  const { meta, params } = rule;
  const { id, targets, rationale, remediation, references, controls, messages } = meta;
  return {
    ...ruleSummary(rule),
    targets,
    rationale,
    remediation,
    references,
    controls,
    docs: docsUrl(id),
    messages,
    params: params.properties,
  };
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function messageLines([id, { level, text, remediation }]: [string, Message]): string[] {
  return [`${id} (${level}): ${text}`, ...(remediation === undefined ? [] : [`  ${remediation}`])];
}

function paramLines([name, schema]: [string, unknown]): string[] {
  const { description, default: value } = asObject(schema);
  const lines = [`${name} (default ${JSON.stringify(value)})`];
  return typeof description === 'string' ? [...lines, `  ${description}`] : lines;
}

/** Rows in columns that are as wide as their widest cell; the last column is not padded. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)));
      return `${cells.join('  ')}\n`;
    })
    .join('');
}
