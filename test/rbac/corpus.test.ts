// Published manifests against the labels that they were read with by hand: who is granted what, by which rule.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asList, asObject, asString, type JsonObject } from '../../src/kube/json.ts';
import { clusterRoleBindingOf } from '../../src/rbac/bindings.ts';
import type { Capability } from '../../src/rbac/capabilities.ts';
import { defaultRoles } from '../../src/rbac/default-roles.ts';
import type { GrantsIndex } from '../../src/rbac/grants-index.ts';
import { grantsOf, grantsOfRole, type RoleGrant } from '../../src/rbac/grants.ts';
import { clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import type { Manifest } from '../../src/manifests/manifests.ts';
import { corpusSkip, placeOfLabel, readCorpus, readLabels } from '../support/corpus.ts';
import { bundleOf } from '../support/grant-labels.ts';
import { indexOf } from './objects.ts';

const LABELLED: ReadonlySet<Capability> = new Set(['metrics', 'nodes/proxy', 'nodes/metrics', 'nodes/stats']);
const RBAC_KINDS = new Set(['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']);

test('published manifests grant what their labels say', { skip: corpusSkip }, async (t) => {
  const corpus = await readCorpus();
  const bundles = Map.groupBy(corpus.values(), ({ file }) => bundleOf(file));
  const views = new Map(Array.from(bundles, ([bundle, manifests]) => [bundle, viewOf(manifests)]));
  for (const label of readLabels('grants.jsonl').filter(({ kind }) => String(kind).startsWith('ClusterRole'))) {
    await t.test(`${String(label['file'])} ${String(label['kind'])} ${String(label['name'])}`, () => {
      const manifest = corpus.get(placeOfLabel(label));
      const view = views.get(bundleOf(String(label['file'])));
      assert.ok(manifest && view, 'the corpus has no such object');
      const found = grantsFound(manifest.object, view).filter(({ capability }) => LABELLED.has(capability));
      assert.deepEqual(found.map(shortOf).sort(), expected(label).sort());
    });
  }
});

/** What is there with a bundle in a new cluster. */
function viewOf(bundle: readonly Manifest[]): GrantsIndex {
  const objects = bundle.map(({ object }) => object).filter(({ kind }) => RBAC_KINDS.has(String(kind)));
  return indexOf([...defaultRoles(), ...objects]);
}

function grantsFound(object: JsonObject, view: GrantsIndex): readonly RoleGrant[] {
  if (object['kind'] === 'ClusterRole') return grantsOfRole(clusterRoleOf(object), view);
  const grants = grantsOf(clusterRoleBindingOf(object), view);
  assert.ok(grants !== 'unknown');
  return grants.grants;
}

/** The strongest of the labelled rules that have an effect; `/metrics` is what labels call the capability metrics. */
function expected({ grants }: JsonObject): string[] {
  return Object.entries(asObject(grants)).flatMap(([labelled, rules]) => {
    const effective = asList(rules)
      .map(asObject)
      .filter((rule) => rule['effective'] !== false);
    const { how, role, rule } = effective.find((each) => each['how'] === 'explicit') ?? effective[0] ?? {};
    const capability = labelled === '/metrics' ? 'metrics' : labelled;
    return how === undefined ? [] : [[capability, asString(how), asString(role), Number(rule)].join(' ')];
  });
}

function shortOf({ capability, how, role, rule }: RoleGrant): string {
  return `${capability} ${how} ${role} ${rule}`;
}
