import { oneLine } from '../policy/message.ts';
import type { Description, Inspection } from '../tls/inspect.ts';

/** An inspection for people: each certificate once, with every place that holds it, then what is wrong. */
export function inspectionText({ certificates, problems }: Inspection): string {
  const places = Map.groupBy(certificates, ({ serialNumber, issuer }) => `${issuer} ${serialNumber}`);
  const blocks = [...places.values()].map(blockOf);
  const end = problems.length === 0 ? ['OK'] : problems.map((problem) => `problem: ${oneLine(problem)}`);
  return `${[...blocks, end.join('\n')].join('\n\n')}\n`;
}

function blockOf(same: readonly Description[]): string {
  const [one] = same;
  if (one === undefined) return '';
  const { subject, issuer, names, authority, notBefore, notAfter, daysLeft, serialNumber } = one;
  const rows: readonly (readonly [string, string])[] = [
    ['subject', subject],
    ['issuer', issuer],
    [authority ? 'CA' : 'names', authority ? 'yes' : names.join(', ') || 'none'],
    ['valid', `${notBefore} to ${notAfter}, ${daysLeft} days left`],
    ['serial', serialNumber],
  ];
  const head = same.map((each) => each.in).join(', ');
  return [head, ...rows.map(([name, value]) => `  ${name.padEnd(8)} ${oneLine(value)}`)].join('\n');
}
