import { Command } from 'commander';

import { judge } from '../admission/judge.ts';
import { readPolicy } from '../config/policy-file.ts';
import type { Manifest } from '../manifests/manifests.ts';
import { viewOf } from '../policy/cluster-view.ts';
import { isAtLeast, type Mode } from '../policy/mode.ts';
import { makeRuleset, type Ruleset } from '../policy/ruleset.ts';
import { collect, type Judged, type Report } from '../report/report.ts';
import { RULES } from '../rules/index.ts';
import type { Finish } from './command.ts';
import type { Io } from './io.ts';
import { loadManifests } from './load-manifests.ts';
import { failOnOption, policyOption, reportOption } from './options.ts';
import { startProgress } from './progress.ts';
import { repeatNotes } from './repeated-objects.ts';
import { say, sentenceOf } from './say.ts';
import { writeReport, type ReportTarget } from './write-report.ts';

interface CheckOptions {
  readonly policy?: string;
  readonly output?: readonly ReportTarget[];
  readonly failOn: Mode;
}

/** `check PATH...`: judges manifests as the webhook and the audit would. */
export function checkCommand(io: Io, finish: Finish): Command {
  return new Command('check')
    .description('judge manifests: files, folders, or - for the standard input')
    .usage('[options] PATH|-...')
    .argument('[PATH...]', 'YAML or JSON files, folders of them, or - for the standard input')
    .addOption(policyOption())
    .addOption(reportOption())
    .addOption(failOnOption())
    .addHelpText('after', '\nExit code: 0 clean, 1 findings at or above --fail-on, 2 something could not be judged.\n')
    .action(async (paths: readonly string[], options: CheckOptions, check: Command) => {
      if (paths.length === 0) check.error('error: name a PATH: a file, a folder, or - for the standard input');
      finish(await checkPaths(paths, options, io));
    });
}

async function checkPaths(paths: readonly string[], options: CheckOptions, io: Io): Promise<number> {
  const policy = await readPolicy(options.policy, RULES);
  const { manifests, errors, warnings } = await loadManifests([...new Set(paths)], io);
  const tally: Tally = { excepted: 0, exceptions: new Set() };
  const report = collect(judgeAll(manifests, makeRuleset(RULES, policy.spec), io, tally), errors);
  say(io, 'warning', warnings.map(sentenceOf));
  say(io, 'note', [...repeatNotes(manifests), ...tallyNotes(tally)]);
  if (report.summary.objects === 0 && errors.length === 0) say(io, 'warning', ['no object was found']);
  await writeReport(report, options.output ?? [{ format: 'text' }], io);
  if (report.errors.length > 0) say(io, 'error', ['not everything could be judged; the report says what and why']);
  return exitCodeOf(report, options.failOn);
}

/** What the policy's exceptions held back. */
interface Tally {
  excepted: number;
  readonly exceptions: Set<string>;
}

/** Judges each manifest in a view of all of them, when the report asks for it. */
function* judgeAll(manifests: readonly Manifest[], ruleset: Ruleset, io: Io, tally: Tally): Generator<Judged> {
  const surroundings = { view: viewOf(manifests.map(({ object }) => object)), today: todayOf(io) };
  const progress = startProgress(io, 'Judging');
  for (const [index, manifest] of manifests.entries()) {
    progress.tell(`${index} of ${manifests.length} objects`);
    const { object, file } = manifest;
    const evaluation = judge(object, ruleset, surroundings);
    tally.excepted += evaluation.excepted;
    for (const name of evaluation.exceptions) tally.exceptions.add(name);
    yield { object, evaluation, locate: (path) => ({ file, ...manifest.locate(path) }) };
  }
  progress.end();
}

/** Today's date, UTC: `2027-03-31`. */
function todayOf({ now }: Io): string {
  return now().toISOString().slice(0, 10);
}

function tallyNotes({ excepted, exceptions }: Tally): string[] {
  if (excepted === 0) return [];
  return [`exceptions of the policy leave out ${excepted} of the findings: ${[...exceptions].join(', ')}`];
}

function exitCodeOf({ findings, errors }: Report, failOn: Mode): number {
  if (errors.length > 0) return 2;
  return findings.some(({ mode }) => isAtLeast(mode, failOn)) ? 1 : 0;
}
