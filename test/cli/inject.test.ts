import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';

import type { JsonObject } from '../../src/kube/json.ts';
import { readManifests } from '../../src/manifests/manifests.ts';
import { runCommand } from '../support/run-command.ts';
import { runCli, type Ran, type Surroundings } from './run-cli.ts';

const pod = (name: string, annotations = 'prometheus.io/scrape: "true", prometheus.io/port: "9090"'): string =>
  `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  annotations: {${annotations}} # kept
spec:
  containers:
  - name: app # kept, too
    image: app:1
    ports: [{containerPort: 9090}]
`;

const FILES: Readonly<Record<string, string>> = {
  'one.yaml': pod('one'),
  'two words.yaml': `# two\n---\n${pod('two')}`,
  'windows.yaml': `\uFEFF${pod('windows').replaceAll('\n', '\r\n')}`,
  'open.yaml': pod('open').trimEnd(),
  'plain.yaml': pod('plain', 'a: b'),
  // The last line belongs to the argument, and no longer where another container follows.
  'blanks.yaml': `${pod('blanks')}    args:\n    - |+\n      x\n        `,
  'three.json': JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'three' } }, undefined, 4),
  'broken.yaml': `a: [\n---\n${pod('beside')}`,
  'wrong-policy.yaml': 'apiVersion: scrapeguard.io/v1alpha1\nkind: MetricsPolicy\nspec: {injection: {select: all}}\n',
  'elsewhere.yaml': 'apiVersion: scrapeguard.io/v1alpha1\nkind: MetricsPolicy\nspec: {excludedNamespaces: [default]}\n',
  'reporting.yaml': 'apiVersion: scrapeguard.io/v1alpha1\nkind: MetricsPolicy\nspec: {injection: {mode: report}}\n',
  'pulling.yaml':
    'apiVersion: scrapeguard.io/v1alpha1\nkind: MetricsPolicy\nspec: {injection: {imagePullSecrets: [ours]}}\n',
};

const BINDING = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: proxies}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:auth-delegator"}
subjects:
- {kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:serviceaccounts:default"}
`;

const folder = mkdtempSync(join(tmpdir(), 'inject-'));

for (const [name, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
after(() => rmSync(folder, { recursive: true }));

const inject = (args: readonly string[], surroundings?: Surroundings): Promise<Ran> =>
  runCli(['inject', ...args], { cwd: folder, ...surroundings });

const namesIn = (text: string): readonly unknown[] =>
  readManifests('text', text).manifests.map(({ object }) => Object(object['metadata']).name);

const containersIn = (text: string): readonly number[] =>
  readManifests('text', text).manifests.map(({ object }) => Object(object['spec']).containers?.length ?? 0);

describe('inject writes', () => {
  it('a file in which nothing changes byte for byte', async () => {
    for (const name of ['plain.yaml', 'three.json']) {
      assert.equal((await inject([name])).stdout, FILES[name]);
    }
  });

  it('a file as it is where an edit would change more than it should, and says so', async () => {
    for (const format of ['yaml', 'diff']) {
      const { stdout, stderr, code } = await inject(['blanks.yaml', 'one.yaml', '-o', format]);
      assert.equal(code, 2);
      assert.match(stderr, /^error: blanks\.yaml: left as it is, for other lines of this YAML would read otherwise/m);
      assert.match(stderr, /^note: 1 injected/m);
      if (format === 'yaml') assert.deepEqual(containersIn(stdout), [1, 2]);
      else assert.doesNotMatch(stdout, /blanks/);
    }
    const { stdout, code } = await inject(['blanks.yaml', '-o', 'json']);
    assert.deepEqual([code, containersIn(stdout)], [0, [2]]);
  });

  it('several files as one stream, whatever each begins and ends with', async () => {
    const { stdout, code } = await inject(['open.yaml', 'windows.yaml', 'three.json', 'two words.yaml', 'one.yaml']);
    assert.equal(code, 0);
    assert.deepEqual(namesIn(stdout), ['open', 'windows', 'three', 'two', 'one']);
    assert.deepEqual(containersIn(stdout), [2, 2, 0, 2, 2]);
    assert.equal(stdout.match(/# kept/g)?.length, 8);
  });

  it('the standard input', async () => {
    const { stdout, stderr } = await inject(['-'], { stdin: pod('piped') });
    assert.deepEqual(containersIn(stdout), [2]);
    assert.match(stderr, /^injected: -:1: Pod default\/piped: /);
  });

  it('one object alone, several as a List, as JSON', async () => {
    const one: unknown = JSON.parse((await inject(['one.yaml', '-o', 'json'])).stdout);
    assert.equal(Object(one).kind, 'Pod');
    const two: unknown = JSON.parse((await inject(['one.yaml', 'plain.yaml', '-o', 'json'])).stdout);
    assert.equal(Object(two).kind, 'List');
    assert.deepEqual(namesIn(JSON.stringify(two)), ['one', 'plain']);
  });

  it('patches only of what changes, each with its object and its place', async () => {
    const { stdout } = await inject(['plain.yaml', 'two words.yaml', '-o', 'patch']);
    const patches: unknown = JSON.parse(stdout);
    assert.ok(Array.isArray(patches));
    assert.deepEqual(
      patches.map(({ object, source }) => [object, source]),
      [
        [
          { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'two' },
          { file: 'two words.yaml', line: 3, column: 1 },
        ],
      ],
    );
  });
});

describe('inject says', () => {
  it('that it leaves out a namespace that the whole policy leaves out', async () => {
    const { stdout, stderr } = await inject(['--policy', 'elsewhere.yaml', 'one.yaml']);
    assert.equal(stdout, FILES['one.yaml']);
    assert.match(
      stderr,
      /^skipped: one.yaml:1: Pod default\/one: the policy excludes namespace default from injection$/m,
    );
  });

  it('that pull secrets in a file keep those of the account out, which the webhook does not', async () => {
    const lost = /: Pod default\/(?:one|piped): with imagePullSecrets of its own the pod no longer gets those /;
    assert.match((await inject(['--policy', 'pulling.yaml', 'one.yaml'])).stderr, lost);
    assert.doesNotMatch((await inject(['one.yaml'])).stderr, lost);
    const stdin = `${pod('piped')}  imagePullSecrets: [{name: theirs}]\n`;
    assert.doesNotMatch((await inject(['--policy', 'pulling.yaml', '-'], { stdin })).stderr, lost);
  });

  it('once what an account lacks, unless a binding among the files gives it', async () => {
    const { stderr } = await inject(['one.yaml', 'two words.yaml']);
    const told = stderr.match(/^warning: ServiceAccount default\/default may not create tokenreviews, .*$/gm);
    assert.equal(told?.length, 1);
    assert.match(told[0], / kubectl create clusterrolebinding .* --serviceaccount=default:default$/);
    const granted = await inject(['one.yaml', '-'], { stdin: BINDING });
    assert.doesNotMatch(granted.stderr, /tokenreviews/);
  });
});

describe('inject --companions', () => {
  const named = (namespace: string, account: string): string =>
    `${pod('needy').replace('name: needy', `name: needy\n  namespace: "${namespace}"`)}  serviceAccountName: "${account}"\n`;

  const companionsOf = async (stdin: string, ...more: readonly string[]): Promise<readonly JsonObject[]> => {
    const { stdout, code } = await inject(['--companions', ...more, '-'], { stdin });
    assert.equal(code, 0);
    const objects = readManifests('out', stdout).manifests.map(({ object }) => object);
    return objects.filter(({ kind }) => kind === 'ClusterRoleBinding');
  };

  it('writes a binding an account, by names that no other account has', async () => {
    const stdin = [named('a-b', 'c'), named('a', 'b-c'), named('a', 'b-c')].join('---\n');
    for (const format of ['yaml', 'json']) {
      const bindings = await companionsOf(stdin, '-o', format);
      assert.deepEqual(
        bindings.map(({ metadata, subjects }) => [metadata, subjects]),
        [
          [{ name: 'scrapeguard:a-b:c' }, [{ kind: 'ServiceAccount', namespace: 'a-b', name: 'c' }]],
          [{ name: 'scrapeguard:a:b-c' }, [{ kind: 'ServiceAccount', namespace: 'a', name: 'b-c' }]],
        ],
      );
    }
  });

  it('writes names that look like something else as names', async () => {
    const { stdout } = await inject(['--companions', '-'], { stdin: named('on', '012') });
    assert.match(stdout, /namespace: "on"\n {4}name: "012"\n$/);
  });

  it('writes nothing for what is granted, not injected or no name, nor where the policy only reports', async () => {
    assert.deepEqual(
      await companionsOf(`${pod('granted')}---\n${BINDING}`),
      readManifests('', BINDING).manifests.map(({ object }) => object),
    );
    assert.deepEqual(await companionsOf(pod('plain', 'a: b')), []);
    assert.deepEqual(await companionsOf(named('a', 'A/../b')), []);
    assert.deepEqual(await companionsOf(pod('reported'), '--policy', 'reporting.yaml'), []);
  });

  it('leaves nothing to add to what it wrote, and nothing for check to find in it', async () => {
    const { stdout, stderr } = await inject(['--companions', 'one.yaml']);
    assert.match(stderr, /^added: ClusterRoleBinding scrapeguard:default:default: /m);
    assert.doesNotMatch(stderr, /tokenreviews/);
    assert.equal((await inject(['--companions', '-'], { stdin: stdout })).stdout, stdout);
    const checked: unknown = JSON.parse((await runCli(['check', '-', '-o', 'json'], { stdin: stdout })).stdout);
    assert.deepEqual(Object(checked).summary, { objects: 2, findings: 1, enforce: 0, warn: 1, audit: 0 });
    assert.equal(Object(checked).findings[0].messageId, 'reachable');
  });

  it('does not go with a format that has no room for them', async () => {
    for (const format of ['patch', 'diff']) {
      const { code, stderr, stdout } = await inject(['--companions', '-o', format, 'one.yaml']);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /--companions adds whole objects: name -o yaml or -o json/);
    }
  });
});

describe('inject -o diff', () => {
  const changed = ['one.yaml', 'two words.yaml', 'windows.yaml', 'open.yaml'];

  for (const [name, program, args] of [
    ['git apply', 'git', ['apply', '--whitespace=nowarn', '-']],
    ['patch -p1', 'patch', ['-p1', '--binary', '--quiet']],
  ] as const) {
    it(`is what ${name} takes`, async (t) => {
      const isThere = await runCommand(program, ['--version']).catch(() => undefined);
      if (isThere === undefined) return t.skip(`there is no ${program}`);
      const { stdout: diff } = await inject([...changed, 'plain.yaml', '-o', 'diff']);
      const target = mkdtempSync(join(tmpdir(), 'inject-diff-'));
      try {
        for (const file of changed) writeFileSync(join(target, file), FILES[file] ?? '');
        const applied = await runCommand(program, args, { cwd: target, input: diff });
        assert.equal(applied.code, 0, applied.stdout + applied.stderr);
        for (const file of changed) {
          assert.equal(readFileSync(join(target, file), 'utf8'), (await inject([file])).stdout, file);
        }
      } finally {
        rmSync(target, { recursive: true });
      }
      return undefined;
    });
  }

  it('is empty where nothing changes', async () => {
    assert.equal((await inject(['plain.yaml', '-o', 'diff'])).stdout, '');
  });

  it('is coloured on a terminal, and nowhere else', async () => {
    const { stdout: diff } = await inject(['one.yaml', '-o', 'diff']);
    const { stdout: coloured } = await inject(['one.yaml', '-o', 'diff'], { isTTY: true });
    assert.notEqual(coloured, diff);
    assert.equal(stripVTControlCharacters(coloured), diff);
    const env = { NO_COLOR: '1' };
    assert.equal((await inject(['one.yaml', '-o', 'diff'], { isTTY: true, env })).stdout, diff);
  });
});

describe('inject ends', () => {
  it('with 2 where something cannot be read, and writes the rest', async () => {
    const { code, stdout, stderr } = await inject(['broken.yaml', 'absent.yaml']);
    assert.equal(code, 2);
    assert.ok(stdout.startsWith('a: [\n---\n'));
    assert.match(stdout, /name: kube-rbac-proxy\n/);
    assert.match(stderr, /^error: broken\.yaml:1: not valid YAML: /m);
    assert.match(stderr, /^error: absent\.yaml: no such file or folder$/m);
  });

  for (const [title, args, message] of [
    ['no path', [], /^error: name a PATH/],
    ['a format that there is not', ['one.yaml', '-o', 'yml'], /did you mean "yaml"\?/],
    [
      'a policy that is wrong',
      ['one.yaml', '--policy', 'wrong-policy.yaml'],
      /^wrong-policy\.yaml:3:20: "all" is not one of/,
    ],
  ] as const) {
    it(`with 2 at once for ${title}`, async () => {
      const { code, stdout, stderr } = await inject(args);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.match(stderr, message);
    });
  }
});
