import type { Report } from './report.ts';

/** The report as JSON, indented for a reader, with a line break at the end. */
export function formatJson(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
