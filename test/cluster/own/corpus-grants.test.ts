import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { after, before, it } from 'node:test';
import { asList, asObject, type JsonObject } from '../../../src/kube/json.ts';
import { groupOf, metadataOf, refOf } from '../../../src/kube/object.ts';
import type { Manifest } from '../../../src/manifests/manifests.ts';
import { asUser, canonicalSubject } from '../../../src/rbac/subjects.ts';
import type { KeyPair } from '../../../src/tls/source.ts';
import { clusterRoleBinding } from '../../rbac/objects.ts';
import type { ApiRequest, ApiResponse } from '../../support/api-request.ts';
import type { Cluster } from '../../support/cluster-access.ts';
import { messageIn } from '../../support/cluster-objects.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { corpusSkip, placeOfLabel, readCorpus, readLabels } from '../../support/corpus.ts';
import { bundleOf, rulesOfLabel } from '../../support/grant-labels.ts';
import { waitUntil } from '../../support/wait-for.ts';
import { useWebhook } from '../../support/webhook.ts';

// The roles and bindings of published bundles, written by an ordinary cluster-admin to a real API server under a policy
// that expects nobody. What is refused is then written with break-glass, and the authorizer has to allow it.

const POLICY = `
apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
spec:
  breakGlass:
  - {kind: User, name: breaker}
`;

const GROUP = 'rbac.authorization.k8s.io';
const API = `/apis/${GROUP}/v1`;

/** Roles come before what binds them. */
const KINDS = ['ClusterRole', 'Role', 'ClusterRoleBinding', 'RoleBinding'];

/** What a rule guards, as requests of which the authorizer allows one to whoever has it. */
const REQUESTS: Readonly<Record<string, readonly JsonObject[]>> = {
  'metrics-grant': [{ nonResourceAttributes: { verb: 'get', path: '/metrics' } }],
  'nodes-proxy-grant': ['get', 'create'].map((verb) => ({
    resourceAttributes: { verb, resource: 'nodes', subresource: 'proxy', name: 'node-1' },
  })),
};

/** An object as the API server of today takes it: that of an older version is the same in v1. */
function modernized(object: JsonObject): JsonObject {
  return { ...object, apiVersion: `${GROUP}/v1` };
}

function collectionOf({ kind, namespace }: { readonly kind: string; readonly namespace: string }): string {
  const resource = `${kind.toLowerCase()}s`;
  return kind.startsWith('Cluster') ? `${API}/${resource}` : `${API}/namespaces/${namespace || 'default'}/${resource}`;
}

function isDone({ status }: ApiResponse): boolean {
  return status === 200 || status === 201;
}

/** The rules that refuse a write, in their order; none where it is let in, or is invalid before anybody is asked. */
function refusedBy({ status, body }: ApiResponse): string[] {
  if (status === 200 || status === 201 || status === 422) return [];
  const message = messageIn(body);
  const [, first, others = ''] =
    /^admission webhook "rbac\.[^"]*" denied .* See https:\/\/scrapeguard\.io\/rules\/([a-z-]+)\.(?: Also refused by (.*)\.)?$/s.exec(
      message,
    ) ?? [];
  assert.ok(status === 403 && first !== undefined, `${status} ${message}`);
  return [...new Set([first, ...(others.match(/[a-z]+(?:-[a-z]+)+/g) ?? [])])].sort();
}

/** Thousands of requests need not make a connection each. */
const AGENT = new Agent({ keepAlive: true });

/** Writes objects, and takes back what it did. */
class Author {
  readonly #cluster: Cluster;
  readonly #breaker: KeyPair;
  /** What has to be done to an object's path to undo everything. */
  readonly #undo = new Map<string, ApiRequest>();

  constructor(cluster: Cluster, breaker: KeyPair) {
    this.#cluster = cluster;
    this.#breaker = breaker;
  }

  /** Makes an object, or puts it in the place of the one that is there; with break-glass unless told who writes. */
  async write(object: JsonObject, as: KeyPair = this.#breaker): Promise<ApiResponse> {
    const ref = refOf(object);
    const collection = collectionOf(ref);
    const path = `${collection}/${ref.name}`;
    // Not by trying to make it: admission comes before the answer that it is there.
    const present = await this.#cluster.request(path, { agent: AGENT });
    if (!isDone(present)) {
      const made = await this.#cluster.request(collection, { method: 'POST', body: object, as, agent: AGENT });
      if (isDone(made)) this.#undo.set(path, { method: 'DELETE' });
      return made;
    }
    const { resourceVersion: _, ...metadata } = metadataOf(asObject(present.body));
    if (!this.#undo.has(path)) this.#undo.set(path, { method: 'PUT', body: { ...asObject(present.body), metadata } });
    return this.#cluster.request(path, { method: 'PUT', body: object, as, agent: AGENT });
  }

  /** Removes what was made, and gives back to what was changed what it had. */
  async undo(): Promise<void> {
    for (const [path, request] of [...this.#undo].toReversed()) {
      const undone = await this.#cluster.request(path, { ...request, as: this.#breaker, agent: AGENT });
      assert.ok(isDone(undone), `${path}: ${messageIn(undone.body)}`);
    }
    this.#undo.clear();
  }
}

async function makeNamespaces(cluster: Cluster, manifests: readonly Placed[]): Promise<void> {
  const names = new Set(manifests.map(([, { object }]) => refOf(object).namespace || 'default'));
  for (const name of names) {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    const { status } = await cluster.request('/api/v1/namespaces', { method: 'POST', body });
    assert.ok(status === 201 || status === 409);
  }
}

/** Whether the authorizer allows what a rule guards to the first subject of a binding. */
async function isAllowed(cluster: Cluster, binding: JsonObject, rule: string): Promise<boolean> {
  const subject = canonicalSubject(asList(binding['subjects'])[0]);
  assert.ok(subject !== undefined);
  const { name: user, groups } = asUser(subject) ?? { name: 'somebody', groups: [subject.name] };
  const answers = (REQUESTS[rule] ?? []).map(async (attributes) => {
    const spec = { user, groups, ...attributes };
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    const review = await cluster.request('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      method: 'POST',
      body,
      agent: AGENT,
    });
    return asObject(asObject(review.body)['status'])['allowed'] === true;
  });
  return (await Promise.all(answers)).includes(true);
}

type Placed = readonly [place: string, manifest: Manifest];

/** The roles and bindings of the corpus, those that belong together under one name, in the order of KINDS. */
async function readBundles(): Promise<ReadonlyMap<string, readonly Placed[]>> {
  const all = [...(await readCorpus())];
  const ordered = KINDS.flatMap((wanted) =>
    all.filter(([, { object }]) => object['kind'] === wanted && groupOf(refOf(object).apiVersion) === GROUP),
  );
  return Map.groupBy(ordered, ([, { file }]) => bundleOf(file));
}

if (corpusSkip === false) {
  await ownClusterSuite('roles and bindings of published bundles', { needs: ['kubeControllerManager'] }, (cluster) => {
    const labels = new Map(readLabels('grants.jsonl').map((label) => [placeOfLabel(label), label]));
    let jane: KeyPair | undefined;
    let author: Author | undefined;
    before(async () => {
      jane = await cluster.userCertificate('jane');
      author = new Author(cluster, await cluster.userCertificate('breaker', ['system:masters']));
      const subjects = [{ apiGroup: GROUP, kind: 'User', name: 'jane' }];
      const body = clusterRoleBinding('jane', 'cluster-admin', subjects);
      assert.ok(isDone(await cluster.request(`${API}/clusterrolebindings`, { method: 'POST', body })));
    });
    useWebhook(cluster, { policy: POLICY, namespaces: 'every' });
    after(() => AGENT.destroy());

    /** What is wrong about the answer to an object of the corpus. What is refused is written all the same. */
    const judge = async (place: string, { object: published }: Manifest): Promise<readonly string[]> => {
      assert.ok(author !== undefined && jane !== undefined);
      const object = modernized(published);
      const label = labels.get(place);
      const expected = label === undefined ? [] : rulesOfLabel(label);
      const refused = refusedBy(await author.write(object, jane));
      if (refused.join() !== expected.join()) return [`${place}: ${refused.join()} instead of ${expected.join()}`];
      if (refused.length === 0) return [];
      const written = await author.write(object);
      assert.ok(isDone(written), `${place}: ${messageIn(written.body)}`);
      for (const rule of refused) {
        await waitUntil(`the authorizer to allow what is in ${place}`, () => isAllowed(cluster, object, rule));
      }
      return [];
    };

    it('are refused exactly where people found a grant in them', async (t) => {
      const wrong: string[] = [];
      const judged = new Set<string>();
      for (const entries of (await readBundles()).values()) {
        await makeNamespaces(cluster, entries);
        for (const [place, manifest] of entries) {
          wrong.push(...(await judge(place, manifest)));
          judged.add(place);
        }
        await author?.undo();
      }
      assert.deepEqual(wrong, []);
      const missed = [...labels.keys()].filter((place) => !judged.has(place));
      assert.deepEqual(missed, []);
      t.diagnostic(`${judged.size} roles and bindings, ${labels.size} of them labelled`);
    });
  });
} else {
  it('roles and bindings of published bundles', { skip: corpusSkip });
}
