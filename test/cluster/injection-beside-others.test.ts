import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asList, asObject, asString, type JsonObject } from '../../src/kube/json.ts';
import { annotationOf, metadataOf } from '../../src/kube/object.ts';
import { escapeToken } from '../../src/kube/pointer.ts';
import { messageIn, rulesIn } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { type OtherWebhook, useOtherWebhook } from '../support/other-webhook.ts';
import { useWebhook } from '../support/webhook.ts';

const LATE = { name: 'late', image: 'example.com/late:1', ports: [{ name: 'late', containerPort: 8443 }] };

/** Appends a container that declares the port which a proxy gets where it is free. */
function appendContainer(): ReturnType<OtherWebhook['patchFor']> {
  return [{ op: 'add', path: '/spec/containers/-', value: LATE }];
}

/** The same with a port that nobody else has. */
function appendHarmless(): ReturnType<OtherWebhook['patchFor']> {
  return [{ op: 'add', path: '/spec/containers/-', value: { ...LATE, ports: [{ containerPort: 7070 }] } }];
}

/** Takes away every annotation that it does not know. */
function stripAnnotations(pod: JsonObject): ReturnType<OtherWebhook['patchFor']> {
  return Object.keys(asObject(metadataOf(pod)['annotations']))
    .filter((key) => !key.startsWith('prometheus.io/'))
    .map((key) => ({ op: 'remove', path: `/metadata/annotations/${escapeToken(key)}` }));
}

function containersOf(pod: unknown): readonly string[] {
  const { containers } = asObject(asObject(pod)['spec']);
  return asList(containers).map((container) => asString(asObject(container)['name']) ?? '');
}

function proxyPortOf(pod: unknown): string | undefined {
  const { containers } = asObject(asObject(pod)['spec']);
  const proxy = asList(containers)
    .map(asObject)
    .find(({ name }) => name === 'kube-rbac-proxy');
  return asList(proxy?.['args'])
    .map(String)
    .find((argument) => argument.startsWith('--secure-listen-address='));
}

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'front',
    annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090', team: 'shop' },
  },
  spec: { containers: [{ name: 'app', image: 'example.com/app:1', args: ['--listen=127.0.0.1:9090'] }] },
};

interface Row {
  readonly name: string;
  readonly order: 'a' | 'z';
  readonly patchFor: OtherWebhook['patchFor'];
  readonly containers: readonly string[];
  readonly proxyPort: string;
  /** Whether the pod's record of its proxy is there in the end. */
  readonly hasStatus: boolean;
}

const ROWS: readonly Row[] = [
  {
    name: 'one before ours appends a container with the port of a proxy',
    order: 'a',
    patchFor: appendContainer,
    containers: ['app', 'late', 'kube-rbac-proxy'],
    proxyPort: '--secure-listen-address=:8444',
    hasStatus: true,
  },
  {
    name: 'one after ours appends a container',
    order: 'z',
    patchFor: appendHarmless,
    containers: ['app', 'kube-rbac-proxy', 'late'],
    proxyPort: '--secure-listen-address=:8443',
    hasStatus: true,
  },
  {
    name: 'one before ours strips annotations that it does not know',
    order: 'a',
    patchFor: stripAnnotations,
    containers: ['app', 'kube-rbac-proxy'],
    proxyPort: '--secure-listen-address=:8443',
    hasStatus: true,
  },
  {
    name: 'one after ours strips annotations that it does not know, ours too',
    order: 'z',
    patchFor: stripAnnotations,
    containers: ['app', 'kube-rbac-proxy'],
    proxyPort: '--secure-listen-address=:8443',
    hasStatus: false,
  },
];

await clusterSuite('injection beside another webhook', {}, (cluster) => {
  const webhook = useWebhook(cluster);

  for (const [number, { name, order, patchFor, containers, proxyPort, hasStatus }] of ROWS.entries()) {
    describe(name, () => {
      const label = { key: 'scrapeguard-test/other', value: `other-${process.pid}-${number}` };
      useOtherWebhook(cluster, { name: `${order}-${label.value}`, label, patchFor });

      it('the final pod has one proxy in front of its port, and is let in where everything is enforced', async () => {
        const namespace = await webhook().createNamespace({
          [label.key]: label.value,
          'scrapeguard.io/enforce': 'strict',
        });
        const path = `/api/v1/namespaces/${namespace}/pods`;
        const { status, body, warnings } = await cluster.request(path, { method: 'POST', body: POD });
        assert.equal(status, 201, messageIn(body));
        const made = asObject(body);
        assert.deepEqual(containersOf(made), containers);
        assert.equal(proxyPortOf(made), proxyPort);
        assert.deepEqual(rulesIn(warnings), []);
        assert.equal(annotationOf(made, 'prometheus.io/port'), proxyPort.slice(-4));
        assert.equal(annotationOf(made, 'prometheus.io/scheme'), 'https');
        assert.equal(annotationOf(made, 'scrapeguard.io/status') !== undefined, hasStatus);
      });
    });
  }

  describe('one that takes the port of the proxy afterwards', () => {
    const label = { key: 'scrapeguard-test/other', value: `other-${process.pid}-taker` };
    useOtherWebhook(cluster, { name: `z-${label.value}`, label, patchFor: appendContainer });

    it('the pod is refused where everything is enforced, and warned about elsewhere', async () => {
      const create = async (labels: Readonly<Record<string, string>>) => {
        const namespace = await webhook().createNamespace({ [label.key]: label.value, ...labels });
        return cluster.request(`/api/v1/namespaces/${namespace}/pods`, { method: 'POST', body: POD });
      };
      const refused = await create({ 'scrapeguard.io/enforce': 'strict' });
      assert.equal(refused.status, 403);
      assert.match(
        messageIn(refused.body),
        /container "late" declares port 8443, on which the proxy "kube-rbac-proxy" listens/,
      );
      const { status, warnings } = await create({});
      assert.deepEqual([status, rulesIn(warnings)], [201, ['metrics-proxy-bypass']]);
    });
  });
});
