import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { clusterRole } from '../../rbac/objects.ts';
import type { ApiResponse } from '../../support/api-request.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { type HoldingWebhook, startHoldingWebhook } from '../../support/holding-webhook.ts';
import { waitFor, waitUntil } from '../../support/wait-for.ts';
import { useWebhook } from '../../support/webhook.ts';

const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
const BINDINGS = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
const PROXY = [{ apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] }];
const MISSED = 'a write was allowed that would be refused by now';

await ownClusterSuite(
  'two writes at the same time that give together what neither gives',
  { controllers: false },
  (cluster) => {
    const webhook = useWebhook(cluster, { namespaces: 'every' });
    let holding: HoldingWebhook | undefined;
    before(async () => {
      holding = await startHoldingWebhook(cluster);
    });
    after(() => holding?.stop());

    const missed = async (name: string): Promise<boolean> => {
      const logs = await Promise.all(webhook().servers.map((server) => server.log()));
      return logs.flat().some((line) => line['msg'] === MISSED && line['name'] === name);
    };
    const bind = (name: string, role: string): Promise<ApiResponse> =>
      cluster.request(BINDINGS, {
        method: 'POST',
        body: {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRoleBinding',
          metadata: { name },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
          subjects: [{ kind: 'ServiceAccount', namespace: 'team-a', name: 'app' }],
        },
      });

    it('are refused one after the other', async () => {
      assert.equal((await bind('ghost-first', 'ghost')).status, 201);
      await waitUntil('the role to be refused', async () => {
        const answer = await cluster.request(`${ROLES}?dryRun=All`, {
          method: 'POST',
          body: clusterRole('ghost', PROXY),
        });
        return answer.status === 403;
      });
    });

    it('are found by the second look', async () => {
      assert.ok(holding);
      holding.hold();
      const binding = bind('race', 'racing');
      await waitUntil('the binding to be admitted and not stored', async () => {
        const isHeld = holding?.waiting().includes('race') === true;
        return isHeld && (await webhook().reviews()).some(({ name }) => name === 'race');
      });
      const role = await cluster.request(ROLES, { method: 'POST', body: clusterRole('racing', PROXY) });
      assert.equal(role.status, 201, 'nobody is bound to it yet');
      holding.release();
      assert.equal((await binding).status, 201, 'there was no such role when it was asked about');
      const spec = { user: 'system:serviceaccount:team-a:app', resourceAttributes: NODE_PROXY };
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
      await waitFor('the grant', async () => {
        const answer = await cluster.request(REVIEWS, { method: 'POST', body: review });
        return JSON.stringify(answer.body).includes('"allowed":true') ? true : undefined;
      });
      await waitUntil('the second look at the binding', () => missed('race'));
    });

    it('say nothing where nothing is wrong', async () => {
      assert.equal(await missed('ghost-first'), false);
    });
  },
);

const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const NODE_PROXY = { verb: 'get', resource: 'nodes', subresource: 'proxy', name: 'node-1' };
