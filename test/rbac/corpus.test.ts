// Published manifests against the labels that they were read with by hand: who is granted what, by which rule.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Document, parseAllDocuments } from 'yaml';
import { asList, asObject, isObject, type JsonObject } from '../../src/kube/json.ts';
import { clusterRoleBindingOf } from '../../src/rbac/bindings.ts';
import type { Capability } from '../../src/rbac/capabilities.ts';
import { defaultRoles } from '../../src/rbac/default-roles.ts';
import type { GrantsIndex } from '../../src/rbac/grants-index.ts';
import { grantsOf, grantsOfRole, type RoleGrant } from '../../src/rbac/grants.ts';
import { clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import { indexOf } from './objects.ts';

/** A label: `grants` by capability, `/metrics` for metrics; a rule without an effective verb has `effective: false`. */
interface Label {
  readonly file: string;
  readonly source: string;
  readonly bundle: string;
  readonly doc: number;
  readonly item: number | null;
  readonly kind: string;
  readonly name: string;
  readonly verdict: 'grant' | 'no-grant' | 'unbound-role' | 'unknown';
  readonly grants?: Readonly<Record<string, readonly LabelledRule[]>>;
}

interface LabelledRule {
  readonly how: 'explicit' | 'wildcard';
  readonly role: string;
  readonly rule: number;
  readonly effective?: boolean;
}

const CORPUS = new URL('../../../shared/corpus/', import.meta.url);
const LABELLED: ReadonlySet<Capability> = new Set(['metrics', 'nodes/proxy', 'nodes/metrics', 'nodes/stats']);
const RBAC_KINDS = new Set(['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']);

test(
  'published manifests grant what their labels say',
  { skip: existsSync(CORPUS) ? false : 'the corpus is not there' },
  async (t) => {
    const lines = readFileSync(new URL('grants.jsonl', CORPUS), 'utf8').trim().split('\n');
    const labels = lines.map((line): Label => JSON.parse(line));
    for (const label of labels.filter(({ kind }) => kind.startsWith('ClusterRole'))) {
      await t.test(`${label.file} ${label.kind} ${label.name}`, () => {
        const found = grantsFound(label).filter(({ capability }) => LABELLED.has(capability));
        assert.deepEqual(found.map(shortOf).sort(), expected(label).sort());
      });
    }
  },
);

function grantsFound(label: Label): readonly RoleGrant[] {
  const view = viewOfBundle(`${label.source}/${label.bundle}/`);
  const documents = documentsOf(label.file);
  const document = asObject(documents[label.doc]);
  const object = label.item === null ? document : asObject(asList(document['items'])[label.item]);
  if (label.kind === 'ClusterRole') return grantsOfRole(clusterRoleOf(object), view);
  const grants = grantsOf(clusterRoleBindingOf(object), view);
  assert.ok(grants !== 'unknown');
  return grants.grants;
}

/** The strongest of the labelled rules that have an effect. */
function expected({ grants = {} }: Label): string[] {
  return Object.entries(grants).flatMap(([labelled, rules]) => {
    const effective = rules.filter((rule) => rule.effective !== false);
    const { how, role, rule } = effective.find((each) => each.how === 'explicit') ?? effective[0] ?? {};
    const capability = labelled === '/metrics' ? 'metrics' : labelled;
    return how === undefined ? [] : [`${capability} ${how} ${role} ${rule}`];
  });
}

function shortOf({ capability, how, role, rule }: RoleGrant): string {
  return `${capability} ${how} ${role} ${rule}`;
}

const VIEWS = new Map<string, GrantsIndex>();

function viewOfBundle(folder: string): GrantsIndex {
  const known = VIEWS.get(folder) ?? indexOf([...defaultRoles(), ...bundleObjects(folder)]);
  VIEWS.set(folder, known);
  return known;
}

function bundleObjects(folder: string): readonly JsonObject[] {
  const files = readdirSync(new URL(folder, CORPUS), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => /\.ya?ml$|\.json$/.test(file))
    .flatMap((file) => documentsOf(`${folder}${file}`))
    .flatMap((document) => (isObject(document) && document['kind'] === 'List' ? asList(document['items']) : [document]))
    .filter(isObject)
    .filter(({ kind }) => typeof kind === 'string' && RBAC_KINDS.has(kind));
}

const DOCUMENTS = new Map<string, readonly unknown[]>();

function documentsOf(file: string): readonly unknown[] {
  const known = DOCUMENTS.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(new URL(file, CORPUS), 'utf8');
  const parsed = parseAllDocuments(text, { uniqueKeys: false, logLevel: 'silent', version: '1.1' });
  const documents = Array.from(parsed, readDocument).filter((document) => document !== null && document !== undefined);
  DOCUMENTS.set(file, documents);
  return documents;
}

function readDocument(document: Document.Parsed): unknown {
  try {
    return document.toJS();
  } catch {
    return undefined;
  }
}
