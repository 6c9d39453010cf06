import assert from 'node:assert/strict';
import { it } from 'node:test';
import { EXPOSES, makePod, verdictOf } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { useWebhook } from '../support/webhook.ts';

const WARNED = 'warned kubelet-read-only-port';
const DENIED = 'denied pods kubelet-read-only-port';
const MIRROR = { 'kubernetes.io/config.mirror': '0123456789abcdef', 'kubernetes.io/config.source': 'file' };

/** Who creates a pod that exposes the port, with which annotations, and what becomes of it. */
const ROWS = [
  { user: 'system:node:n1', groups: ['system:nodes'], annotations: MIRROR, verdict: WARNED },
  { user: 'system:node:n1', groups: ['system:nodes'], annotations: {}, verdict: DENIED },
  { user: 'system:node:n1', groups: ['system:masters'], annotations: MIRROR, verdict: DENIED },
  { user: 'jane', groups: ['system:masters'], annotations: MIRROR, verdict: DENIED },
  { user: 'jane', groups: ['system:masters', 'system:nodes'], annotations: MIRROR, verdict: DENIED },
] as const;

await clusterSuite('a mirror pod, which a node runs whatever anybody says', {}, (cluster) => {
  const webhook = useWebhook(cluster);

  for (const { user, groups, annotations, verdict } of ROWS) {
    const kind = 'kubernetes.io/config.mirror' in annotations ? 'a mirror pod' : 'another pod';
    it(`${kind} by ${user} in ${groups.join(' and ')}: ${verdict}`, async () => {
      const namespace = await webhook().createNamespace();
      const pod = makePod('static-n1', EXPOSES, { nodeName: 'n1', hostNetwork: true });
      const body = { ...pod, metadata: { name: 'static-n1', annotations } };
      const as = await cluster.userCertificate(user, groups);
      const path = `/api/v1/namespaces/${namespace}/pods`;
      assert.equal(verdictOf(await cluster.request(path, { method: 'POST', body, as })), verdict);
      const { status } = await cluster.request(`${path}/static-n1`);
      assert.equal(status, verdict === WARNED ? 200 : 404);
    });
  }
});
