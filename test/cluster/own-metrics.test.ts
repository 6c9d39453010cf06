import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type ApiResponse, type Credentials, requestApi } from '../support/api-request.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { makeScraperToken } from '../support/own-metrics.ts';
import { useWebhook } from '../support/webhook.ts';

await clusterSuite('our own metrics', {}, (cluster) => {
  const webhook = useWebhook(cluster);
  let namespace = '';

  const ask = async (credentials: Credentials, method = 'GET'): Promise<ApiResponse> => {
    const [server] = webhook().servers;
    const url = `https://127.0.0.1:${server?.metricsPort}`;
    return requestApi({ url, ca: webhook().authority.cert }, credentials, '/metrics', { method });
  };
  const token = async (name: string): Promise<Credentials> => ({
    token: await cluster.serviceAccountToken(namespace, name),
  });

  it('are shown to nobody without a token', async () => {
    assert.equal((await ask('anonymous')).status, 401);
    assert.equal((await ask({ token: 'of.nobody.here' })).status, 401);
  });

  it('are shown to nobody who may not get /metrics', async () => {
    namespace = await webhook().createNamespace();
    assert.equal((await ask(await token('default'))).status, 403);
  });

  it('are shown to whoever may, and tell what happened', async () => {
    const scraper = await makeScraperToken(cluster, namespace);
    const refused = await cluster.request(`/api/v1/namespaces/${namespace}/pods`, {
      method: 'POST',
      body: {
        metadata: { name: 'open' },
        spec: { containers: [{ name: 'app', image: 'x', ports: [{ containerPort: 10255 }] }] },
      },
    });
    assert.equal(refused.status, 403);
    const { status, body } = await ask({ token: scraper });
    assert.equal(status, 200);
    const text = String(body);
    for (const line of [
      /^scrapeguard_admission_reviews_total\{decision="denied",resource="pods",operation="CREATE",dry_run="false"\} 1$/m,
      /^scrapeguard_findings_total\{rule="kubelet-read-only-port",answer="deny"\} 1$/m,
      /^scrapeguard_cache_synced\{resource="clusterrolebindings"\} 1$/m,
      /^scrapeguard_cache_age_seconds\{resource="namespaces"\} [0-9.e-]+$/m,
      /^scrapeguard_certificate_expiry_timestamp_seconds [0-9.e+]+$/m,
      /^scrapeguard_build_info\{version="[^"]+"\} 1$/m,
    ]) {
      assert.match(text, line);
    }
  });

  it('take the method for the verb, as every delegated authorizer does', async () => {
    assert.equal((await ask(await token('scraper'), 'HEAD')).status, 403);
  });
});
