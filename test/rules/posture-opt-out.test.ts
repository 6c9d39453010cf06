import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { JsonObject } from '../../src/kube/json.ts';
import { messageOf } from '../../src/policy/evaluate.ts';
import rule from '../../src/rules/posture-opt-out.ts';
import { labelledNamespace } from '../support/label-rule.ts';
import { testRule, type RuleCase } from '../support/rule-tester.ts';
import { judgeAlone, rulesetOf } from '../support/rulesets.ts';
import { validateWrite } from '../support/validate-review.ts';

const JANE = { username: 'jane', groups: ['system:authenticated'] };
const ADMIN = { username: 'root', groups: ['system:masters', 'system:authenticated'] };
const LABELS = '/metadata/labels';
const at = (label: string): string => `${LABELS}/scrapeguard.io~1${label}`;

type OwnLabels = Readonly<Record<string, unknown>>;

const creates = (name: string, labels: OwnLabels, findings: readonly string[], writer = JANE): RuleCase => ({
  name: `CREATE, ${name}`,
  object: labelledNamespace(labels),
  operation: 'CREATE',
  writer,
  findings,
});

const updates = (
  name: string,
  [before, after]: readonly [OwnLabels, OwnLabels],
  findings: readonly string[],
  writer = JANE,
): RuleCase => ({
  name: `UPDATE, ${name}`,
  object: labelledNamespace(after),
  oldObject: labelledNamespace(before),
  operation: 'UPDATE',
  writer,
  findings,
});

// The default policy: enforce baseline, warn and audit strict, every annotated pod injected.
testRule(rule, [
  creates('no label', {}, []),
  creates('enforce lower than the default', { enforce: 'off' }, [`lowersMode ${at('enforce')}`]),
  creates('the default itself', { enforce: 'baseline', warn: 'strict', audit: 'strict', inject: 'enabled' }, []),
  creates('more than the default', { enforce: 'strict' }, []),
  creates('more in one mode, less in another', { enforce: 'strict', warn: 'off' }, [`lowersMode ${at('warn')}`]),
  creates('every mode lower', { enforce: 'off', warn: 'baseline', audit: 'off' }, [
    `lowersMode ${at('enforce')}`,
    `lowersMode ${at('warn')}`,
    `lowersMode ${at('audit')}`,
  ]),
  creates('no injection', { inject: 'disabled' }, [`endsInjection ${at('inject')}`]),
  creates('by an administrator', { enforce: 'off', inject: 'disabled' }, [], ADMIN),
  creates('an invalid profile', { enforce: 'loud' }, [`invalidValue ${at('enforce')}`]),
  creates('an invalid profile by an administrator', { enforce: 'Strict' }, [`invalidValue ${at('enforce')}`], ADMIN),
  creates('an empty profile', { audit: '' }, [`invalidValue ${at('audit')}`]),
  creates('an invalid choice of injection', { inject: 'true' }, [`invalidValue ${at('inject')}`], ADMIN),
  creates('off that YAML took for a boolean', { enforce: false }, [`invalidValue ${at('enforce')}`], ADMIN),
  creates('a label that only looks like ours', { enforces: 'off', 'enforce/x': 'off' }, []),

  updates('nothing of ours changes', [{ enforce: 'off' }, { enforce: 'off', other: 'x' }], []),
  updates('lower than before', [{ enforce: 'strict' }, { enforce: 'baseline' }], [`lowersMode ${at('enforce')}`]),
  updates('a stricter label is taken away', [{ enforce: 'strict' }, {}], [`lowersMode ${LABELS}`]),
  updates('a laxer label is taken away', [{ enforce: 'off' }, {}], []),
  updates('higher than before, lower than the default', [{ warn: 'off' }, { warn: 'baseline' }], []),
  updates(
    'one mode as before, another lower',
    [{ enforce: 'off' }, { enforce: 'off', warn: 'off' }],
    [`lowersMode ${at('warn')}`],
  ),
  updates('no injection any more', [{}, { inject: 'disabled' }], [`endsInjection ${at('inject')}`]),
  updates('the label that chose the default is taken away', [{ inject: 'enabled' }, {}], []),
  updates('by an administrator', [{ enforce: 'strict' }, { inject: 'disabled' }], [], ADMIN),
  updates('an invalid value that was there before', [{ enforce: 'loud' }, { enforce: 'loud', warn: 'strict' }], []),
  updates('another invalid value', [{ enforce: 'loud' }, { enforce: 'louder' }], [`invalidValue ${at('enforce')}`]),
  updates(
    'a valid value becomes an invalid one that counts as less',
    [{ enforce: 'strict' }, { enforce: 'stirct' }],
    [`invalidValue ${at('enforce')}`, `lowersMode ${at('enforce')}`],
  ),

  {
    name: 'without a request an ordinary user is assumed',
    object: labelledNamespace({ enforce: 'off' }),
    findings: [`lowersMode ${at('enforce')}`],
  },
  {
    name: 'labels that are no object',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { labels: [] } },
    findings: [],
  },
  { name: 'a namespace without metadata', object: { apiVersion: 'v1', kind: 'Namespace' }, findings: [] },
  {
    name: 'an old object of another shape',
    object: labelledNamespace({ enforce: 'off' }),
    oldObject: { metadata: { labels: 'x' } },
    operation: 'UPDATE',
    writer: JANE,
    findings: [`lowersMode ${at('enforce')}`],
  },
]);

describe('posture-opt-out, by the policy', () => {
  const OFF = { enforce: 'off', warn: 'off', audit: 'off' };
  const rows: readonly (readonly [
    name: string,
    spec: JsonObject,
    namespace: JsonObject,
    findings: readonly string[],
  ])[] = [
    ['where nothing is the default, nothing is lower', { defaults: OFF }, labelledNamespace(OFF), []],
    [
      'select off: nothing was injected',
      { injection: { select: 'off' } },
      labelledNamespace({ inject: 'disabled' }),
      [],
    ],
    [
      'select labelled: disabled is what no label means',
      { injection: { select: 'labelled' } },
      labelledNamespace({ inject: 'disabled' }),
      [],
    ],
    ['kube-system is never injected', {}, labelledNamespace({ inject: 'disabled' }, 'kube-system'), []],
    ['what is excluded is held to nothing', {}, labelledNamespace({ enforce: 'off' }, 'kube-node-lease'), []],
    ['an invalid value is one there too', {}, labelledNamespace({ enforce: 'x' }, 'kube-node-lease'), ['invalidValue']],
    [
      'injection that is only reported counts',
      { injection: { mode: 'report' } },
      labelledNamespace({ inject: 'disabled' }),
      ['endsInjection'],
    ],
  ];
  for (const [name, spec, namespace, findings] of rows) {
    it(name, () => {
      const found = judgeAlone(namespace, rulesetOf(spec, [rule])).findings;
      assert.deepEqual(
        found.map(({ messageId }) => messageId),
        findings,
      );
    });
  }

  it('select labelled: the label that asked for injection is taken away', async () => {
    const write = { object: labelledNamespace({}), oldObject: labelledNamespace({ inject: 'enabled' }) };
    const { response } = await validateWrite(write, { rules: [rule], spec: { injection: { select: 'labelled' } } });
    assert.equal(response.allowed, false);
  });

  it('the policy says who is an administrator', async () => {
    const spec = { administrators: [{ kind: 'ServiceAccount', namespace: 'flux-system', name: 'flux-*' }] };
    const object = labelledNamespace({ enforce: 'off' });
    const by = async (username: string, groups: readonly string[] = []): Promise<boolean> =>
      (await validateWrite({ object, user: { username, groups } }, { rules: [rule], spec })).response.allowed;
    assert.equal(await by('system:serviceaccount:flux-system:flux-apply'), true);
    assert.equal(await by('system:serviceaccount:apps:flux-apply'), false);
    assert.equal(await by('root', ['system:masters']), false);
  });

  it('an exception names the namespaces that may be lower', async () => {
    const exception = {
      name: 'old',
      rules: ['posture-opt-out'],
      kinds: ['Namespace'],
      names: ['shop'],
      reason: 'r',
      expires: '2026-01-01',
    };
    const ruleset = rulesetOf({ exceptions: [exception] }, [rule]);
    assert.equal(judgeAlone(labelledNamespace({ enforce: 'off' }), ruleset).findings.length, 0);
    assert.equal(judgeAlone(labelledNamespace({ enforce: 'off' }, 'bank'), ruleset).findings.length, 1);
  });
});

describe('posture-opt-out, in words', () => {
  const sentences = (labels: OwnLabels): string[] =>
    judgeAlone(labelledNamespace(labels), rulesetOf({}, [rule])).findings.map(messageOf);

  it('says what was, what would be, and whom it assumes', () => {
    assert.deepEqual(sentences({ enforce: 'off', inject: 'disabled' }), [
      'the namespace would fall from baseline to off in the mode enforce (assuming that an ordinary user writes it)',
      'pods of the namespace would get no kube-rbac-proxy any more in front of their metrics (assuming that an ordinary user writes it)',
    ]);
  });

  it('names the values that a label may have, and assumes nobody', () => {
    assert.deepEqual(sentences({ enforce: 'loud' }), [
      'the label scrapeguard.io/enforce is "loud", which is not one of off, baseline, strict, and would count as if it were absent',
    ]);
  });

  it('assumes nobody where the writer is known', async () => {
    const { response } = await validateWrite({ object: labelledNamespace({ enforce: 'off' }) });
    assert.match(response.status?.message ?? '', /from baseline to off in the mode enforce \(\/metadata\/labels/);
    assert.doesNotMatch(response.status?.message ?? '', /assuming/);
  });
});
