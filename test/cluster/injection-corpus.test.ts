import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { planInjection } from '../../src/inject/plan.ts';
import { asList, asObject, asString, type JsonObject } from '../../src/kube/json.ts';
import { metadataOf } from '../../src/kube/object.ts';
import { TEMPLATE_KINDS, templatesOf } from '../../src/kube/templates.ts';
import type { Manifest } from '../../src/manifests/manifests.ts';
import { runCli } from '../cli/run-cli.ts';
import { messageIn } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { corpusSkip, placeOfLabel, readCorpus, readLabels } from '../support/corpus.ts';
import { policyOf } from '../support/validate-review.ts';
import { useWebhook } from '../support/webhook.ts';

/** What a published pod refers to and no test cluster has. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'serviceAccountName',
  'serviceAccount',
  'priorityClassName',
  'runtimeClassName',
  'nodeName',
]);

/** The pods of a labelled object, free of what only its own cluster has. */
function podsOf(object: JsonObject): readonly JsonObject[] {
  const pods = object['kind'] === 'Pod' ? [object] : templatesOf(object, TEMPLATE_KINDS).map(({ pod }) => pod);
  return pods.map((pod) => {
    const { labels, annotations } = metadataOf(pod);
    const spec = Object.entries(asObject(pod['spec'])).filter(([key]) => !ELSEWHERE.has(key));
    const metadata = { name: 'published', labels, annotations };
    return { apiVersion: 'v1', kind: 'Pod', metadata, spec: Object.fromEntries(spec) };
  });
}

/** The names of the proxies that a pod is to get. */
function plannedIn(pod: JsonObject, namespace: string): readonly string[] {
  const { injection } = policyOf([]);
  const planned = planInjection(pod, { injection, namespace, namespaceLabels: {}, isMirrorPod: false });
  return planned.kind === 'plan' ? planned.plan.ports.map(({ container }) => container) : [];
}

/** Where the API server takes the workloads of a namespace; undefined for a kind or a version that it has not. */
function collectionOf({ apiVersion, kind }: JsonObject, namespace: string): string | undefined {
  const root = ROOTS.get(String(apiVersion));
  return root === undefined ? undefined : `${root}/namespaces/${namespace}/${String(kind).toLowerCase()}s`;
}

const ROOTS: ReadonlyMap<string, string> = new Map([
  ['v1', '/api/v1'],
  ['apps/v1', '/apis/apps/v1'],
  ['batch/v1', '/apis/batch/v1'],
]);

function runningIn(pod: unknown): readonly string[] {
  const { containers, initContainers } = asObject(asObject(pod)['spec']);
  return [...asList(containers), ...asList(initContainers)].map((each) => asString(asObject(each)['name']) ?? '');
}

function optedOut(pod: JsonObject): JsonObject {
  const metadata = metadataOf(pod);
  const annotations = { ...asObject(metadata['annotations']), 'scrapeguard.io/inject': 'false' };
  return { ...pod, metadata: { ...metadata, annotations } };
}

if (corpusSkip === false) {
  await clusterSuite('published pods that are injected', {}, (cluster) => {
    const webhook = useWebhook(cluster);
    let corpus: ReadonlyMap<string, Manifest> = new Map();
    before(async () => {
      corpus = await readCorpus(readLabels('inject.jsonl'));
    });

    it('are let in as they would be without, in a namespace of the level that they had', async (t) => {
      const namespaces = {
        restricted: await webhook().createNamespace({ 'pod-security.kubernetes.io/enforce': 'restricted' }),
        other: await webhook().createNamespace(),
      };
      const counts = { injected: 0, restricted: 0, refusedAnyway: 0 };
      for (const label of readLabels('inject.jsonl')) {
        const object = corpus.get(placeOfLabel(label))?.object;
        assert.ok(object, 'the corpus has no such object');
        const level = label['psa'] === 'restricted' ? 'restricted' : 'other';
        const path = `/api/v1/namespaces/${namespaces[level]}/pods?dryRun=All`;
        for (const pod of podsOf(object)) {
          const planned = plannedIn(pod, namespaces[level]);
          if (planned.length === 0) continue;
          const what = `${String(label['file'])} ${String(label['owner'])}`;
          const without = await cluster.request(path, { method: 'POST', body: optedOut(pod) });
          if (without.status !== 201) {
            counts.refusedAnyway += 1;
            t.diagnostic(`not admitted as it is: ${what}: ${messageIn(without.body)}`);
            continue;
          }
          const { status, body } = await cluster.request(path, { method: 'POST', body: pod });
          assert.equal(status, 201, `${what}: ${messageIn(body)}`);
          const names = runningIn(body);
          assert.ok(
            planned.every((name) => names.includes(name)),
            `${what}: ${names.join()}`,
          );
          counts.injected += 1;
          if (level === 'restricted') counts.restricted += 1;
        }
      }
      t.diagnostic(JSON.stringify(counts));
      assert.ok(counts.injected > 10, JSON.stringify(counts));
      assert.ok(counts.restricted > 0, JSON.stringify(counts));
    });

    it('are let in as `scrapeguard inject` writes them, workloads too', async (t) => {
      const namespace = await webhook().createNamespace({ 'pod-security.kubernetes.io/warn': 'restricted' });
      const counts = { written: 0, restricted: 0, refusedAnyway: 0 };
      for (const label of readLabels('inject.jsonl')) {
        const object = corpus.get(placeOfLabel(label))?.object;
        const collection = collectionOf(object ?? {}, namespace);
        if (object === undefined || collection === undefined) continue;
        const bare = object['kind'] === 'Pod' ? (podsOf(object)[0] ?? {}) : object;
        const body = { ...bare, metadata: { ...metadataOf(bare), name: 'published', namespace } };
        const { stdout } = await runCli(['inject', '-o', 'json', '-'], { stdin: JSON.stringify(body) });
        const written = asObject(JSON.parse(stdout));
        if (isDeepStrictEqual(written, body)) continue;
        const what = `${String(label['file'])} ${String(label['owner'])}`;
        const post = (sent: JsonObject) => cluster.request(`${collection}?dryRun=All`, { method: 'POST', body: sent });
        const without = await post(body);
        if (without.status !== 201) {
          counts.refusedAnyway += 1;
          t.diagnostic(`not admitted as it is: ${what}: ${messageIn(without.body)}`);
          continue;
        }
        const { status, body: answer, warnings } = await post(written);
        assert.equal(status, 201, `${what}: ${messageIn(answer)}`);
        counts.written += 1;
        if (label['psa'] !== 'restricted') continue;
        counts.restricted += 1;
        assert.ok(!warnings.some((warning) => warning.includes('PodSecurity')), `${what}: ${warnings.join()}`);
      }
      t.diagnostic(JSON.stringify(counts));
      assert.ok(counts.written > 10, JSON.stringify(counts));
      assert.ok(counts.restricted > 0, JSON.stringify(counts));
    });
  });
} else {
  it('published pods that are injected', { skip: corpusSkip });
}
