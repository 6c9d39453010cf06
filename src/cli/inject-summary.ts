import type { PodInjection } from '../admission/inject-object.ts';
import { missingTokenReviews } from '../admission/token-reviews.ts';
import { skipSentence, warningSentence } from '../inject/reasons.ts';
import type { JsonObject } from '../kube/json.ts';
import type { InjectionPolicy } from '../policy/document.ts';
import { objectName } from '../report/object-name.ts';
import { reportedRef } from '../report/report.ts';
import type { InjectedFile } from './inject-files.ts';
import type { Io } from './io.ts';
import { say, sentenceOf } from './say.ts';

/** A pod or template, and where and what it is in words. */
interface Told extends PodInjection {
  readonly file: string;
  readonly line: number;
  readonly name: string;
}

/** What of an injection is told besides the files. */
export interface Telling {
  readonly mode: InjectionPolicy['mode'];
  /** The objects that were written beside the pods; undefined where nobody asked for any. */
  readonly companions: readonly JsonObject[] | undefined;
}

/** Tells what became of every pod with annotated metrics, and counts the others. */
export function tellInjections(files: readonly InjectedFile[], { mode, companions }: Telling, io: Io): void {
  const isReport = mode === 'report';
  const pods = files.flatMap(podsOf);
  for (const pod of pods) {
    const { injection } = pod;
    if (injection.kind === 'plan') {
      const proxies = injection.plan.ports.map(({ port, proxyPort }) => `port ${proxyPort} in front of port ${port}`);
      tell(io, isReport ? 'would inject' : 'injected', pod, `kube-rbac-proxy on ${proxies.join(', on ')}`);
    } else if (injection.reason !== 'no-metrics-port') {
      tell(io, 'skipped', pod, skipSentence(injection.reason, injection.value));
    }
    for (const warning of injection.warnings) tell(io, 'warning', pod, warningSentence(warning));
  }
  if (companions === undefined) say(io, 'warning', [...new Set(pods.flatMap(accountWarning))]);
  say(io, 'added', (companions ?? []).map(companionSentence));
  say(io, 'note', [countsOf(pods, isReport)]);
  if (isReport) say(io, 'note', ['nothing is changed: the policy has injection.mode: report']);
}

function companionSentence(object: JsonObject): string {
  return `${objectName(reportedRef(object))}: lets proxies ask who a scraper is`;
}

function podsOf({ file, objects }: InjectedFile): Told[] {
  return objects.flatMap(({ manifest, pods }) => {
    const name = objectName(reportedRef(manifest.object));
    return pods.map((pod) => ({ file, line: manifest.locate('').line, name, ...pod }));
  });
}

function tell(io: Io, word: string, { file, line, name }: Told, sentence: string): void {
  say(io, word, [sentenceOf({ file, line, message: `${name}: ${sentence}` })]);
}

/** The command on one line, so that it can be copied. */
function accountWarning({ lacking }: Told): readonly string[] {
  const [sentence, ...command] = lacking === undefined ? [] : missingTokenReviews(lacking);
  if (sentence === undefined) return [];
  return [[sentence.replace(/^scrapeguard: /, ''), ...command.map((part) => part.replace(/ \\$/, ''))].join(' ')];
}

function countsOf(pods: readonly Told[], isReport: boolean): string {
  const injected = pods.filter(({ injection }) => injection.kind === 'plan').length;
  const unconcerned = pods.filter(
    ({ injection }) => injection.kind === 'skip' && injection.reason === 'no-metrics-port',
  );
  const skipped = pods.length - injected - unconcerned.length;
  const done = isReport ? 'would be injected' : 'injected';
  return `${injected} ${done}, ${skipped} skipped, ${unconcerned.length} without annotated metrics`;
}
