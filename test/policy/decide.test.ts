import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { judge } from '../../src/admission/judge.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { makeRuleset } from '../../src/policy/ruleset.ts';
import { labelledDeployment, labelledPod, labelRule } from '../support/label-rule.ts';
import { policyOf, validateWrite, type Setting, type Write } from '../support/validate-review.ts';

// The decision table, a row a test. `base` is in the profile baseline and so enforced by default; `more` is in strict
// only, and so warned about. A label tells the rules what to say.

const RULES = [labelRule('base'), labelRule('more', { profile: 'strict' })];

const JUST_BASE = { rules: { more: { maximumMode: 'off' } } };
const JUST_MORE = { rules: { base: { maximumMode: 'off' } } };
/** Whatever is in strict only is recorded, no more. */
const MORE_IN_AUDIT = { defaults: { enforce: 'baseline', warn: 'baseline', audit: 'strict' } };

const ON_CALL = { username: 'sam', groups: ['on-call'] };
const BREAK_GLASS = { breakGlass: [{ kind: 'Group', name: 'on-call' }] };
const NODE = { username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };
const MIRROR = { annotations: { 'kubernetes.io/config.mirror': '1' } };

const NO_LABELS: Setting['viewFor'] = () => ({ ...viewOf([]), namespaceLabels: () => 'unknown' });

const exceptFor = (rule: string, expires = '2099-01-01'): JsonObject => ({
  exceptions: [{ name: `legacy-${rule}`, rules: [rule], reason: 'a test', expires }],
});

interface Row {
  readonly name: string;
  readonly write: Write;
  readonly spec?: JsonObject;
  readonly setting?: Setting;
  /** `allowed`, or the code of the refusal. */
  readonly answer: 'allowed' | 400 | 403 | 500 | 503;
  readonly warnings?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** How `check` and `audit` count the same object: the modes of its findings, or `error` for each rule that threw. */
  readonly report?: readonly string[];
}

const badBase = 'base: the label says "x", which is bad';
const badMore = 'more: the label says "x", which is bad';
const oddBase = 'base: the label says "x", which is odd';
const unsureBase = 'base: nobody knows whether "x" is bad';
const baseFailed = 'base: the rule failed and could not judge this object';
const moreFailed = 'more: the rule failed and could not judge this object';

const ROWS: readonly Row[] = [
  {
    name: 'an excluded namespace is not judged',
    write: { object: labelledPod({ bad: 'x' }, { namespace: 'kube-node-lease' }) },
    answer: 'allowed',
    annotations: { exempt: 'excluded-namespace' },
  },
  {
    name: 'the API server is not judged',
    write: {
      object: labelledPod({ bad: 'x' }),
      user: { username: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] },
    },
    answer: 'allowed',
    annotations: { exempt: 'apiserver' },
    report: ['enforce', 'warn'],
  },
  {
    name: 'the aggregation controller is not judged',
    write: {
      object: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { labels: { bad: 'x' } } },
      user: { username: 'system:serviceaccount:kube-system:clusterrole-aggregation-controller' },
    },
    answer: 'allowed',
    annotations: { exempt: 'aggregation-controller' },
    report: ['enforce', 'warn'],
  },
  {
    name: 'a rule that is off says nothing',
    write: { object: labelledPod({ bad: 'x', throws: 'base' }) },
    spec: { rules: { base: { maximumMode: 'off' }, more: { maximumMode: 'off' } } },
    answer: 'allowed',
  },
  {
    name: 'a rule that no mode asks for says nothing',
    write: { object: labelledPod({ bad: 'x', throws: 'more' }) },
    spec: { ...JUST_MORE, defaults: { enforce: 'baseline', warn: 'baseline', audit: 'off' } },
    answer: 'allowed',
  },
  {
    name: 'a policy that is off says nothing',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: { maximumMode: 'off' },
    answer: 'allowed',
  },
  {
    name: 'an exception holds a finding back',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: { ...JUST_BASE, ...exceptFor('base') },
    answer: 'allowed',
    annotations: { exceptions: 'legacy-base' },
  },
  {
    name: 'an exception covers a rule that throws, too',
    write: { object: labelledPod({ throws: 'base' }) },
    spec: exceptFor('base'),
    answer: 'allowed',
    annotations: { exceptions: 'legacy-base' },
  },
  {
    name: 'an exception covers its own rules only',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: exceptFor('more'),
    answer: 403,
    annotations: { decision: 'denied', findings: 'base/bad', exceptions: 'legacy-more' },
    report: ['enforce'],
  },
  {
    name: 'an exception that has ended covers nothing',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: { ...JUST_BASE, ...exceptFor('base', '2025-12-31') },
    answer: 403,
    annotations: { decision: 'denied', findings: 'base/bad' },
    report: ['enforce'],
  },
  {
    name: 'a rule in enforce that throws refuses with 500',
    write: { object: labelledPod({ throws: 'base' }) },
    answer: 500,
    annotations: { error: 'base' },
    report: ['error'],
  },
  {
    name: 'a rule in warn that throws warns',
    write: { object: labelledPod({ throws: 'more' }) },
    answer: 'allowed',
    warnings: [moreFailed],
    annotations: { error: 'more' },
    report: ['error'],
  },
  {
    name: 'a rule in audit that throws is recorded',
    write: { object: labelledPod({ throws: 'more' }) },
    spec: MORE_IN_AUDIT,
    answer: 'allowed',
    annotations: { error: 'more' },
    report: ['error'],
  },
  {
    name: 'a rule in enforce that throws on a template warns',
    write: { object: labelledDeployment({ throws: 'base' }) },
    answer: 'allowed',
    warnings: [baseFailed],
    annotations: { error: 'base' },
    report: ['error'],
  },
  {
    name: 'an unknown in enforce asks to try again',
    write: { object: labelledPod({ unsure: 'x' }) },
    spec: JUST_BASE,
    answer: 503,
    annotations: { error: 'unknown' },
    report: ['enforce'],
  },
  {
    name: 'an unknown in warn warns',
    write: { object: labelledPod({ unsure: 'x' }) },
    spec: { rules: { base: { maximumMode: 'warn' }, more: { maximumMode: 'off' } } },
    answer: 'allowed',
    warnings: [unsureBase],
    annotations: { error: 'unknown' },
    report: ['warn'],
  },
  {
    name: 'an unknown in audit is recorded',
    write: { object: labelledPod({ unsure: 'x' }) },
    spec: { ...JUST_MORE, ...MORE_IN_AUDIT },
    answer: 'allowed',
    annotations: { error: 'unknown' },
    report: ['audit'],
  },
  {
    name: 'where labels are unknown, everything strict is answered like an unknown',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: JUST_MORE,
    setting: { viewFor: NO_LABELS },
    answer: 503,
    annotations: { error: 'unknown' },
  },
  {
    name: 'where labels are unknown, a capped violation is an unknown in warn',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: { rules: { base: { maximumMode: 'warn' }, more: { maximumMode: 'off' } } },
    setting: { viewFor: NO_LABELS },
    answer: 'allowed',
    warnings: [badBase],
    annotations: { error: 'unknown' },
  },
  {
    name: 'where labels are unknown, advice is only advice',
    write: { object: labelledPod({ odd: 'x' }) },
    spec: JUST_BASE,
    setting: { viewFor: NO_LABELS },
    answer: 'allowed',
    warnings: [oddBase],
    annotations: { decision: 'warned', findings: 'base/odd' },
  },
  {
    name: 'a violation in enforce is refused',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: JUST_BASE,
    answer: 403,
    annotations: { decision: 'denied', findings: 'base/bad' },
    report: ['enforce'],
  },
  {
    name: 'a refusal carries no warnings, though it lists everything',
    write: { object: labelledPod({ bad: 'x', odd: 'x' }) },
    answer: 403,
    annotations: { decision: 'denied', findings: 'base/bad,base/odd,more/bad,more/odd' },
    report: ['enforce', 'warn', 'warn', 'warn'],
  },
  {
    name: 'a violation by a break-glass writer is let through and told',
    write: { object: labelledPod({ bad: 'x' }), user: ON_CALL },
    spec: { ...JUST_BASE, ...BREAK_GLASS },
    answer: 'allowed',
    warnings: [`break-glass: ${badBase}`],
    annotations: { decision: 'break-glass', findings: 'base/bad' },
    report: ['enforce'],
  },
  {
    name: 'a rule that throws is let through for a break-glass writer',
    write: { object: labelledPod({ throws: 'base' }), user: ON_CALL },
    spec: BREAK_GLASS,
    answer: 'allowed',
    warnings: [`break-glass: ${baseFailed}`],
    annotations: { decision: 'break-glass', error: 'base' },
    report: ['error'],
  },
  {
    name: 'an unknown is let through for a break-glass writer',
    write: { object: labelledPod({ unsure: 'x' }), user: ON_CALL },
    spec: { ...JUST_BASE, ...BREAK_GLASS },
    answer: 'allowed',
    warnings: [`break-glass: ${unsureBase}`],
    annotations: { decision: 'break-glass', error: 'unknown' },
    report: ['enforce'],
  },
  {
    name: 'break-glass is not said of what would have been let through anyway',
    write: { object: labelledPod({ bad: 'x' }), user: ON_CALL },
    spec: { ...JUST_MORE, ...BREAK_GLASS },
    answer: 'allowed',
    warnings: [badMore],
    annotations: { decision: 'warned', findings: 'more/bad' },
    report: ['warn'],
  },
  {
    name: 'a violation on a template warns its author',
    write: { object: labelledDeployment({ bad: 'x' }) },
    spec: JUST_BASE,
    answer: 'allowed',
    warnings: [badBase],
    annotations: { decision: 'warned', findings: 'base/bad' },
    report: ['enforce'],
  },
  {
    name: 'a violation on a template by a break-glass writer is a warning like any other',
    write: { object: labelledDeployment({ bad: 'x' }), user: ON_CALL },
    spec: { ...JUST_BASE, ...BREAK_GLASS },
    answer: 'allowed',
    warnings: [badBase],
    annotations: { decision: 'warned', findings: 'base/bad' },
    report: ['enforce'],
  },
  {
    name: 'a violation on a template is refused where the policy says so',
    write: { object: labelledDeployment({ bad: 'x' }) },
    spec: { ...JUST_BASE, enforceTemplates: true },
    answer: 403,
    annotations: { decision: 'denied', findings: 'base/bad' },
    report: ['enforce'],
  },
  {
    name: "a violation on a node's mirror pod warns",
    write: { object: labelledPod({ bad: 'x' }, MIRROR), user: NODE },
    spec: JUST_BASE,
    answer: 'allowed',
    warnings: [badBase],
    annotations: { decision: 'warned', findings: 'base/bad' },
    report: ['enforce'],
  },
  {
    name: 'a violation that the policy caps to warn warns',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: { ...JUST_BASE, maximumMode: 'warn' },
    answer: 'allowed',
    warnings: [badBase],
    annotations: { decision: 'warned', findings: 'base/bad' },
    report: ['warn'],
  },
  {
    name: 'a violation that the settings of its rule cap to warn warns',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: { rules: { base: { maximumMode: 'warn' }, more: { maximumMode: 'off' } } },
    answer: 'allowed',
    warnings: [badBase],
    annotations: { decision: 'warned', findings: 'base/bad' },
    report: ['warn'],
  },
  {
    name: 'a violation in warn warns',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: JUST_MORE,
    answer: 'allowed',
    warnings: [badMore],
    annotations: { decision: 'warned', findings: 'more/bad' },
    report: ['warn'],
  },
  {
    name: 'advice in enforce warns',
    write: { object: labelledPod({ odd: 'x' }) },
    spec: JUST_BASE,
    answer: 'allowed',
    warnings: [oddBase],
    annotations: { decision: 'warned', findings: 'base/odd' },
    report: ['warn'],
  },
  {
    name: 'a finding in audit only is recorded',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: { ...JUST_MORE, ...MORE_IN_AUDIT },
    answer: 'allowed',
    annotations: { decision: 'audited', findings: 'more/bad' },
    report: ['audit'],
  },
  {
    name: 'a violation that is capped to audit is recorded',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: { rules: { base: { maximumMode: 'audit' }, more: { maximumMode: 'off' } } },
    answer: 'allowed',
    annotations: { decision: 'audited', findings: 'base/bad' },
    report: ['audit'],
  },
  {
    name: 'the strictest cap holds, whichever it is',
    write: { object: labelledPod({ bad: 'x' }) },
    spec: { maximumMode: 'warn', rules: { base: { maximumMode: 'audit' }, more: { maximumMode: 'enforce' } } },
    answer: 'allowed',
    warnings: [badMore],
    annotations: { decision: 'warned', findings: 'base/bad,more/bad' },
    report: ['audit', 'warn'],
  },
  {
    name: 'the worst finding decides: a violation before a rule that throws before an unknown',
    write: { object: labelledPod({ bad: 'x', unsure: 'x', throws: 'more' }) },
    spec: { defaults: { enforce: 'strict' } },
    answer: 403,
    annotations: { decision: 'denied', findings: 'base/bad', error: 'more,unknown' },
    report: ['enforce', 'enforce', 'error'],
  },
  {
    name: 'a rule that throws decides before an unknown',
    write: { object: labelledPod({ unsure: 'x', throws: 'more' }) },
    spec: { defaults: { enforce: 'strict' } },
    answer: 500,
    annotations: { error: 'more,unknown' },
    report: ['enforce', 'error'],
  },
  {
    name: 'nothing to say is an answer without a word',
    write: { object: labelledPod({ good: 'x' }) },
    answer: 'allowed',
  },
];

describe('the decision table', () => {
  for (const row of ROWS) {
    const { name, write, spec = {}, setting = {}, answer, warnings = [], annotations = {}, report } = row;
    it(name, async () => {
      const { response } = await validateWrite(write, { rules: RULES, spec, ...setting });
      assert.equal(response.allowed ? 'allowed' : response.status?.code, answer);
      assert.deepEqual(response.warnings ?? [], warnings);
      assert.deepEqual(response.auditAnnotations ?? {}, annotations);
    });
    if (setting.viewFor === undefined) {
      it(`${name}: ${report === undefined ? 'not in a report' : `${report.join(', ')} in a report`}`, () => {
        const ruleset = makeRuleset(RULES, policyOf(RULES, spec));
        const { findings, errors } = judge({ ...asRecord(write.object) }, ruleset, {
          view: viewOf([]),
          today: '2026-01-01',
        });
        const counted = [...findings.map(({ mode }) => mode as string), ...errors.map(() => 'error')];
        assert.deepEqual(counted, report ?? []);
      });
    }
  }
});

function asRecord(object: unknown): JsonObject {
  return typeof object === 'object' ? { ...object } : {};
}

describe('a refusal', () => {
  const refusal = async (labels: JsonObject, spec: JsonObject = {}): Promise<string> => {
    const { response } = await validateWrite({ object: labelledPod(labels) }, { rules: RULES, spec });
    return response.status?.message ?? '';
  };

  it('says what is wrong, where, how to mend it and where to read on', async () => {
    assert.equal(
      await refusal({ bad: 'x' }),
      'the label says "x", which is bad (/metadata/labels/bad/0). Take the label away. See https://scrapeguard.io/rules/base.',
    );
  });

  it("takes a message's own remediation before its rule's", async () => {
    assert.match(await refusal({ worse: 'x' }), /\. Take the label away at once\. See /);
  });

  it('names the first finding in full and the others by rule', async () => {
    const enforceAll = { defaults: { enforce: 'strict' } };
    assert.match(await refusal({ bad: 'x', worse: 'x' }, enforceAll), / Also refused by base, more \(2\)\.$/);
    assert.match(await refusal({ bad: 'x,y,z' }, enforceAll), / Also refused by base \(2\), more \(3\)\.$/);
    assert.match(await refusal({ bad: 'x' }, enforceAll), / Also refused by more\.$/);
  });

  it('counts only what refuses, not what would have been warned about', async () => {
    assert.doesNotMatch(await refusal({ bad: 'x', odd: 'x' }), /Also refused/);
  });

  it('names the rule that failed, and the way round it', async () => {
    assert.match(await refusal({ throws: 'base' }), /^rule base failed, .*"maximumMode: warn"/);
  });

  it('says of an unknown that one may try again, and how soon', async () => {
    const write = { object: labelledPod({ unsure: 'x' }) };
    const { response } = await validateWrite(write, { rules: RULES });
    assert.match(
      response.status?.message ?? '',
      /^nobody knows whether "x" is bad \(base\)\. Try again in a moment\.$/,
    );
    assert.deepEqual(response.status?.details, { retryAfterSeconds: 1 });
  });

  it('says that the labels were not to be had', async () => {
    const write = { object: labelledPod({ bad: 'x' }) };
    const { response } = await validateWrite(write, { rules: RULES, viewFor: NO_LABELS });
    assert.match(response.status?.message ?? '', /^the labels of the namespace could not be read: the label says "x"/);
  });
});

describe('warnings', () => {
  const many = Array.from({ length: 12 }, (_, index) => labelRule(`rule-${10 + index}`, { profile: 'strict' }));
  const warnings = async (labels: JsonObject, rules = RULES): Promise<readonly string[]> => {
    const spec = { maximumMode: 'warn' };
    return (await validateWrite({ object: labelledPod(labels) }, { rules, spec })).response.warnings ?? [];
  };

  it('come once a rule and message, with the number of the others', async () => {
    assert.deepEqual(await warnings({ bad: 'x,y,z', odd: 'x' }, RULES.slice(0, 1)), [
      'base: the label says "x", which is bad (and 2 more)',
      oddBase,
    ]);
  });

  it('are ten at most, the tenth saying how many there would have been', async () => {
    assert.equal((await warnings({ bad: 'x' }, many.slice(0, 10))).length, 10);
    const eleven = await warnings({ bad: 'x' }, many.slice(0, 11));
    assert.equal(eleven.length, 10);
    assert.equal(eleven[9], 'scrapeguard: and 2 more warnings');
    assert.equal((await warnings({ bad: 'x' }, many))[9], 'scrapeguard: and 3 more warnings');
  });

  it('are cut to 120 characters, the number of the others kept', async () => {
    const id = `rule-${'r'.repeat(70)}`;
    const [single] = await warnings({ bad: 'v'.repeat(63) }, [labelRule(id)]);
    assert.equal(single?.length, 120);
    assert.match(single ?? '', /…$/);
    const [several] = await warnings({ bad: `${'v'.repeat(63)},y` }, [labelRule(id)]);
    assert.equal(several?.length, 120);
    assert.match(several ?? '', /… \(and 1 more\)$/);
    const [failed] = await warnings({ throws: id }, [labelRule(id)]);
    assert.equal(failed?.length, 120);
  });
});

describe('audit annotations', () => {
  it('do not depend on the order in which labels and rules come', async () => {
    const of = async (labels: JsonObject, rules = RULES): Promise<unknown> =>
      (await validateWrite({ object: labelledPod(labels) }, { rules })).response.auditAnnotations;
    const expected = await of({ bad: 'x', odd: 'y' });
    assert.deepEqual(await of({ odd: 'y', bad: 'x' }, RULES.toReversed()), expected);
    assert.deepEqual(await of({ odd: 'z', bad: 'x,y' }), expected);
  });

  it('are cut where there are very many names', async () => {
    const exceptions = Array.from({ length: 60 }, (_, index) => ({
      name: `exception-with-a-rather-long-name-${index}`,
      rules: [`rule-${index}`],
      reason: 'a test',
      expires: '2099-01-01',
    }));
    const rules = exceptions.map((_, index) => labelRule(`rule-${index}`));
    const { response } = await validateWrite({ object: labelledPod({ bad: 'x' }) }, { rules, spec: { exceptions } });
    assert.equal(response.allowed, true);
    assert.equal(response.auditAnnotations?.['exceptions']?.length, 1000);
  });
});
