import type { Counter, Gauge, Histogram } from 'prom-client';

import type { Outcome } from '../admission/reply.ts';
import type { AdmissionRequest } from '../kube/admission-review.ts';
import { RESOURCES } from '../kube/resources.ts';
import { TEMPLATE_KINDS } from '../kube/templates.ts';
import { METERS, type MeterName } from './meter-table.ts';
import { FROM_ZERO } from './meter-zeros.ts';

/** Our own metrics: what happened is told to them, and what is the case is read when somebody asks. */
export interface Meters {
  /** Counts a verdict and the milliseconds that it took. */
  readonly verdict: (request: AdmissionRequest, outcome: Outcome, milliseconds: number) => void;
  /** Counts one event of a counter. */
  readonly count: (name: MeterName, labels?: Readonly<Record<string, string>>) => void;
  /** Has a gauge read when somebody asks. */
  readonly observe: (name: MeterName, read: () => Iterable<GaugeReading>) => void;
  /** Everything in the text format of Prometheus. */
  readonly render: () => Promise<string>;
  readonly contentType: string;
}

/** One series of a gauge. */
export interface GaugeReading {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Meters that nobody reads: of a server that shows none. */
export const NO_METERS: Meters = {
  verdict: () => undefined,
  count: () => undefined,
  observe: () => undefined,
  render: () => Promise.resolve(''),
  contentType: 'text/plain',
};

/** Makes meters of the table METERS, those of the process and of Node beside them. */
export async function makeMeters(): Promise<Meters> {
  // Only a server that shows its metrics needs the library.
  const { default: client } = await import('prom-client');
  const registry = new client.Registry();
  client.collectDefaultMetrics({ register: registry });
  const counters = new Map<MeterName, Counter>();
  const gauges = new Map<MeterName, Gauge>();
  const readers = new Map<MeterName, () => Iterable<GaugeReading>>();
  const histograms = new Map<MeterName, Histogram>();
  for (const { name, kind, help, labels, buckets } of METERS) {
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === 'counter') counters.set(name, startAtZero(new client.Counter(common), FROM_ZERO[name]));
    else if (kind === 'gauge') gauges.set(name, new client.Gauge({ ...common, collect: () => read(name) }));
    else histograms.set(name, new client.Histogram({ ...common, buckets: [...buckets] }));
  }

  const read = (name: MeterName): void => {
    const gauge = gauges.get(name);
    gauge?.reset();
    for (const { labels = {}, value } of readers.get(name)?.() ?? []) gauge?.set({ ...labels }, value);
  };
  const count: Meters['count'] = (name, labels = {}) => counters.get(name)?.inc({ ...labels });
  const duration = histograms.get('scrapeguard_admission_duration_seconds');
  return {
    count,
    verdict(request, outcome, milliseconds) {
      duration?.observe(milliseconds / 1000);
      countVerdict(count, request, outcome);
    },
    observe: (name, reader) => void readers.set(name, reader),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function startAtZero(counter: Counter, series: readonly Readonly<Record<string, string>>[] = []): Counter {
  for (const labels of series) counter.inc({ ...labels }, 0);
  return counter;
}

function countVerdict(count: Meters['count'], request: AdmissionRequest, outcome: Outcome): void {
  const { decision, exemption, injection, answered, errors, excepted } = outcome;
  count('scrapeguard_admission_reviews_total', {
    decision: exemption === undefined ? (decision.auditAnnotations['decision'] ?? 'allowed') : 'exempt',
    resource: resourceLabel(request),
    operation: request.operation,
    dry_run: String(request.dryRun),
  });
  if (exemption !== undefined) count('scrapeguard_exemptions_total', { reason: exemption });
  for (const { finding, answer } of answered) {
    count('scrapeguard_findings_total', { rule: finding.rule.id, answer });
  }
  if (injection !== undefined) {
    const reason = injection.result === 'skipped' ? injection.reason : '';
    count('scrapeguard_injections_total', { outcome: injection.result, reason });
  }
  for (let held = 0; held < excepted; held += 1) count('scrapeguard_exceptions_total');
  for (const { rule } of errors) count('scrapeguard_rule_errors_total', { rule: rule.id });
}

/** The resources that have a label of their own; whatever a policy adds is `other`, so that labels stay few. */
const LABELLED: ReadonlySet<string> = new Set(
  [...Object.values(RESOURCES), ...TEMPLATE_KINDS].map(({ resource }) => resource),
);

function resourceLabel({ resource: { resource }, subResource }: AdmissionRequest): string {
  if (!LABELLED.has(resource)) return 'other';
  return subResource === '' ? resource : `${resource}/${subResource === 'ephemeralcontainers' ? subResource : 'other'}`;
}
