import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import type { JsonObject } from '../../src/kube/json.ts';
import { TEMPLATE_KINDS } from '../../src/kube/templates.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { evaluate, messageOf, type Circumstances, type Evaluation } from '../../src/policy/evaluate.ts';
import type { Observation, Rule, RuleContext } from '../../src/policy/rule.ts';
import { makeRuleset } from '../../src/policy/ruleset.ts';
import { userSubject } from '../../src/rbac/subjects.ts';
import { echoRule, labelledDeployment, labelledPod, labelRule } from '../support/label-rule.ts';
import { policyOf } from '../support/validate-review.ts';

const VIEW = viewOf([]);
const STRICT = { profiles: { enforce: 'strict', warn: 'strict', audit: 'strict' }, uncertain: false } as const;
const AT_REST: Circumstances = { view: VIEW, scope: STRICT, namespace: 'shop', today: '2026-01-01' };

function judgedBy(
  rules: readonly Rule[],
  object: JsonObject,
  circumstances: Partial<Circumstances> = {},
  spec: JsonObject = {},
): Evaluation {
  return evaluate(object, makeRuleset(rules, policyOf(rules, spec)), { ...AT_REST, ...circumstances });
}

/** What was found, as `rule/messageId path`. */
function found({ findings }: Evaluation): string[] {
  return findings.map(({ rule, messageId, path }) => `${rule.id}/${messageId} ${path}`);
}

const update = (oldObject: JsonObject): Partial<Circumstances> => ({ operation: 'UPDATE', oldObject });

describe('what a write adds', () => {
  const echo = echoRule('echo');
  const withObservations = (observations: readonly Observation[]): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    observations,
  });
  const at = (path: string, data?: Observation['data'], messageId = 'bad'): Observation =>
    data === undefined ? { messageId, path } : { messageId, path, data };
  const added = (before: readonly Observation[], after: readonly Observation[]): string[] =>
    judgedBy([echo], withObservations(after), update(withObservations(before))).findings.map(({ path }) => path);

  const a = { container: 'a', port: 1 };
  const b = { container: 'b', port: 1 };

  const rows: readonly (readonly [string, readonly Observation[], readonly Observation[], readonly string[]])[] = [
    ['nothing where nothing changed', [at('/1', a)], [at('/1', a)], []],
    ['nothing where it only moved', [at('/1', a), at('/2', b)], [at('/2', b), at('/9', a)], []],
    ['nothing where something went', [at('/1', a), at('/2', b)], [at('/1', b)], []],
    ['what was not there', [at('/1', a)], [at('/1', a), at('/2', b)], ['/2']],
    ['one more of the same', [at('/1', a)], [at('/1', a), at('/2', a), at('/3', a)], ['/2', '/3']],
    ['other data in the same place', [at('/1', a)], [at('/1', b)], ['/1']],
    ['another message in the same place', [at('/1', a, 'bad')], [at('/1', a, 'worse')], ['/1']],
    ['a violation in place of advice', [at('/1', a, 'odd')], [at('/1', a, 'bad')], ['/1']],
    ['a number in place of a text', [at('/1', { port: '1' })], [at('/1', { port: 1 })], ['/1']],
    ['the same value under another name', [at('/1', { port: 1 })], [at('/1', { hostPort: 1 })], ['/1']],
    [
      'values that would read the same side by side',
      [at('/1', { x: 'a', y: 'b c' })],
      [at('/1', { x: 'a b', y: 'c' })],
      ['/1'],
    ],
    ['one value less', [at('/1', { x: 'a', y: 'b' })], [at('/1', { x: 'a' })], ['/1']],
    ['nothing where there is no data', [at('/1')], [at('/2')], []],
    ['the second where there is no data', [at('/1')], [at('/2'), at('/3')], ['/3']],
    [
      'a text that is only new',
      [at('/1', { x: 'old' })],
      [at('/1', { x: 'new' }), at('/2', { x: 'newer' })],
      ['/1', '/2'],
    ],
    [
      'a value named like something inherited',
      [at('/1', { x: 'constructor' })],
      [at('/1', { x: '__proto__' })],
      ['/1'],
    ],
  ];
  for (const [name, before, after, expected] of rows) {
    it(`is ${name}`, () => assert.deepEqual(added(before, after), expected));
  }

  it('is the difference of multisets', () => {
    const observations = fc.array(
      fc.record({
        messageId: fc.constantFrom('bad', 'odd'),
        path: fc.constantFrom('/1', '/2', '/3'),
        data: fc.record({ x: fc.constantFrom<string | number>('a', 'b', 1, '1') }),
      }),
      { maxLength: 12 },
    );
    const identity = ({ messageId, data }: Observation): string => JSON.stringify([messageId, data]);
    fc.assert(
      fc.property(observations, observations, (before, after) => {
        const left = before.map(identity);
        const expected = after.map(identity).filter((each) => {
          const known = left.indexOf(each);
          if (known >= 0) left.splice(known, 1);
          return known < 0;
        });
        const { findings } = judgedBy([echo], withObservations(after), update(withObservations(before)));
        assert.deepEqual(findings.map(identity), expected);
      }),
    );
  });

  it('is everything where nothing was there before, and on every operation but UPDATE', () => {
    const object = withObservations([at('/1', a)]);
    assert.equal(judgedBy([echo], object, { operation: 'UPDATE' }).findings.length, 1);
    assert.equal(judgedBy([echo], object, { operation: 'CREATE', oldObject: object }).findings.length, 1);
    assert.equal(judgedBy([echo], object, { oldObject: object }).findings.length, 1);
  });

  it('is left to a rule that compares by itself', () => {
    const object = withObservations([at('/1', a)]);
    const rule = echoRule('echo', { comparesItself: true });
    assert.equal(judgedBy([rule], object, update(object)).findings.length, 1);
  });

  it('is what the rules of each id add, one by one', () => {
    const before = labelledPod({ bad: 'x' });
    const after = labelledPod({ bad: 'x,y' });
    assert.deepEqual(found(judgedBy([labelRule('one'), labelRule('two')], after, update(before))), [
      'one/bad /metadata/labels/bad/1',
      'two/bad /metadata/labels/bad/1',
    ]);
  });

  it('is found in templates by comparing templates', () => {
    const before = labelledDeployment({ bad: 'x' }, { labels: { bad: 'y' } });
    const after = labelledDeployment({ bad: 'y,x' }, { labels: { bad: 'z' } });
    assert.deepEqual(found(judgedBy([labelRule('rule')], after, update(before))), [
      'rule/bad /spec/template/metadata/labels/bad/0',
    ]);
  });

  it('costs a long value that many findings share only once', () => {
    // Objects as they come over the wire: equal texts, but not the same ones.
    const copy = (text: string): string => JSON.parse(JSON.stringify(text)) as string;
    const many = (name: string): Observation[] => Array.from({ length: 50_000 }, () => at('/', { container: name }));
    const name = 'x'.repeat(1_000_000);
    assert.equal(added(many(name), [...many(copy(name)), at('/1', { container: 'new' })]).length, 1);
  });
});

describe('a template', () => {
  const rule = labelRule('rule');
  const kinds = [
    ...TEMPLATE_KINDS.map(({ group, kind, path }) => ({ kind, path, apiVersion: group === '' ? 'v1' : `${group}/v1` })),
    ...['Deployment', 'DaemonSet', 'ReplicaSet'].map((kind) => ({
      kind,
      apiVersion: 'extensions/v1beta1',
      path: '/spec/template',
    })),
    { kind: 'CronJob', apiVersion: 'batch/v1beta1', path: '/spec/jobTemplate/spec/template' },
    { kind: 'StatefulSet', apiVersion: 'apps/v1beta2', path: '/spec/template' },
  ];
  const nest = (path: string, value: JsonObject): JsonObject =>
    path
      .split('/')
      .slice(1)
      .reduceRight<JsonObject>((inner, key) => ({ [key]: inner }), value);

  for (const { apiVersion, kind, path } of kinds) {
    it(`of a ${kind} of ${apiVersion} is judged as a Pod, at its place`, () => {
      const template = { metadata: { labels: { bad: 'x' } }, spec: {} };
      const object = {
        apiVersion,
        kind,
        metadata: { name: 'app', labels: { odd: 'not the pod' } },
        ...nest(path, template),
      };
      const evaluation = judgedBy([rule], object);
      assert.deepEqual(found(evaluation), [`rule/bad ${path}/metadata/labels/bad/0`]);
      assert.equal(evaluation.findings[0]?.isTemplate, true);
    });
  }

  const templateKinds = [
    { group: 'example.com', resource: 'fleets', kind: 'Fleet', path: '/spec/groups/*/pods/*/template' },
    { group: '', resource: 'crews', kind: 'Crew', path: '/template' },
  ];
  const fleet = {
    apiVersion: 'example.com/v1alpha1',
    kind: 'Fleet',
    metadata: { name: 'fleet' },
    spec: {
      groups: [
        { pods: { 'a/b': { template: { metadata: { labels: { bad: 'x' } } } }, c: 'no template' } },
        'no group',
        { pods: [{ template: { metadata: { labels: { odd: 'x,y' } } } }] },
      ],
    },
  };

  it("of a policy's own kind is found in every item of a list and every entry of a map", () => {
    assert.deepEqual(found(judgedBy([rule], fleet, {}, { templateKinds })), [
      'rule/bad /spec/groups/0/pods/a~1b/template/metadata/labels/bad/0',
      'rule/odd /spec/groups/2/pods/0/template/metadata/labels/odd/0',
      'rule/odd /spec/groups/2/pods/0/template/metadata/labels/odd/1',
    ]);
  });

  it("of a policy's own kind is nobody's business without that policy", () => {
    assert.deepEqual(found(judgedBy([rule], fleet)), []);
  });

  it('is handed over whole to a rule that judges objects', () => {
    const object = labelledDeployment({ bad: 'x' }, { labels: { odd: 'y' } });
    const evaluation = judgedBy([labelRule('rule', { judges: 'object' })], object);
    assert.deepEqual(found(evaluation), ['rule/odd /metadata/labels/odd/0']);
    assert.equal(evaluation.findings[0]?.isTemplate, false);
  });

  it('that is missing or malformed is judged as if there were none', () => {
    for (const template of [undefined, null, 'template', [], 7]) {
      const object = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { labels: { bad: 'x' } },
        spec: { template },
      };
      assert.deepEqual(found(judgedBy([rule], object)), []);
    }
  });
});

describe('the rules that are asked about an object', () => {
  const services = labelRule('services', { targets: ['services'] });
  const labels = { labels: { bad: 'x' } };

  it('are those that name its kind in its group', () => {
    const object = { kind: 'Service', metadata: labels };
    assert.equal(judgedBy([services], { apiVersion: 'v1', ...object }).findings.length, 1);
    assert.equal(judgedBy([services], { apiVersion: 'serving.knative.dev/v1', ...object }).findings.length, 0);
    assert.equal(judgedBy([services], { apiVersion: 'apps/v1', ...object }).findings.length, 0);
  });

  it('are none for a kind in the wrong group, for templates either', () => {
    const spec = { template: { metadata: labels } };
    for (const apiVersion of ['apps.example.com/v1', 'batch/v1', 'v1']) {
      assert.deepEqual(found(judgedBy([labelRule('rule')], { apiVersion, kind: 'Deployment', spec })), []);
    }
  });

  it('are none for kinds that sound like something inherited', () => {
    for (const kind of ['constructor', '__proto__', 'toString', '']) {
      assert.deepEqual(found(judgedBy([services], { apiVersion: 'v1', kind, metadata: labels })), []);
    }
  });

  it('are the ones for any kind, too, whatever the object is', () => {
    const any = labelRule('any', { targets: ['configmaps'], judges: 'object', anyKind: true });
    for (const object of [
      { apiVersion: 'v1', kind: 'Service' },
      { kind: 7 },
      { apiVersion: 'example.com/v1', kind: 'X' },
      {},
    ]) {
      assert.equal(judgedBy([any], { ...object, metadata: labels }).findings.length, 1);
    }
  });

  it('are asked in the order of their ids', () => {
    const rules = ['b', 'c', 'a'].map((id) => labelRule(id));
    assert.deepEqual(
      judgedBy(rules, labelledPod({ bad: 'x' })).findings.map(({ rule }) => rule.id),
      ['a', 'b', 'c'],
    );
  });

  it('are not those that the policy turns off', () => {
    const rules = ['a', 'b'].map((id) => labelRule(id));
    const spec = { rules: { a: { maximumMode: 'off' } } };
    assert.deepEqual(
      judgedBy(rules, labelledPod({ bad: 'x' }), {}, spec).findings.map(({ rule }) => rule.id),
      ['b'],
    );
  });

  it('are those that the policy was parsed for, or there is no ruleset', () => {
    assert.throws(
      () => makeRuleset([labelRule('a'), labelRule('b')], policyOf([labelRule('a')])),
      /without the rule b/,
    );
  });
});

describe('what a rule knows', () => {
  const ask = (circumstances: Partial<Circumstances>, spec: JsonObject = {}): RuleContext => {
    const seen: RuleContext[] = [];
    const rule: Rule = {
      ...labelRule('rule'),
      check: (_object, context) => {
        seen.push(context);
        return [];
      },
    };
    judgedBy([rule], labelledPod({}), circumstances, spec);
    const [context] = seen;
    assert.ok(context !== undefined && seen.length === 1);
    return context;
  };

  it('outside admission is its parameters, the policy, whom it expects, the view, the namespace and whether it is asked about a template', () => {
    const { policy, expected, ...context } = ask({});
    assert.equal(expected.capabilitiesOf(userSubject('jane')), 0);
    assert.deepEqual(context, { params: { limit: 10 }, view: VIEW, namespace: 'shop', isTemplate: false });
    assert.deepEqual(policy, policyOf([labelRule('rule')]));
  });

  it('in admission is the operation, the old object and the writer besides', () => {
    const write: Partial<Circumstances> = {
      operation: 'UPDATE',
      oldObject: { kind: 'Pod' },
      writer: { username: 'jane', groups: [] },
    };
    const { policy: _policy, expected: _expected, ...context } = ask(write);
    const known = { params: { limit: 10 }, view: VIEW, namespace: 'shop', isTemplate: false };
    assert.deepEqual(context, { ...known, ...write });
  });

  it('is the parameters of the policy', () => {
    assert.deepEqual(ask({}, { rules: { rule: { params: { limit: 3 } } } }).params, { limit: 3 });
  });
});

describe('what several rules do not know', () => {
  const told = (modes: Readonly<Record<string, string>>, labels: JsonObject = { unsure: 'x' }): string[] => {
    const rules = Object.keys(modes).map((id) => labelRule(id));
    const settings = Object.entries(modes).map(([id, maximumMode]) => [id, { maximumMode }]);
    const { findings } = judgedBy(rules, labelledPod(labels), {}, { rules: Object.fromEntries(settings) });
    return findings.map(({ rule, messageId, mode }) => `${rule.id}/${messageId} ${mode}`);
  };

  it('is said once', () => {
    assert.deepEqual(told({ a: 'enforce', b: 'enforce' }), ['a/unsure enforce']);
    assert.deepEqual(told({ a: 'enforce' }, { unsure: 'x,y' }), ['a/unsure enforce']);
  });

  it('is said by the rule in whose mode it counts most', () => {
    assert.deepEqual(told({ a: 'audit', b: 'warn' }), ['b/unsure warn']);
    assert.deepEqual(told({ a: 'warn', b: 'enforce', c: 'enforce' }), ['b/unsure enforce']);
  });

  it('leaves out nothing that is known', () => {
    assert.deepEqual(told({ a: 'warn', b: 'enforce' }, { unsure: 'x', bad: 'y' }), [
      'a/bad warn',
      'b/unsure enforce',
      'b/bad enforce',
    ]);
  });
});

describe('a rule that throws', () => {
  it('hides no other, before it or after it', () => {
    const rules = ['a', 'b', 'c'].map((id) => labelRule(id));
    const { findings, errors } = judgedBy(rules, labelledPod({ throws: 'b', bad: 'x' }));
    assert.deepEqual(
      findings.map(({ rule }) => rule.id),
      ['a', 'c'],
    );
    assert.deepEqual(
      errors.map(({ rule, mode, isTemplate, error }) => [rule.id, mode, isTemplate, String(error)]),
      [['b', 'enforce', false, 'Error: b is broken']],
    );
  });

  it('is heard of nothing else, whatever it found first', () => {
    const { findings, errors } = judgedBy([labelRule('a')], labelledPod({ bad: 'x', throws: 'a' }));
    assert.deepEqual([findings.length, errors.length], [0, 1]);
  });

  it('on the old object is an error as well, but only where there is something to compare', () => {
    const broken = update(labelledPod({ throws: 'a' }));
    assert.equal(judgedBy([labelRule('a')], labelledPod({ bad: 'x' }), broken).errors.length, 1);
    assert.equal(judgedBy([labelRule('a')], labelledPod({}), broken).errors.length, 0);
  });

  it('on a template says so', () => {
    assert.equal(judgedBy([labelRule('a')], labelledDeployment({ throws: 'a' })).errors[0]?.isTemplate, true);
  });

  it('is one that reports a message it does not have', () => {
    const object = { apiVersion: 'v1', kind: 'Pod', observations: [{ messageId: 'nonesuch', path: '' }] };
    const { errors } = judgedBy([echoRule('echo')], object);
    assert.match(String(errors[0]?.error), /Rule echo has no message "nonesuch"/);
  });
});

describe('a finding', () => {
  it('has the message, its data, and a sentence made of both', () => {
    const [finding] = judgedBy([labelRule('rule')], labelledPod({ bad: 'x' })).findings;
    assert.ok(finding !== undefined);
    assert.deepEqual(finding.data, { value: 'x' });
    assert.equal(messageOf(finding), 'the label says "x", which is bad');
  });

  const enforce = { enforce: 'strict', warn: 'off', audit: 'off' } as const;
  const onlyAudit = { enforce: 'off', warn: 'off', audit: 'strict' } as const;

  it('of advice counts in warn at most', () => {
    const modeOf = (labels: JsonObject, profiles: Circumstances['scope']['profiles']): unknown =>
      judgedBy([labelRule('rule')], labelledPod(labels), { scope: { profiles, uncertain: false } }).findings[0]?.mode;
    assert.equal(modeOf({ odd: 'x' }, enforce), 'warn');
    assert.equal(modeOf({ odd: 'x' }, onlyAudit), 'audit');
    assert.equal(modeOf({ bad: 'x' }, enforce), 'enforce');
    assert.equal(modeOf({ bad: 'x' }, onlyAudit), 'audit');
  });

  it('is unknown by itself, or as a violation where the labels of the namespace are', () => {
    const unknownIn = (uncertain: boolean): unknown[] =>
      judgedBy([labelRule('rule')], labelledPod({ bad: 'x', odd: 'x', unsure: 'x' }), {
        scope: { profiles: STRICT.profiles, uncertain },
      }).findings.map(({ messageId, isUnknown }) => [messageId, isUnknown]);
    assert.deepEqual(unknownIn(false), [
      ['bad', false],
      ['odd', false],
      ['unsure', true],
    ]);
    assert.deepEqual(unknownIn(true), [
      ['bad', true],
      ['odd', false],
      ['unsure', true],
    ]);
  });
});
