/** A query of Prometheus, and what its series are called. */
export type Query = readonly [expr: string, legend: string];

/** What one panel of the dashboard shows. `$instance` and the variables that begin with `$__` are Grafana's to fill in. */
export interface Panel {
  readonly title: string;
  readonly about: string;
  /** Lines over time unless told; `areas` are stacked. */
  readonly kind?: 'lines' | 'areas' | 'number' | 'name' | 'yes-no' | 'table';
  /** As Grafana calls it. */
  readonly unit?: string;
  readonly queries: readonly Query[];
}

/** Panels under a heading. */
export interface Section {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const OURS = 'instance=~"$instance"';

function perSecond(by: string, metric: string, matchers = ''): Query {
  return [`sum by (${by}) (rate(${metric}{${OURS}${matchers}}[$__rate_interval]))`, `{{${by}}}`];
}

/** For what happens seldom. */
function perMinute(by: string, metric: string, matchers = ''): Query {
  const [rate, legend] = perSecond(by, metric, matchers);
  return [`60 * ${rate}`, legend];
}

/** A query whose series are called something else in the legend. */
function called(legend: string, [expr]: Query): Query {
  return [expr, legend];
}

function quantile(part: number): Query {
  const rate = `rate(scrapeguard_admission_duration_seconds_bucket{${OURS}}[$__rate_interval])`;
  return [`histogram_quantile(${part}, sum by (le) (${rate}))`, `p${part * 100}`];
}

function gauge(metric: string, legend = '{{instance}}'): Query {
  return [`${metric}{${OURS}}`, legend];
}

/** The dashboard, section by section: deploy/grafana/scrapeguard.json is made from it. */
export const SECTIONS: readonly Section[] = [
  {
    title: 'At a glance',
    panels: [
      {
        title: 'Servers',
        about: 'Servers that tell of themselves.',
        kind: 'number',
        queries: [[`count(scrapeguard_build_info{${OURS}})`, '']],
      },
      {
        title: 'Version',
        about: 'More than one is an upgrade that is under way.',
        kind: 'name',
        queries: [[`count by (version) (scrapeguard_build_info{${OURS}})`, '{{version}}']],
      },
      {
        title: 'Reviews',
        about: 'Requests that got a verdict, a second.',
        kind: 'number',
        unit: 'reqps',
        queries: [[`sum(rate(scrapeguard_admission_duration_seconds_count{${OURS}}[$__rate_interval]))`, '']],
      },
      {
        title: 'Refused',
        about: 'Requests that were refused in the time that is shown.',
        kind: 'number',
        queries: [[`sum(increase(scrapeguard_admission_reviews_total{${OURS}, decision="denied"}[$__range]))`, '']],
      },
      {
        title: 'Certificate ends in',
        about: 'The certificate that expires first.',
        kind: 'number',
        unit: 's',
        queries: [[`min(scrapeguard_certificate_expiry_timestamp_seconds{${OURS}}) - time()`, '']],
      },
      {
        title: 'Policy in force',
        about: 'Whether every server uses what its policy file says now.',
        kind: 'yes-no',
        queries: [[`min(scrapeguard_policy_last_reload_successful{${OURS}})`, '']],
      },
    ],
  },
  {
    title: 'Admission',
    panels: [
      {
        title: 'Reviews by decision',
        about: 'What became of requests, a second.',
        kind: 'areas',
        unit: 'reqps',
        queries: [perSecond('decision', 'scrapeguard_admission_reviews_total')],
      },
      {
        title: 'Reviews by resource',
        about: 'What is written, a second.',
        kind: 'areas',
        unit: 'reqps',
        queries: [perSecond('resource', 'scrapeguard_admission_reviews_total')],
      },
      {
        title: 'Duration',
        about: 'From a request read to its answer. The API server waits for five seconds.',
        unit: 's',
        queries: [quantile(0.5), quantile(0.9), quantile(0.99)],
      },
      {
        title: 'In flight',
        about: 'Requests that wait for their verdict. From 600 on they are turned away with 429.',
        queries: [gauge('scrapeguard_requests_in_flight')],
      },
      {
        title: 'Without a verdict',
        about: 'Requests that were turned away unread, by the code of docs/errors.md.',
        unit: 'cpm',
        queries: [perMinute('code', 'scrapeguard_unread_requests_total')],
      },
      {
        title: 'Let through unseen',
        about: 'Requests that no rule was asked about, by the reason, a second.',
        unit: 'reqps',
        queries: [perSecond('reason', 'scrapeguard_exemptions_total')],
      },
    ],
  },
  {
    title: 'Findings',
    panels: [
      {
        title: 'Findings by rule',
        about: 'What rules found.',
        kind: 'areas',
        unit: 'cpm',
        queries: [perMinute('rule', 'scrapeguard_findings_total')],
      },
      {
        title: 'Findings by answer',
        about: 'What findings did to their requests; unknown is a 503, break-glass a write that was let through.',
        kind: 'areas',
        unit: 'cpm',
        queries: [perMinute('answer', 'scrapeguard_findings_total')],
      },
      {
        title: 'Findings in the time that is shown',
        about: 'Each rule, by what its findings did.',
        kind: 'table',
        queries: [[`sum by (rule, answer) (increase(scrapeguard_findings_total{${OURS}}[$__range])) > 0`, '']],
      },
      {
        title: 'Held back by exceptions',
        about: 'Findings that an exception of the policy held back.',
        unit: 'cpm',
        queries: [perMinute('instance', 'scrapeguard_exceptions_total')],
      },
      {
        title: 'Rules that failed',
        about: 'Every one is a bug of ours.',
        unit: 'cpm',
        queries: [perMinute('rule', 'scrapeguard_rule_errors_total')],
      },
      {
        title: 'Second look',
        about: 'Allowed writes of RBAC that would be refused by now, and those that nobody looked at again.',
        unit: 'cpm',
        queries: [
          called('missed: {{resource}}', perMinute('resource', 'scrapeguard_second_look_missed_total')),
          called('given up: {{resource}}', perMinute('resource', 'scrapeguard_second_look_given_up_total')),
        ],
      },
    ],
  },
  {
    title: 'Injection',
    panels: [
      {
        title: 'Injections by outcome',
        about: 'Pods that could get a proxy.',
        kind: 'areas',
        unit: 'cpm',
        queries: [perMinute('outcome', 'scrapeguard_injections_total')],
      },
      {
        title: 'Skips by reason',
        about: 'Why pods got no proxy, but for the many that have no annotated metrics port.',
        kind: 'areas',
        unit: 'cpm',
        queries: [
          perMinute('reason', 'scrapeguard_injections_total', ', outcome="skipped", reason!="no-metrics-port"'),
        ],
      },
    ],
  },
  {
    title: 'What it knows',
    panels: [
      {
        title: 'Age of the caches',
        about: 'Since the API server was last heard of. Above 90 seconds what would be refused is answered with 503.',
        unit: 's',
        queries: [gauge('scrapeguard_cache_age_seconds', '{{instance}} {{resource}}')],
      },
      {
        title: 'Caches that are filled',
        about: 'The least of all servers: 0 where one has not listed the resource yet.',
        queries: [[`min by (resource) (scrapeguard_cache_synced{${OURS}})`, '{{resource}}']],
      },
      {
        title: 'Lists and failures of the caches',
        about: 'A list more than the one at the start is a watch that could not go on; failures are tried again.',
        unit: 'cpm',
        queries: [
          called('listed: {{resource}}', perMinute('resource', 'scrapeguard_cache_lists_total')),
          called('failed: {{resource}}', perMinute('resource', 'scrapeguard_cache_failures_total')),
        ],
      },
      {
        title: 'Policy reloads',
        about: 'Policy files that changed: used, or refused as invalid.',
        unit: 'cpm',
        queries: [perMinute('outcome', 'scrapeguard_policy_reloads_total')],
      },
      {
        title: 'Age of the policy',
        about: 'Since the policy in force was read, at the start or later.',
        unit: 's',
        queries: [[`time() - scrapeguard_policy_last_reload_success_timestamp_seconds{${OURS}}`, '{{instance}}']],
      },
      {
        title: 'Certificates end in',
        about: 'What is left of the life of each serving certificate.',
        unit: 's',
        queries: [[`scrapeguard_certificate_expiry_timestamp_seconds{${OURS}} - time()`, '{{instance}}']],
      },
      {
        title: 'Certificates renewed',
        about: 'Steps of the server that keeps the Secret up, and certificates that servers took in place of another.',
        unit: 'cpm',
        queries: [
          perMinute('step', 'scrapeguard_certificate_steps_total'),
          called('taken: {{instance}}', perMinute('instance', 'scrapeguard_certificate_reloads_total')),
        ],
      },
      {
        title: 'Problems with certificates',
        about: 'Certificates that could not be used or kept up.',
        unit: 'cpm',
        queries: [perMinute('instance', 'scrapeguard_certificate_problems_total')],
      },
    ],
  },
  {
    title: 'Process',
    panels: [
      {
        title: 'Memory',
        about: 'Resident memory, and the part of it that holds objects of ours.',
        unit: 'bytes',
        queries: [
          gauge('process_resident_memory_bytes', '{{instance}} resident'),
          gauge('nodejs_heap_size_used_bytes', '{{instance}} heap'),
        ],
      },
      {
        title: 'CPU',
        about: 'Cores in use.',
        queries: [perSecond('instance', 'process_cpu_seconds_total')],
      },
      {
        title: 'Lag of the event loop',
        about: 'How late what was due was done, p99. Nothing is answered meanwhile.',
        unit: 's',
        queries: [gauge('nodejs_eventloop_lag_p99_seconds')],
      },
      {
        title: 'Garbage collection',
        about: 'The share of time that it takes.',
        unit: 'percentunit',
        queries: [perSecond('instance', 'nodejs_gc_duration_seconds_sum')],
      },
      {
        title: 'Uptime',
        about: 'Since the start; a saw is a server that ends again and again.',
        unit: 's',
        queries: [[`time() - process_start_time_seconds{${OURS}}`, '{{instance}}']],
      },
    ],
  },
];
