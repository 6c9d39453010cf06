import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import type { JsonObject } from '../../src/kube/json.ts';
import type { Evaluation, Finding } from '../../src/policy/evaluate.ts';
import type { Mode } from '../../src/policy/mode.ts';
import type { Message, RuleMeta } from '../../src/policy/rule.ts';
import { collect, type Judged } from '../../src/report/report.ts';
import { makePod } from '../support/rule-tester.ts';

const MESSAGES: Readonly<Record<string, Message>> = {
  open: { level: 'violation', text: 'port {{port}} is open' },
  odd: { level: 'advice', text: 'port {{port}} is odd', remediation: 'Look again.' },
  unclear: { level: 'unknown', text: 'nobody knows the role' },
};

const RULE: RuleMeta = {
  id: 'open-port',
  title: 'No port may be open',
  severity: 'high',
  profile: 'baseline',
  targets: ['pods'],
  judges: 'pod',
  reads: [],
  rationale: 'It is open.',
  remediation: 'Close it.',
  references: [],
  controls: [],
  messages: MESSAGES,
};

function finding(change: Partial<Finding> = {}): Finding {
  const messageId = change.messageId ?? 'open';
  const message = MESSAGES[messageId] ?? { level: 'violation', text: '' };
  return {
    rule: RULE,
    messageId,
    message,
    path: '/spec',
    data: { port: 1 },
    mode: 'enforce',
    isTemplate: false,
    isUnknown: message.level === 'unknown',
    assumesWriter: false,
    ...change,
  };
}

interface Sketch extends Partial<Evaluation> {
  readonly object?: JsonObject;
  readonly file?: string;
  readonly line?: number;
}

function judged({ object = makePod(), file = 'a.yaml', line = 3, ...evaluation }: Sketch): Judged {
  return {
    object,
    evaluation: { findings: [], errors: [], exceptions: [], excepted: 0, ...evaluation },
    locate: (path) => ({ file, line, column: path.length + 1 }),
  };
}

describe('collect', () => {
  it('makes exactly the fields of the published report', () => {
    const report = collect([judged({ findings: [finding()] })], [{ file: 'b.yaml', line: 1, message: 'no YAML' }]);
    assert.deepEqual(report, {
      apiVersion: 'scrapeguard.io/v1alpha1',
      kind: 'Report',
      summary: { objects: 1, findings: 1, enforce: 1, warn: 0, audit: 0 },
      findings: [
        {
          rule: 'open-port',
          messageId: 'open',
          severity: 'high',
          mode: 'enforce',
          message: 'port 1 is open',
          remediation: 'Close it.',
          docs: 'https://scrapeguard.io/rules/open-port',
          path: '/spec',
          object: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'app' },
          source: { file: 'a.yaml', line: 3, column: 6 },
        },
      ],
      errors: [{ file: 'b.yaml', line: 1, message: 'no YAML' }],
    });
  });

  it('prefers the remediation of the message to that of the rule', () => {
    const { findings } = collect([judged({ findings: [finding({ messageId: 'odd' })] })]);
    assert.equal(findings[0]?.remediation, 'Look again.');
  });

  it('names the namespace in which the object was judged', () => {
    const namespaceOf = (object: JsonObject): string | undefined =>
      collect([judged({ object, findings: [finding()] })]).findings[0]?.object.namespace;
    assert.equal(namespaceOf({ apiVersion: 'v1', kind: 'Pod', metadata: {} }), 'default');
    assert.equal(namespaceOf({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop' } }), 'shop');
    assert.equal(namespaceOf({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }), '');
    assert.equal(namespaceOf({ readOnlyPort: 10255 }), '');
  });

  it('says of a grant who gets what', () => {
    const rule: RuleMeta = { ...RULE, judgesGrants: true };
    const data = { capability: 'metrics', subjectKind: 'ServiceAccount', subjectNamespace: 'a', subjectName: 'b' };
    const [granted] = collect([judged({ findings: [finding({ rule, data })] })]).findings;
    assert.deepEqual(granted?.subject, { kind: 'ServiceAccount', namespace: 'a', name: 'b' });
    assert.equal(granted?.capability, 'metrics');
    const user = { capability: 'metrics', subjectKind: 'User', subjectName: 'eve' };
    const [other] = collect([judged({ findings: [finding({ rule, data: user })] })]).findings;
    assert.deepEqual(other?.subject, { kind: 'User', namespace: '', name: 'eve' });
  });

  it('takes data of that name for a grant only from a rule that judges grants', () => {
    const [plain] = collect([judged({ findings: [finding({ data: { capability: 'NET_ADMIN', port: 1 } })] })]).findings;
    assert.ok(plain !== undefined && !('capability' in plain) && !('subject' in plain));
  });

  it('counts a rule that threw as an error, at the object, whatever its mode', () => {
    const errors = (['enforce', 'audit'] as const).map((mode) => ({
      rule: RULE,
      mode,
      isTemplate: false,
      error: new TypeError('x is not a function'),
    }));
    const report = collect([judged({ errors })]);
    const message = 'rule open-port failed on Pod default/app: TypeError: x is not a function';
    assert.deepEqual(report.errors, [
      { file: 'a.yaml', line: 3, message },
      { file: 'a.yaml', line: 3, message },
    ]);
    assert.deepEqual(report.findings, []);
  });

  it('counts what nobody could tell as an error, not as a finding', () => {
    const report = collect([judged({ findings: [finding({ messageId: 'unclear' })] })]);
    assert.deepEqual(report.errors, [{ file: 'a.yaml', line: 3, message: 'nobody knows the role (open-port)' }]);
    assert.deepEqual(report.summary, { objects: 1, findings: 0, enforce: 0, warn: 0, audit: 0 });
    const { errors } = collect([judged({ findings: [finding({ isUnknown: true })] })]);
    const message = 'the labels of the namespace could not be read: port 1 is open (open-port)';
    assert.deepEqual(errors, [{ file: 'a.yaml', line: 3, message }]);
  });

  it('sorts errors by file and line, those without a line first', () => {
    const { errors } = collect(
      [],
      [
        { file: 'b', line: 2, message: '' },
        { file: 'b', message: '' },
        { file: 'B', line: 9, message: '' },
        { file: 'b', line: 1, message: '' },
      ],
    );
    assert.deepEqual(
      errors.map(({ file, line }) => `${file}:${line ?? ''}`),
      ['B:9', 'b:', 'b:1', 'b:2'],
    );
  });

  it('sorts findings by file, line and column, keeps the order of the rest, and counts every mode', () => {
    const place = fc.record({
      file: fc.constantFrom('a', 'b', 'B'),
      line: fc.integer({ min: 1, max: 3 }),
      path: fc.constantFrom('', '/a', '/b'),
      mode: fc.constantFrom<Mode>('enforce', 'warn', 'audit'),
    });
    fc.assert(
      fc.property(fc.array(place, { maxLength: 20 }), (places) => {
        const report = collect(
          places.map(({ file, line, path, mode }, port) =>
            judged({ file, line, findings: [finding({ path, mode, data: { port } })] }),
          ),
        );
        const order = (at: number): string => report.findings[at]?.message.padStart(30, '0') ?? '';
        for (const [index, { source }] of report.findings.entries()) {
          const before = report.findings[index - 1]?.source;
          if (before === undefined) continue;
          const key = ({ file, line, column }: typeof source): string => `${file} ${line} ${column}`;
          assert.ok(key(before) < key(source) || (key(before) === key(source) && order(index - 1) < order(index)));
        }
        const { objects, findings, enforce, warn, audit } = report.summary;
        assert.deepEqual([objects, findings, enforce + warn + audit], [places.length, places.length, places.length]);
      }),
      { numRuns: 100 },
    );
  });
});
