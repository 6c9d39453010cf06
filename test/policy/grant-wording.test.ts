import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';
import { parse } from 'yaml';

import type { JsonObject } from '../../src/kube/json.ts';
import { type KubernetesVersion, viewOf } from '../../src/policy/cluster-view.ts';
import { expectedSubjectsOf } from '../../src/policy/expected-subjects.ts';
import { CAPABILITIES, setOf } from '../../src/rbac/capabilities.ts';
import { canonicalSubject } from '../../src/rbac/subjects.ts';
import { RULES } from '../../src/rules/index.ts';
import { clusterRole, clusterRoleBinding } from '../rbac/objects.ts';
import { policyOf, validateWrite } from '../support/validate-review.ts';

const NODES_PROXY = { verbs: ['get'], apiGroups: [''], resources: ['nodes/proxy'] };
const METRICS = { verbs: ['get'], nonResourceURLs: ['/metrics'] };
const EVERYTHING = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
const STRICT = { clusterScoped: { enforce: 'strict' } };
const ACCOUNT = { kind: 'ServiceAccount', namespace: 'team-a', name: 'app' };

interface Refused {
  readonly rules?: readonly unknown[];
  readonly subject?: JsonObject;
  readonly spec?: JsonObject;
  readonly version?: KubernetesVersion;
}

async function refusal({ rules = [NODES_PROXY], subject = ACCOUNT, spec = {}, version }: Refused): Promise<string> {
  const view = viewOf([clusterRole('r', rules)], version);
  const { response } = await validateWrite(
    { object: clusterRoleBinding('b', 'r', [subject]) },
    { viewFor: () => view, spec },
  );
  assert.equal(response.allowed, false);
  return response.status?.message ?? '';
}

describe('a refusal of a grant', () => {
  it('says who gets what from where, what that allows, how to do without, and how to expect it', async () => {
    assert.equal(
      await refusal({}),
      'ServiceAccount team-a/app gets nodes/proxy from ClusterRoleBinding "b" by rule 0 of ClusterRole "r", and so ' +
        'runs commands in every container of every node (/subjects/0). Replace nodes/proxy by those of ' +
        'nodes/metrics, nodes/stats, nodes/pods, nodes/healthz, nodes/configz that are needed, and scrape port 10250 ' +
        'of the nodes directly. If the subject is meant to have nodes/proxy, the policy says so: expectedSubjects: ' +
        '[{capabilities: [nodes/proxy], subjects: [{kind: ServiceAccount, namespace: team-a, name: app}], reason: why}]. ' +
        'See https://scrapeguard.io/rules/nodes-proxy-grant.',
    );
  });

  it('recommends what the cluster has', async () => {
    for (const minor of [30, 32]) {
      assert.match(
        await refusal({ version: { major: 1, minor } }),
        /those of nodes\/metrics, nodes\/stats that are needed/,
      );
    }
    assert.match(await refusal({ version: { major: 1, minor: 33 } }), /nodes\/stats, nodes\/pods, nodes\/healthz/);
  });

  const crowds: readonly [subject: JsonObject, said: RegExp][] = [
    [
      { kind: 'Group', name: 'system:authenticated' },
      /^Group \S+ \(everybody who has logged in, and every ServiceAccount\) gets/,
    ],
    [{ kind: 'Group', name: 'system:unauthenticated' }, /^Group \S+ \(anybody, without a login\) gets/],
    [{ kind: 'User', name: 'system:anonymous' }, /^User \S+ \(anybody, without a login\) gets/],
    [{ kind: 'Group', name: 'system:serviceaccounts' }, /^Group \S+ \(every ServiceAccount of the cluster\) gets/],
    [{ kind: 'Group', name: 'system:serviceaccounts:a' }, /^Group \S+ \(every ServiceAccount of that namespace\) gets/],
    [{ kind: 'Group', name: 'dev' }, /^Group dev gets/],
    [{ kind: 'User', name: 'system:serviceaccounts' }, /^User system:serviceaccounts gets/],
  ];
  for (const [subject, said] of crowds) {
    it(`to ${JSON.stringify(subject)}`, async () => assert.match(await refusal({ subject }), said));
  }

  it('names the nodes that it is limited to', async () => {
    const rules = [{ ...NODES_PROXY, resourceNames: ['n1', 'n2'] }];
    assert.match(await refusal({ rules }), /gets nodes\/proxy \(only n1, n2\) .* of these nodes \(/);
  });

  it('does not propose to expect everybody', async () => {
    const everybody = [
      { kind: 'Group', name: 'system:authenticated' },
      { kind: 'Group', name: 'system:unauthenticated' },
      { kind: 'User', name: 'system:anonymous' },
      { kind: 'Group', name: 'system:serviceaccounts' },
    ];
    for (const subject of everybody) {
      const message = await refusal({ subject });
      assert.match(message, /the policy says so: expectedSubjects, with a ServiceAccount or a group of your own\./);
      assert.doesNotMatch(message, /subjects: \[/);
    }
  });

  it('proposes no pattern where a name has a star', async () => {
    const message = await refusal({ subject: { kind: 'User', name: '*' } });
    assert.match(message, /the policy says so: expectedSubjects, with a name that holds no \*\./);
    assert.doesNotMatch(message, /subjects: \[/);
  });

  it('is short whatever the names are', async () => {
    const long = (letter: string, length: number): string => letter.repeat(length);
    const roles = Array.from({ length: 12 }, (_, at) =>
      clusterRole(
        `${long('r', 250)}${at}`,
        at === 11 ? [{ ...EVERYTHING, resourceNames: [long('n', 253), long('m', 253)] }, METRICS] : [],
        {
          labels: { [`l${at}`]: '1' },
          selectors: [{ matchLabels: { [`l${at + 1}`]: '1' } }],
        },
      ),
    );
    const subjects = [
      { kind: 'ServiceAccount', namespace: long('s', 63), name: long('a', 253) },
      { kind: 'ServiceAccount', namespace: long('s', 63), name: long('a', 80) },
      { kind: 'Group', name: `system:serviceaccounts:${long('s', 63)}` },
      { kind: 'User', name: long('u', 3000) },
    ];
    for (const subject of subjects) {
      const object = clusterRoleBinding(long('b', 253), `${long('r', 250)}0`, [subject]);
      const spec = { clusterScoped: { enforce: 'strict' } };
      const { response } = await validateWrite({ object }, { clusterObjects: roles, spec });
      assert.ok((response.status?.message.length ?? 0) > 300);
      assert.ok((response.status?.message.length ?? 0) <= 1100, response.status?.message);
    }
  });

  it('warns in 120 characters', async () => {
    const object = clusterRoleBinding('b'.repeat(253), 'edit', [{ ...ACCOUNT, name: 'a'.repeat(253) }]);
    const { response } = await validateWrite({ object });
    const [warning = ''] = response.warnings ?? [];
    assert.match(warning, /^indirect-grant: ServiceAccount team-a\/a+… gets pods/);
    assert.ok(warning.length <= 120);
  });
});

describe('the lines of policy that a refusal proposes', () => {
  it('expect exactly that subject to have exactly that, whatever its name', async () => {
    const name = fc.oneof(
      fc.constantFrom(
        'true',
        'no',
        '12',
        '1e3',
        '~',
        'a: b',
        '- a',
        '"',
        "'",
        '{a',
        'a,b',
        '#a',
        'a #b',
        '0x1f',
        'null',
        '@a',
        '%a',
        '&a',
        '!a',
        '|',
        'é',
      ),
      fc.string({ minLength: 1, maxLength: 20 }),
    );
    const subjects = fc.oneof(
      fc.record({ kind: fc.constantFrom('User', 'Group'), name }),
      fc.record({ kind: fc.constant('ServiceAccount'), namespace: name, name }),
    );
    await fc.assert(
      fc.asyncProperty(subjects, async (subject) => {
        const message = await refusal({ subject });
        const [, line] = /the policy says so: (expectedSubjects: \[.*\])\. See/.exec(message) ?? [];
        const canonical = canonicalSubject(subject);
        if (line === undefined || canonical === undefined) {
          assert.match(JSON.stringify(subject), /\*/);
          return;
        }
        const { capabilitiesOf } = expectedSubjectsOf(policyOf(RULES, parse(line)));
        const meant = setOf('nodes/proxy');
        assert.equal(capabilitiesOf(canonical), meant, message);
      }),
      { numRuns: 300 },
    );
  });
});

it('says of every capability what it allows', async () => {
  const spec = {
    ...STRICT,
    rules: {
      'kubelet-api-grant': {
        params: {
          capabilities: ['nodes/metrics', 'nodes/stats', 'nodes/pods', 'nodes/configz', 'nodes/healthz', 'nodes/spec'],
        },
      },
    },
  };
  const view = viewOf([clusterRole('r', [EVERYTHING, METRICS])]);
  const object = clusterRoleBinding('b', 'r', [ACCOUNT]);
  const { outcome } = await validateWrite({ object }, { viewFor: () => view, spec });
  const said = outcome.answered.reduce((sum, { count }) => sum + count, 0);
  assert.equal(said, CAPABILITIES.length);
});
