import type { Logger } from 'pino';

import { loadPolicyParser, readPolicy } from '../config/policy-file.ts';
import { watchPolicy } from '../config/policy-watch.ts';
import type { PolicyDocument } from '../policy/document.ts';
import { makeRuleset, type Ruleset } from '../policy/ruleset.ts';
import { RULES } from '../rules/index.ts';
import type { Meters } from './meters.ts';

/** Where `serve` has its policy from. */
export interface PolicyOptions {
  readonly policy?: string;
}

/** The policy in force, and how to stop following its file. */
export interface FollowedPolicy {
  readonly ruleset: () => Ruleset;
  readonly stop: () => void;
}

/** Who hears of a new policy, how often its file is looked at, and what time it is. */
export interface PolicyParts {
  readonly log: Logger;
  readonly meters: Pick<Meters, 'count' | 'observe'>;
  readonly intervalMs: number;
  readonly now: () => Date;
}

/** Follows the policy's file; without one the default policy is in force. Rejects when the first content cannot be used. */
export async function followPolicy({ policy: file }: PolicyOptions, parts: PolicyParts): Promise<FollowedPolicy> {
  const { log, meters, intervalMs, now } = parts;
  const state = observePolicy(meters, now);
  if (file === undefined) {
    const ruleset = rulesetOf(await readPolicy(undefined, RULES));
    return { ruleset: () => ruleset, stop: () => undefined };
  }
  const watch = await watchPolicy({
    file,
    parse: await loadPolicyParser(RULES),
    intervalMs,
    onChange(document) {
      ruleset = rulesetOf(document);
      state.used();
      meters.count('scrapeguard_policy_reloads_total', { outcome: 'used' });
      log.info({ file, policy: document.metadata.name }, 'policy reloaded');
    },
    onProblem({ problems }) {
      state.refused();
      meters.count('scrapeguard_policy_reloads_total', { outcome: 'refused' });
      log.error({ problems }, 'the new policy cannot be used, the old one stays in force');
    },
  });
  let ruleset = rulesetOf(watch.document);
  return { ruleset: () => ruleset, stop: watch.stop };
}

/** Has the gauges tell whether the file's last content is the policy in force, and since when. */
function observePolicy(
  meters: Pick<Meters, 'observe'>,
  now: () => Date,
): { readonly used: () => void; readonly refused: () => void } {
  let isUsed = true;
  let usedAt = now();
  meters.observe('scrapeguard_policy_last_reload_successful', () => [{ value: isUsed ? 1 : 0 }]);
  meters.observe('scrapeguard_policy_last_reload_success_timestamp_seconds', () => [
    { value: usedAt.getTime() / 1000 },
  ]);
  return {
    used() {
      isUsed = true;
      usedAt = now();
    },
    refused: () => void (isUsed = false),
  };
}

function rulesetOf({ spec }: PolicyDocument): Ruleset {
  return makeRuleset(RULES, spec);
}
