import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import * as fc from 'fast-check';

import { policyYaml } from '../../src/cli/policy-yaml.ts';
import { readManifests } from '../../src/manifests/manifests.ts';
import type { PolicyDocument } from '../../src/policy/document.ts';
import { policyParser } from '../../src/policy/parse.ts';
import { publishedSchema } from '../../src/policy/schema.ts';
import { RULES } from '../../src/rules/index.ts';
import { runCli } from './run-cli.ts';
import { anyText } from '../support/any-text.ts';

const HEAD = { apiVersion: 'scrapeguard.io/v1alpha1', kind: 'MetricsPolicy' };
const parse = policyParser(RULES);
const folder = mkdtempSync(join(tmpdir(), 'policy-'));
after(() => rmSync(folder, { recursive: true }));

function writePolicy(text: string): string {
  const file = join(folder, 'policy.yaml');
  writeFileSync(file, text);
  return file;
}

function complete(document: unknown): PolicyDocument {
  const parsed = parse(document);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.document;
}

/** What YAML text means to Kubernetes. */
function readBack(text: string): unknown {
  const { manifests, errors, warnings } = readManifests('policy', text);
  assert.deepEqual([manifests.length, errors, warnings], [1, [], []]);
  return manifests[0]?.object;
}

describe('policy validate', () => {
  it('says OK to a policy that can be used', async () => {
    const file = writePolicy(JSON.stringify(HEAD));
    assert.deepEqual(await runCli(['policy', 'validate', file]), { code: 0, stdout: 'OK\n', stderr: '' });
  });

  it('names every problem with its place', async () => {
    const file = writePolicy(`apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
spec:
  maximumMode: warning
  exceptions:
  - {name: a, rules: [no-such-rule], reason: b}
  injektion: {}
`);
    const { code, stdout, stderr } = await runCli(['policy', 'validate', file]);
    assert.deepEqual([code, stdout], [2, '']);
    const lines = stderr.trimEnd().split('\n').sort();
    const expected = [/:4:\d+: .*"warn"/, /:6:\d+: .*"expires"/, /:7:\d+: .*"injection"/];
    assert.equal(lines.length, expected.length, stderr);
    for (const [index, pattern] of expected.entries()) assert.match(lines[index]?.slice(file.length) ?? '', pattern);
  });

  it('names the file that is not there', async () => {
    const { code, stderr } = await runCli(['policy', 'validate', join(folder, 'absent.yaml')]);
    assert.equal(code, 2);
    assert.match(stderr, /^[^\n]*absent\.yaml: [^\n]+\n$/);
  });

  it('wants a file', async () => {
    const { code, stderr } = await runCli(['policy', 'validate']);
    assert.equal(code, 2);
    assert.match(stderr, /^error: [^\n]*FILE[^\n]*\n$/);
  });
});

describe('policy init', () => {
  const GRANT = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: scraper}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:monitoring}
subjects:
- {kind: ServiceAccount, namespace: monitoring, name: prometheus}
- {kind: User, name: "*"}
`;

  it('prints a policy that is valid and expects who is there', async () => {
    const { code, stdout, stderr } = await runCli(['policy', 'init', '-'], { stdin: GRANT });
    assert.equal(code, 0);
    assert.equal(stderr, 'warning: User * is left out: in a policy its * would stand for any name\n');
    assert.equal((await runCli(['policy', 'validate', writePolicy(stdout)])).stdout, 'OK\n');
    assert.deepEqual(complete(readBack(stdout)).spec.expectedSubjects, [
      {
        capabilities: ['metrics', 'nodes/metrics'],
        subjects: [{ kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus' }],
        reason: 'holds it today by ClusterRoleBinding scraper; say here what for',
      },
    ]);
  });

  it('ends with 2 where something could not be read, or nothing is named', async () => {
    assert.equal((await runCli(['policy', 'init', join(folder, 'absent.yaml')])).code, 2);
    assert.match((await runCli(['policy', 'init'])).stderr, /^error: Name a PATH with manifests/);
  });
});

describe('policy schema', () => {
  it('prints the schema that is published', async () => {
    const { code, stdout } = await runCli(['policy', 'schema']);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(publishedSchema(RULES))));
  });
});

describe('policy show', () => {
  it('prints the built-in policy with every default, and what it prints is a policy', async () => {
    const { code, stdout } = await runCli(['policy', 'show']);
    assert.equal(code, 0);
    assert.deepEqual(readBack(stdout), complete(HEAD));
    const again = await runCli(['policy', 'show', writePolicy(stdout)]);
    assert.equal(again.stdout, stdout);
  });

  it('completes a policy file', async () => {
    const { stdout } = await runCli([
      'policy',
      'show',
      writePolicy(JSON.stringify({ ...HEAD, spec: { maximumMode: 'audit' } })),
    ]);
    assert.match(stdout, /^ {2}maximumMode: audit$/m);
    assert.match(stdout, /^ {2}enforceTemplates: false$/m);
  });

  it('quotes what a reader of YAML 1.1 would take for something else', () => {
    const odd = fc.constantFrom(
      'on',
      'y',
      'No',
      '~',
      'null',
      '0x1f',
      '0o17',
      '017',
      '1_0',
      '1e3',
      '2027-03-31',
      '12:30:00',
      '.5',
      '-',
      '<<',
      '=',
      '*a',
      '{{x}}',
      '# a',
      'a: b',
      'a #b',
      '\u0085',
      'a\n b\n',
      ' a',
    );
    const text = fc.oneof(odd, anyText(1));
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 3 }), (name, reason, audiences) => {
        const subjects = [{ kind: 'User', name }];
        const expectedSubjects = [{ capabilities: ['metrics'], subjects, reason }];
        const policy = complete({
          ...HEAD,
          metadata: { name },
          spec: { expectedSubjects, injection: { audiences: audiences.filter(Boolean) } },
        });
        assert.deepEqual(readBack(policyYaml(policy)), structuredClone(policy));
      }),
      { numRuns: 100 },
    );
  });
});
