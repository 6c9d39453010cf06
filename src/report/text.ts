import { oneLine, shorten } from '../policy/message.ts';
import { MODES, type Mode } from '../policy/mode.ts';
import { objectName } from './object-name.ts';
import type { Report, ReportedError, ReportedFinding } from './report.ts';

/** What a piece of text is, for whoever colours it. */
export type Tone = Mode | 'heading' | 'error' | 'quiet' | 'added' | 'removed';

/** Dresses a piece of text; the text without its dress stays the same. */
export type Style = (tone: Tone, text: string) => string;

/**
 * The report for a person: by file and object, a line a finding, what to do about it once a rule and object, and a
 * summary at the end. Control characters that a manifest smuggled in are gone.
 */
export function formatText(report: Report, style: Style): string {
  const files = Map.groupBy(report.findings, ({ source }) => source.file);
  const blocks = [...files].map(([file, findings]) => fileBlock(file, findings, style));
  if (report.errors.length > 0) blocks.push(errorBlock(report.errors, style));
  return [...blocks, summaryLine(report)].map((block) => `${block}\n`).join('\n');
}

function fileBlock(file: string, findings: readonly ReportedFinding[], style: Style): string {
  const objects = Map.groupBy(findings, ({ object }) => objectName(object));
  const widths = {
    place: widest(findings.map(placeOf)),
    mode: widest(findings.map(({ mode }) => mode)),
    rule: widest(findings.map(({ rule }) => rule)),
  };
  const blocks = [...objects].map(([name, some]) => [`  ${name}`, ...objectLines(some, widths, style)].join('\n'));
  return [style('heading', oneLine(file)), ...blocks].join('\n');
}

/** A path through a label's key can be long; the start says enough. */
const LONGEST_PATH = 200;

interface Widths {
  readonly place: number;
  readonly mode: number;
  readonly rule: number;
}

/** The findings of an object by rule and remedy, so that the remedy is said once. */
function* objectLines(findings: readonly ReportedFinding[], widths: Widths, style: Style): Generator<string> {
  const groups = Map.groupBy(findings, ({ rule, remediation }) => `${rule} ${remediation}`);
  const margin = ' '.repeat(4 + widths.place + 2);
  for (const group of groups.values()) {
    for (const finding of group) yield findingLine(finding, widths, style);
    for (const { remediation, docs, severity } of group.slice(0, 1)) {
      yield `${margin}${oneLine(remediation)}`;
      yield `${margin}${style('quiet', `${docs} (severity: ${severity})`)}`;
    }
  }
}

function findingLine(finding: ReportedFinding, widths: Widths, style: Style): string {
  const { mode, rule, message, path } = finding;
  return [
    `    ${placeOf(finding).padStart(widths.place)}`,
    style(mode, mode.padEnd(widths.mode)),
    rule.padEnd(widths.rule),
    `${oneLine(message)}${path === '' ? '' : ` ${style('quiet', `(${oneLine(shorten(path, LONGEST_PATH))})`)}`}`,
  ].join('  ');
}

function errorBlock(errors: readonly ReportedError[], style: Style): string {
  const lines = errors.map(({ file, line, message }) => {
    const place = line === undefined ? file : `${file}:${line}`;
    return `  ${oneLine(place)}  ${oneLine(message)}`;
  });
  return [style('error', 'Not judged'), ...lines].join('\n');
}

function summaryLine({ summary, errors }: Report): string {
  const counts = MODES.filter((mode) => summary[mode] > 0).map((mode) => `${summary[mode]} ${mode}`);
  const found =
    summary.findings === 0 ? 'nothing found' : `${countOf(summary.findings, 'finding')} (${counts.join(', ')})`;
  const failures = errors.length === 0 ? '' : `; ${countOf(errors.length, 'error')}`;
  return `${countOf(summary.objects, 'object')} checked: ${found}${failures}.`;
}

function placeOf({ source: { line, column } }: ReportedFinding): string {
  return `${line}:${column}`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, text.length), 0);
}
