import { REVIEW_ERRORS } from '../admission/review-error.ts';
import { COLLECTIONS } from '../cluster/cluster-caches.ts';
import { RESOURCES } from '../kube/resources.ts';
import type { Answer } from '../policy/decide.ts';
import { RULES } from '../rules/index.ts';
import { SERVER_ERRORS } from '../server/errors.ts';
import type { MeterName } from './meter-table.ts';

type Labels = Readonly<Record<string, string>>;

/** What nobody expects to be answered. */
const ALARMING: readonly Answer[] = ['unknown', 'break-glass'];

const BY_RULE: readonly Labels[] = RULES.map(({ meta }) => ({ rule: meta.id }));
const BY_SECOND_LOOK: readonly Labels[] = [RESOURCES.clusterroles, RESOURCES.clusterrolebindings].map(
  ({ resource }) => ({ resource }),
);

/**
 * Series that an alert or the dashboard looks at, of what happens seldom: they are there from the start on, since
 * Prometheus sees no increase in a series whose first value is 1.
 */
export const FROM_ZERO: Readonly<Partial<Record<MeterName, readonly Labels[]>>> = {
  scrapeguard_findings_total: ALARMING.flatMap((answer) => BY_RULE.map((labels) => ({ ...labels, answer }))),
  scrapeguard_injections_total: [{ outcome: 'failed', reason: '' }],
  scrapeguard_rule_errors_total: BY_RULE,
  scrapeguard_unread_requests_total: [...Object.keys(SERVER_ERRORS), ...Object.keys(REVIEW_ERRORS)].map((code) => ({
    code,
  })),
  scrapeguard_second_look_missed_total: BY_SECOND_LOOK,
  scrapeguard_second_look_given_up_total: BY_SECOND_LOOK,
  scrapeguard_cache_failures_total: Object.keys(COLLECTIONS).map((resource) => ({ resource })),
  scrapeguard_policy_reloads_total: [{ outcome: 'used' }, { outcome: 'refused' }],
};
