import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import type { JsonObject } from '../../src/kube/json.ts';
import { viewOf, type ClusterView } from '../../src/policy/cluster-view.ts';
import { evaluate, messageOf, type Evaluation } from '../../src/policy/evaluate.ts';
import { clusterRole, clusterRoleBinding } from '../rbac/objects.ts';
import { someCluster } from '../rbac/clusters.ts';
import { anyJson } from '../support/json-trees.ts';
import { rulesetOf, STRICTEST, TODAY } from '../support/rulesets.ts';
import { validateWrite } from '../support/validate-review.ts';

// Objects of shapes that no API server would store, and of sizes that one just would.

const ruleset = rulesetOf(STRICTEST);
const SCOPE = { profiles: { enforce: 'strict', warn: 'strict', audit: 'strict' }, uncertain: false } as const;

function written(object: JsonObject, state: readonly JsonObject[], oldObject?: JsonObject): Evaluation {
  return writtenTo(viewOf(state), object, oldObject);
}

function writtenTo(view: ClusterView, object: JsonObject, oldObject?: JsonObject): Evaluation {
  return evaluate(object, ruleset, {
    view,
    scope: SCOPE,
    namespace: '',
    today: TODAY,
    operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
    ...(oldObject && { oldObject }),
  });
}

const SENSITIVE = [
  { verbs: ['get'], apiGroups: [''], resources: ['nodes/proxy'] },
  { verbs: ['get'], nonResourceURLs: ['/metrics'] },
];

describe('a ClusterRole or ClusterRoleBinding of any shape', () => {
  const role = fc
    .record({ rules: anyJson, aggregationRule: anyJson, metadata: anyJson })
    .map((fields): JsonObject => Object.assign({}, clusterRole('r', []), fields));
  const binding = fc
    .record({ roleRef: anyJson, subjects: anyJson, metadata: anyJson })
    .map((fields): JsonObject => Object.assign({}, clusterRoleBinding('b', 'r', []), fields));

  it('is judged, in a cluster of any shape', () => {
    fc.assert(
      fc.property(
        fc.oneof(role, binding),
        fc.oneof(role, binding),
        fc.array(fc.oneof(role, binding)),
        (after, before, state) => {
          const view = viewOf(state);
          for (const old of [undefined, before]) {
            const { findings, errors } = writtenTo(view, after, old);
            assert.deepEqual(errors, []);
            for (const finding of findings) assert.doesNotMatch(messageOf(finding), /\{\{/);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is refused to nobody: what is malformed gives nothing', async () => {
    const rows: readonly [name: string, object: JsonObject][] = [
      ['subjects that are no list', clusterRoleBinding('b', 'r', { kind: 'User', name: 'jane' })],
      ['a subject without a name', clusterRoleBinding('b', 'r', [{ kind: 'User' }])],
      ['a subject of another kind', clusterRoleBinding('b', 'r', [{ kind: 'user', name: 'jane' }])],
      ['an account without a namespace', clusterRoleBinding('b', 'r', [{ kind: 'ServiceAccount', name: 'app' }])],
      ['no roleRef', { ...clusterRoleBinding('b', 'r', [{ kind: 'User', name: 'jane' }]), roleRef: null }],
    ];
    for (const [name, object] of rows) {
      const { response } = await validateWrite({ object }, { clusterObjects: [clusterRole('r', SENSITIVE)] });
      assert.equal(response.allowed, true, name);
    }
  });
});

describe('any write', () => {
  it('that changes nothing adds nothing, and one that adds something is found whatever it is called', () => {
    fc.assert(
      fc.property(someCluster, (objects) => {
        const view = viewOf(objects);
        for (const object of objects) {
          const others = objects.filter((each) => each !== object);
          assert.deepEqual(writtenTo(view, object, structuredClone(object)).findings, []);
          const grants = written(object, others).findings.filter(({ rule }) => rule.judgesGrants === true);
          for (const { data, path } of grants) {
            assert.ok(path.startsWith('/subjects/') || path.startsWith('/rules/') || path === '/aggregationRule');
            assert.notEqual(data['subjectName'], undefined);
            assert.notEqual(data['capability'], undefined);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('very large objects', () => {
  const LARGE = 100_000;

  it('a hundred thousand subjects: the first are told one by one, and the others counted', () => {
    const subjects = Array.from({ length: LARGE }, (_, at) => ({ kind: 'User', name: `user-${at}` }));
    const { findings } = written(clusterRoleBinding('b', 'r', subjects), [clusterRole('r', SENSITIVE)]);
    const ofOne = findings.filter(({ rule }) => rule.id === 'nodes-proxy-grant');
    assert.equal(ofOne.length, 101);
    const last = ofOne.at(-1);
    assert.ok(last !== undefined);
    assert.match(messageOf(last), /^User user-100 and 99899 more like it gets nodes\/proxy/);
    assert.equal(last.path, '/subjects/100');
  });

  it('an explicit grant behind very many wildcards is still refused', async () => {
    const wildcards = Array.from({ length: 150 }, (_, at) =>
      clusterRoleBinding(`b${at}`, 'all', [{ kind: 'User', name: 'jane' }]),
    );
    const all = clusterRole('all', [], { selectors: [{ matchLabels: { m: '1' } }] });
    const object = clusterRole('r', [{ ...SENSITIVE[0], resources: ['*'] }], { labels: { m: '1' } });
    const explicit = clusterRole('r', [{ ...SENSITIVE[0], resources: ['*', 'nodes/proxy'] }], { labels: { m: '1' } });
    const spec = { rules: { 'nodes-proxy-grant': { params: { wildcards: 'advice' } } } };
    const answer = async (role: JsonObject): Promise<boolean> => {
      const { response } = await validateWrite({ object: role }, { clusterObjects: [all, ...wildcards], spec });
      return response.allowed;
    };
    assert.deepEqual([await answer(object), await answer(explicit)], [true, false]);
  });

  it('a hundred thousand rules, of which the last matters', () => {
    const rules = Array.from({ length: LARGE }, (_, at) => ({
      verbs: ['get'],
      apiGroups: [''],
      resources: [`r${at}`],
    }));
    const role = clusterRole('r', [...rules, ...SENSITIVE]);
    const { findings } = written(role, [clusterRoleBinding('b', 'r', [{ kind: 'User', name: 'jane' }])]);
    assert.deepEqual(findings.map(({ path }) => path).sort(), [`/rules/${LARGE + 1}`, `/rules/${LARGE}`].sort());
  });

  it('a thousand bindings to a role that is written', () => {
    const bindings = Array.from({ length: 1000 }, (_, at) =>
      clusterRoleBinding(`b${at}`, 'r', [{ kind: 'User', name: `u${at}` }]),
    );
    const { findings } = written(clusterRole('r', SENSITIVE), bindings);
    assert.deepEqual(findings.length, 202);
  });
});
