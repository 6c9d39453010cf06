import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';

import type { WhoCan } from '../../src/report/who-can.ts';
import { clusterRole, clusterRoleBinding, role, roleBinding } from '../rbac/objects.ts';
import { runCli, type Ran, type Surroundings } from './run-cli.ts';

const PROMETHEUS = { kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus' };
const JANE = { kind: 'User', name: 'jane' };
const PODS = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };

const OBJECTS = [
  clusterRole('all', [], { selectors: [{ matchLabels: { m: '1' } }] }),
  clusterRole('part', [PODS, { verbs: ['get'], nonResourceURLs: ['/metrics'] }], { labels: { m: '1' } }),
  clusterRole('one-node', [{ ...PODS, resources: ['nodes/proxy'], resourceNames: ['n1'] }]),
  clusterRoleBinding('scraper', 'all', [PROMETHEUS]),
  clusterRoleBinding('debug', 'one-node', [JANE]),
  clusterRoleBinding('waiting', 'test-all-parts', [JANE, { kind: 'Group', name: 'devs' }]),
  roleBinding('team-a', 'in-vain', 'all', [JANE]),
  role('team-b', 'reader', [PODS]),
  roleBinding('team-b', 'reader', 'Role reader', [{ kind: 'Group', name: 'system:serviceaccounts:team-b' }]),
];

const folder = mkdtempSync(join(tmpdir(), 'who-can-'));
writeFileSync(join(folder, 'rbac.yaml'), OBJECTS.map((object) => JSON.stringify(object)).join('\n---\n'));
writeFileSync(join(folder, 'broken.yaml'), 'a: [\n');
writeFileSync(join(folder, 'clusterroles'), '');
after(() => rmSync(folder, { recursive: true }));

const whoCan = (line: string, surroundings?: Surroundings): Promise<Ran> =>
  runCli(['who-can', ...line.split(' ')], { cwd: folder, ...surroundings });

async function answerTo(line: string): Promise<WhoCan> {
  // What the program itself printed; its shape is what this file is about.
  return JSON.parse((await whoCan(`${line} rbac.yaml -o json`)).stdout) as WhoCan;
}

/** The holders who are not Kubernetes' own, as `subject by binding`. */
async function othersWho(line: string): Promise<string[]> {
  const { holders } = await answerTo(line);
  return holders
    .filter(({ isKubernetes }) => !isKubernetes)
    .flatMap(({ subject, ways }) => ways.map(({ binding }) => `${subject.name} by ${binding.name}`));
}

describe('who-can', () => {
  it('draws the way from a subject to the role that holds the rule', async () => {
    const { code, stdout, stderr } = await whoCan('metrics rbac.yaml');
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(
      stdout,
      `1 subject has "metrics", and 2 of Kubernetes' own.

ServiceAccount monitoring/prometheus
└─ ClusterRoleBinding scraper
   └─ ClusterRole all
      └─ aggregated from ClusterRole part, rules[1]

Group system:masters (Kubernetes' own)
└─ ClusterRoleBinding cluster-admin (Kubernetes' default)
   └─ ClusterRole cluster-admin, rules[1], by a wildcard

Group system:monitoring (Kubernetes' own)
└─ ClusterRoleBinding system:monitoring (Kubernetes' default)
   └─ ClusterRole system:monitoring, rules[0]

These give nothing, for it is asked for in no namespace and they hold within one:
  RoleBinding team-a/in-vain

These give whatever a role of the name will have, which does not exist:
  ClusterRoleBinding waiting for User jane and 1 more: ClusterRole test-all-parts
`,
    );
  });

  it('says what a grant is limited to, and that Kubernetes alone has something', async () => {
    assert.match((await whoCan('nodes/proxy rbac.yaml')).stdout, /ClusterRole one-node, rules\[0\], only n1\n/);
    assert.match((await whoCan('get nodes/proxy rbac.yaml')).stdout, /ClusterRole one-node, rules\[0\], only n1\n/);
    assert.match((await whoCan('nodes/log rbac.yaml')).stdout, /^Nobody has "nodes\/log" but 3 of Kubernetes' own/);
    assert.match(
      (await whoCan('frobnicate /nowhere -', { stdin: '' })).stdout,
      /^Nobody has "frobnicate \/nowhere" but 1 /,
    );
  });

  it('says where a RoleBinding holds, and whom a group stands for', async () => {
    const { stdout } = await whoCan('get pods rbac.yaml');
    assert.match(
      stdout,
      /Group system:serviceaccounts:team-b \(every service account of the namespace\)\n└─ RoleBinding team-b\/reader, in namespace team-b only\n {3}└─ Role reader, rules\[0\]\n/,
    );
    assert.match(stdout, /User jane\n└─ RoleBinding team-a\/in-vain, in namespace team-a only\n/);
  });

  const rows: readonly (readonly [question: string, others: readonly string[]])[] = [
    ['metrics', ['prometheus by scraper']],
    ['get /metrics', ['prometheus by scraper']],
    ['GET /metrics', ['prometheus by scraper']],
    ['post /metrics', []],
    ['get /metrics/', []],
    ['nodes/proxy', ['jane by debug']],
    ['get nodes/proxy', ['jane by debug']],
    ['create nodes/proxy', []],
    ['get pods', ['system:serviceaccounts:team-b by reader', 'prometheus by scraper', 'jane by in-vain']],
    ['get pods.apps', []],
    ['escalate', []],
    ['impersonate users', []],
    ['bind clusterroles.rbac.authorization.k8s.io', []],
  ];
  for (const [question, others] of rows) {
    it(`${question}: ${others.join(', ') || 'nobody but Kubernetes'}`, async () => {
      assert.deepEqual(await othersWho(question), others);
    });
  }

  it('knows the groups of common resources', async () => {
    assert.equal((await answerTo('get deployments/scale')).question, 'get deployments.apps/scale');
    assert.equal((await answerTo('list clusterroles')).question, 'list clusterroles.rbac.authorization.k8s.io');
    assert.equal((await answerTo('get widgets.example.com')).question, 'get widgets.example.com');
  });

  it('takes bind for a verb before a resource, and for a capability before a file', async () => {
    assert.equal((await answerTo('bind roles')).question, 'bind roles.rbac.authorization.k8s.io');
    assert.equal((await answerTo('bind')).question, 'bind');
    assert.equal((await whoCan('bind clusterroles -o json')).code, 0);
  });

  it('has everything in JSON', async () => {
    const { holders, ineffective, dangling } = await answerTo('metrics');
    assert.deepEqual(holders[0], {
      subject: { kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus' },
      isKubernetes: false,
      ways: [
        {
          binding: { kind: 'ClusterRoleBinding', namespace: '', name: 'scraper' },
          isDefaultBinding: false,
          roles: [
            { kind: 'ClusterRole', name: 'all' },
            { kind: 'ClusterRole', name: 'part' },
          ],
          rule: 1,
          how: 'explicit',
        },
      ],
    });
    assert.deepEqual(ineffective, [{ kind: 'RoleBinding', namespace: 'team-a', name: 'in-vain' }]);
    assert.deepEqual(
      dangling.map(({ binding, role: name, subjects }) => [binding.name, name, subjects.length]),
      [['waiting', 'test-all-parts', 2]],
    );
  });

  it('marks a subject that somebody put into a default binding as nobody of Kubernetes', async () => {
    const tampered = clusterRoleBinding('system:monitoring', 'system:monitoring', [JANE]);
    const { stdout } = await whoCan('metrics -', { stdin: JSON.stringify(tampered) });
    assert.match(stdout, /^User jane\n└─ ClusterRoleBinding system:monitoring\n/m);
  });

  it('hints at what may have been meant', async () => {
    assert.match((await whoCan('node/proxy')).stderr, /^error: .*did you mean "nodes\/proxy"\?/);
    assert.match(
      (await whoCan('metric rbac.yaml')).stderr,
      /^error: No capability is called "metric"; did you mean "metrics"\?/,
    );
    assert.match(
      (await whoCan('get nodes/prox rbac.yaml')).stderr,
      /^note: did you mean nodes\/proxy by "nodes\/prox"\?\n$/,
    );
    assert.match((await whoCan('gte pods rbac.yaml')).stderr, /^note: no verb .*did you mean get\?\n$/);
  });

  const failures: readonly (readonly [line: string, message: RegExp])[] = [
    ['metrics', /Name a PATH with manifests, or a cluster with --kubeconfig/],
    ['metrics rbac.yaml --kubeconfig k', /Name PATHs or a cluster/],
    ['metrics --context c', /name that with --kubeconfig/],
    ['metrics --kubeconfig absent', /Cannot read the cluster of absent/],
    ['metrics rbac.yaml -o yaml', /is not one of text, json|It is not one of/],
    ['metrics absent.yaml', /absent\.yaml/],
    ['metrics rbac.yaml broken.yaml', /broken\.yaml:1: /],
  ];
  for (const [line, message] of failures) {
    it(`ends with 2: ${line}`, async () => {
      const { code, stderr } = await whoCan(line);
      assert.equal(code, 2);
      assert.match(stderr, message);
    });
  }

  it('answers from the files that it could read', async () => {
    assert.match((await whoCan('metrics rbac.yaml broken.yaml')).stdout, /ServiceAccount monitoring\/prometheus/);
  });

  it('colours what a person reads on a terminal, and nothing else', async () => {
    const plain = (await whoCan('metrics rbac.yaml')).stdout;
    const coloured = (await whoCan('metrics rbac.yaml', { isTTY: true })).stdout;
    assert.notEqual(coloured, plain);
    assert.equal(stripVTControlCharacters(coloured), plain);
    assert.equal((await whoCan('metrics rbac.yaml', { isTTY: true, env: { NO_COLOR: '1' } })).stdout, plain);
  });

  it('lets no control character of a manifest through', async () => {
    const odd = clusterRoleBinding('a\u001B[31m\nb', 'one-node', [{ kind: 'User', name: 'x\ry' }]);
    const stdin = [JSON.stringify(odd), JSON.stringify(OBJECTS[2])].join('\n---\n');
    const { stdout } = await whoCan('nodes/proxy -', { stdin });
    assert.equal(stripVTControlCharacters(stdout).replaceAll('\r', ''), stdout);
    assert.match(stdout, /User x y\n└─ ClusterRoleBinding a \[31m b\n/);
  });
});
