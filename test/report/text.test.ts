import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters, styleText } from 'node:util';

import type { Report, ReportedError, ReportedFinding } from '../../src/report/report.ts';
import { formatJson } from '../../src/report/json.ts';
import { formatText, type Style } from '../../src/report/text.ts';

const plain: Style = (_tone, text) => text;

const POD = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' };
const FINDING: ReportedFinding = {
  rule: 'open-port',
  messageId: 'open',
  severity: 'high',
  mode: 'enforce',
  message: 'port 1 is open',
  remediation: 'Close it.',
  docs: 'https://scrapeguard.io/rules/open-port',
  path: '/spec/ports/0',
  object: POD,
  source: { file: 'web.yaml', line: 9, column: 3 },
};

function reportOf(findings: readonly ReportedFinding[], errors: readonly ReportedError[] = [], objects = 3): Report {
  const count = (mode: string): number => findings.filter((finding) => finding.mode === mode).length;
  const modes = { enforce: count('enforce'), warn: count('warn'), audit: count('audit') };
  const summary = { objects, findings: findings.length, ...modes };
  return { apiVersion: 'scrapeguard.io/v1alpha1', kind: 'Report', summary, findings, errors };
}

describe('the report as text', () => {
  it('is one line where nothing was found', () => {
    assert.equal(formatText(reportOf([]), plain), '3 objects checked: nothing found.\n');
    assert.equal(formatText(reportOf([], [], 1), plain), '1 object checked: nothing found.\n');
  });

  it('groups by file and object, and says what to do once a rule and object', () => {
    const report = reportOf([
      FINDING,
      {
        ...FINDING,
        mode: 'warn',
        rule: 'other',
        remediation: 'Look.',
        severity: 'low',
        docs: 'https://d/other',
        path: '',
      },
      { ...FINDING, message: 'port 2 is open', source: { file: 'web.yaml', line: 10, column: 12 } },
      { ...FINDING, object: { ...POD, name: 'api' }, source: { file: 'web.yaml', line: 30, column: 3 } },
      {
        ...FINDING,
        source: { file: 'z.yaml', line: 1, column: 1 },
        object: { ...POD, namespace: '', name: '', kind: '' },
      },
    ]);
    assert.equal(
      formatText(report, plain),
      `web.yaml
  Pod shop/web
      9:3  enforce  open-port  port 1 is open (/spec/ports/0)
    10:12  enforce  open-port  port 2 is open (/spec/ports/0)
           Close it.
           https://scrapeguard.io/rules/open-port (severity: high)
      9:3  warn     other      port 1 is open
           Look.
           https://d/other (severity: low)
  Pod shop/api
     30:3  enforce  open-port  port 1 is open (/spec/ports/0)
           Close it.
           https://scrapeguard.io/rules/open-port (severity: high)

z.yaml
  (no kind)
    1:1  enforce  open-port  port 1 is open (/spec/ports/0)
         Close it.
         https://scrapeguard.io/rules/open-port (severity: high)

3 objects checked: 5 findings (4 enforce, 1 warn).
`,
    );
  });

  it('names what could not be judged', () => {
    const errors = [
      { file: 'bad.yaml', message: 'no such file' },
      { file: 'x.yaml', line: 4, message: 'bad indentation' },
    ];
    assert.equal(
      formatText(reportOf([], errors, 0), plain),
      'Not judged\n  bad.yaml  no such file\n  x.yaml:4  bad indentation\n\n0 objects checked: nothing found; 2 errors.\n',
    );
  });

  it('lets no control character of a manifest reach a terminal', () => {
    const evil = '\u001B[2J\u0007\u009B1A\r\n\u2028x';
    const findings = [
      {
        ...FINDING,
        message: evil,
        path: `/${evil}`,
        object: { ...POD, name: evil },
        source: { file: evil, line: 1, column: 1 },
      },
    ];
    const text = formatText(reportOf(findings, [{ file: evil, line: 1, message: evil }]), plain);
    // eslint-disable-next-line no-control-regex -- control characters are what this is about
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001F\u007F-\u009F\u2028]/);
    assert.equal(text.split('\n').length, 11);
  });

  it('is the same text in colours', () => {
    const coloured: Style = (_tone, text) => styleText('red', text, { validateStream: false });
    const report = reportOf([FINDING], [{ file: 'a', message: 'b' }]);
    assert.notEqual(formatText(report, coloured), formatText(report, plain));
    assert.equal(stripVTControlCharacters(formatText(report, coloured)), formatText(report, plain));
  });
});

it('the report as JSON reads back as the same report and ends its last line', () => {
  const report = reportOf([FINDING], [{ file: 'a', message: '\uD800 \u0000' }]);
  assert.deepEqual(JSON.parse(formatJson(report)), report);
  assert.match(formatJson(report), /\}\n$/);
});
