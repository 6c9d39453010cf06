import { writeFile } from 'node:fs/promises';

import { formatJson } from '../report/json.ts';
import type { Report } from '../report/report.ts';
import { formatText, type Style } from '../report/text.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { PLAIN, styleFor } from './style.ts';

/** The formats of a report. */
export const REPORT_FORMATS = ['text', 'json'] as const;

/** A row of REPORT_FORMATS. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** A format and the file that it goes to; without a file it goes to the standard output. */
export interface ReportTarget {
  readonly format: ReportFormat;
  readonly file?: string;
}

const FORMATTERS: Readonly<Record<ReportFormat, (report: Report, style: Style) => string>> = {
  text: formatText,
  json: formatJson,
};

/** Writes a report to every target, coloured on a terminal only. Rejects with a Failure when a file cannot be written. */
export async function writeReport(report: Report, targets: readonly ReportTarget[], io: Io): Promise<void> {
  for (const { format, file } of targets) {
    const text = FORMATTERS[format](report, file === undefined ? styleFor(io.stdout, io) : PLAIN);
    if (file === undefined) io.stdout.write(text);
    else await writeToFile(file, text);
  }
}

async function writeToFile(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new Failure(
      `The report cannot be written: ${error instanceof Error ? error.message : String(error)}.`,
      error,
    );
  }
}
