/** The columns of one of our own metrics; the page docs/metrics.md is made from them. */
interface Meter {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets: readonly number[];
}

const NO_BUCKETS: readonly number[] = [];

/** Seconds: a verdict takes a fraction of a millisecond, and one that has to wait for the API server up to four seconds. */
const DURATIONS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Every metric of our own. Labels take their values from tables of ours, never from an object, so that series stay few. */
export const METERS = [
  counter('scrapeguard_admission_reviews_total', 'Requests that got a verdict.', [
    'decision',
    'resource',
    'operation',
    'dry_run',
  ]),
  histogram('scrapeguard_admission_duration_seconds', 'From a request read to its answer, in seconds.', []),
  counter('scrapeguard_findings_total', 'Findings of rules, by what each did to its request.', ['rule', 'answer']),
  counter('scrapeguard_injections_total', 'Pods that could get a proxy, by what became of them.', [
    'outcome',
    'reason',
  ]),
  counter('scrapeguard_exemptions_total', 'Requests that were let through unseen.', ['reason']),
  counter('scrapeguard_exceptions_total', 'Findings that an exception of the policy held back.', []),
  counter('scrapeguard_rule_errors_total', 'Rules that failed. Every one is a bug of ours.', ['rule']),
  counter('scrapeguard_unread_requests_total', 'Requests that got no verdict, by the code of docs/errors.md.', [
    'code',
  ]),
  counter('scrapeguard_second_look_missed_total', 'Allowed writes that would be refused by now.', ['resource']),
  counter('scrapeguard_second_look_given_up_total', 'Allowed writes that got no second look.', ['resource']),
  counter('scrapeguard_policy_reloads_total', 'Policy files that changed: used, or refused as invalid.', ['outcome']),
  gauge('scrapeguard_policy_last_reload_successful', "1 where the policy file's last content is in force.", []),
  gauge('scrapeguard_policy_last_reload_success_timestamp_seconds', 'When that was read, in Unix time.', []),
  counter('scrapeguard_certificate_problems_total', 'Certificates that could not be used or kept up.', []),
  counter('scrapeguard_certificate_steps_total', 'Steps by which the replica that has the Lease kept the Secret up.', [
    'step',
  ]),
  counter('scrapeguard_certificate_reloads_total', 'Certificates that were served in place of another.', []),
  gauge('scrapeguard_certificate_expiry_timestamp_seconds', 'When the serving certificate expires, in Unix time.', []),
  gauge('scrapeguard_cache_synced', '1 where the objects of a resource have been listed.', ['resource']),
  gauge('scrapeguard_cache_age_seconds', 'Since the API server was last heard of about a resource.', ['resource']),
  counter('scrapeguard_cache_lists_total', 'Complete lists of a resource; the first one is the start.', ['resource']),
  counter('scrapeguard_cache_failures_total', 'Lists and watches of a resource that failed.', ['resource']),
  gauge('scrapeguard_requests_in_flight', 'Requests that wait for their verdict.', []),
  gauge('scrapeguard_build_info', 'The version that runs; always 1.', ['version']),
] as const satisfies readonly Meter[];

/** The name of a row of METERS. */
export type MeterName = (typeof METERS)[number]['name'];

function counter<const Name extends string>(name: Name, help: string, labels: readonly string[]) {
  return { name, kind: 'counter', help, labels, buckets: NO_BUCKETS } as const;
}

function gauge<const Name extends string>(name: Name, help: string, labels: readonly string[]) {
  return { name, kind: 'gauge', help, labels, buckets: NO_BUCKETS } as const;
}

function histogram<const Name extends string>(name: Name, help: string, labels: readonly string[]) {
  return { name, kind: 'histogram', help, labels, buckets: DURATIONS } as const;
}
