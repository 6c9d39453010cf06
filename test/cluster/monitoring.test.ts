// Every query of the alerts and the dashboard, asked of a real Prometheus that scraped a real server of ours.
import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, it } from 'node:test';

import { asObject, type JsonObject } from '../../src/kube/json.ts';
import { requestApi } from '../support/api-request.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { type Guard, startGuard } from '../support/guard.ts';
import { grantMetrics, makeScraperToken, scraperBinding } from '../support/own-metrics.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { ALERTS_FILE, readAlerts, readPanelQueries, seriesIn, seriesOf } from '../support/queries.ts';
import { makePod } from '../support/rule-tester.ts';
import { reviewOf } from '../support/server.ts';
import { waitUntil } from '../support/wait-for.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';

const RBAC = 'rbac.authorization.k8s.io';
const JOB = 'scrapeguard-metrics';

const POLICY = `
apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
metadata: {name: watched}
spec:
  breakGlass: [{kind: User, name: oncall}]
  exceptions:
  - {name: old, rules: [kubelet-read-only-port], kinds: [Pod], names: [old], reason: moves, owner: team, expires: "2999-12-31"}
`;

const OPEN = makePod({ container: { ports: [{ containerPort: 10255 }] } });
const SCRAPED = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' };
const DEPLOYMENTS = {
  kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
  resource: { group: 'apps', version: 'v1', resource: 'deployments' },
};

/** A review of each kind that a healthy server answers. */
const HEALTHY: readonly (readonly [path: string, review: JsonObject])[] = [
  ['/validate', reviewOf(makePod())],
  ['/validate', reviewOf(OPEN)],
  ['/validate', reviewOf({ ...OPEN, metadata: { name: 'old' } }, { name: 'old' })],
  ['/validate', reviewOf(deploymentOf(OPEN), DEPLOYMENTS)],
  ['/validate', reviewOf(OPEN, { namespace: 'kube-node-lease' })],
  ['/mutate', reviewOf({ ...makePod(), metadata: { name: 'app', annotations: SCRAPED } })],
  [
    '/mutate',
    reviewOf({ ...makePod({ spec: { hostNetwork: true } }), metadata: { name: 'app', annotations: SCRAPED } }),
  ],
];

/** What those reviews are counted as. */
const COUNTED = [
  'scrapeguard_admission_reviews_total{decision="allowed", resource="pods"}',
  'scrapeguard_admission_reviews_total{decision="denied", resource="pods"}',
  'scrapeguard_admission_reviews_total{decision="warned", resource="deployments"}',
  'scrapeguard_exceptions_total',
  'scrapeguard_exemptions_total{reason="excluded-namespace"}',
  'scrapeguard_injections_total{outcome="injected"}',
  'scrapeguard_injections_total{outcome="skipped", reason="host-network"}',
];

/** Series that panels ask for in vain here, and why. */
const ABSENT: Readonly<Record<string, string>> = {
  scrapeguard_certificate_steps_total: 'the server has its certificate from files, and keeps no Secret up',
};

await clusterSuite('what people watch us with', { needs: ['prometheus'] }, (cluster) => {
  let guard: Guard;
  let webhook: Webhook;
  let prometheus: Prometheus;
  let exposition = '';
  const policyFile = (): string => join(guard.directory, 'policy.yaml');

  before(async () => {
    guard = await startGuard();
    await writeFile(policyFile(), POLICY);
    webhook = await startWebhook(cluster, { args: ['--policy', policyFile()] });
    const token = await makeScraperToken(cluster, webhook.namespace);
    await writeFile(join(guard.directory, 'token'), token, { mode: 0o600 });
    exposition = String((await requestApi(metricsServer(), { token }, '/metrics')).body);
    prometheus = await startPrometheus(guard, { scrapeConfigs: [scrapeConfig()], rules: await impatientRules() });
  });
  after(async () => {
    await webhook?.stop();
    await guard?.end();
  });

  const metricsServer = () => ({
    url: `https://127.0.0.1:${webhook.servers[0]?.metricsPort}`,
    ca: webhook.authority.cert,
  });

  /** As docs/operations.md says, but for how the server is found. */
  const scrapeConfig = (): JsonObject => ({
    job_name: JOB,
    scheme: 'https',
    authorization: { credentials_file: join(guard.directory, 'token') },
    tls_config: { ca_file: join(webhook.certDir, 'ca.crt') },
    static_configs: [{ targets: [new URL(metricsServer().url).host] }],
  });

  const post = async (path: string, body: unknown): Promise<number> => {
    const server = { url: `https://127.0.0.1:${webhook.servers[0]?.port}`, ca: webhook.authority.cert };
    return (await requestApi(server, 'anonymous', path, { method: 'POST', body })).status;
  };

  const valueOf = async (expr: string): Promise<number> =>
    Number((await prometheus.query(expr))[0]?.value ?? Number.NaN);

  const waitForScrape = async (): Promise<void> => {
    const time = 'timestamp(scrapeguard_build_info)';
    const earlier = await valueOf(time);
    await waitUntil('a scrape', async () => (await valueOf(time)) > earlier);
  };

  const fires = (alert: string): Promise<void> =>
    waitUntil(`${alert} to fire`, async () => (await prometheus.firing()).has(alert));

  it('is valid: Prometheus takes every query', async () => {
    await waitUntil('a scrape', async () => (await valueOf('scrapeguard_build_info')) === 1);
    for (const { expr } of readAlerts()) await prometheus.query(expr);
    for (const { expr } of readPanelQueries()) await prometheus.query(filledIn(expr));
  });

  it('names what the server really shows', () => {
    const shown = seriesIn(exposition);
    const asked = new Set([...readAlerts(), ...readPanelQueries()].flatMap(({ expr }) => seriesOf(expr)));
    assert.deepEqual([...asked.difference(shown)], ['up']);
  });

  it('raises no alert while the server does its work', async () => {
    const count = 'scrapeguard_admission_duration_seconds_count';
    const earlier = await valueOf(count);
    for (const [path, review] of HEALTHY) assert.equal(await post(path, review), 200);
    await waitUntil('the reviews to be scraped', async () => (await valueOf(count)) >= earlier + HEALTHY.length);
    for (const series of COUNTED) assert.ok((await valueOf(series)) > 0, series);
    // A scrape that a busy machine lost is no matter; what was counted stays in its window far longer than is waited.
    for (const { name, expr } of readAlerts()) {
      await waitUntil(`${name} to have no reason`, async () => (await prometheus.query(expr)).length === 0);
    }
  });

  it('raises an alert for a request that is no review', async () => {
    assert.equal(await post('/validate', 'no review'), 400);
    await fires('ScrapeguardUnreadRequests');
  });

  it('raises an alert for a write that only break-glass lets through', async () => {
    assert.equal(await post('/validate', reviewOf(OPEN, { userInfo: { username: 'oncall', groups: [] } })), 200);
    await fires('ScrapeguardBreakGlass');
  });

  it('raises an alert for a verdict that could not be had in time', async () => {
    const review = bindingReview(scraperBinding('default', 'no-time'));
    // A role may be read within the shortest time, now and then.
    for (let attempt = 0; attempt < 20; attempt += 1) await post('/validate?timeout=1ms', review);
    await fires('ScrapeguardUnknownVerdicts');
  });

  it('raises an alert for two writes that give together what neither gives', async () => {
    const name = `late-${webhook.namespace}`;
    assert.equal(await post('/validate', bindingReview(scraperBinding(webhook.namespace, name))), 200);
    await grantMetrics(cluster, webhook.namespace, name);
    await fires('ScrapeguardSecondLookMissed');
  });

  it('raises an alert for a policy that cannot be used, as long as it is there', async () => {
    await replace(policyFile(), `${POLICY}  maximumMod: warn\n`);
    await fires('ScrapeguardPolicyRefused');
    await replace(policyFile(), `${POLICY}  maximumMode: warn\n`);
    await waitUntil('the alert to end', async () => !(await prometheus.firing()).has('ScrapeguardPolicyRefused'));
  });

  it('shows something in every panel, but for what cannot happen here', async () => {
    const findWrong = async (): Promise<readonly string[]> => {
      const wrong: string[] = [];
      for (const { panel, expr } of readPanelQueries()) {
        const samples = await prometheus.query(filledIn(expr));
        const isEmpty = samples.every(({ value }) => value === 'NaN');
        const isAbsent = seriesOf(expr).some((series) => Object.hasOwn(ABSENT, series));
        if (isEmpty !== isAbsent) wrong.push(`${panel}: ${expr}`);
      }
      return wrong;
    };
    let wrong = await findWrong();
    for (let attempt = 0; attempt < 10 && wrong.length > 0; attempt += 1) {
      await waitForScrape();
      wrong = await findWrong();
    }
    assert.deepEqual(wrong, []);
  });

  it('raises an alert where nobody may scrape, or nobody is there', async () => {
    await webhook.servers[0]?.stop();
    await fires('ScrapeguardNotScraped');
    await fires('ScrapeguardDown');
  });
});

function deploymentOf(pod: JsonObject): JsonObject {
  const selector = { matchLabels: { app: 'app' } };
  const template = { metadata: { labels: selector.matchLabels }, spec: pod['spec'] };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'app' }, spec: { selector, template } };
}

function bindingReview(binding: JsonObject): JsonObject {
  return reviewOf(binding, {
    kind: { group: RBAC, version: 'v1', kind: 'ClusterRoleBinding' },
    resource: { group: RBAC, version: 'v1', resource: 'clusterrolebindings' },
    namespace: '',
    name: asObject(binding['metadata'])['name'],
  });
}

/** The rules of the file with no `for`: what would be pending fires. */
async function impatientRules(): Promise<string> {
  return (await readFile(ALERTS_FILE, 'utf8')).replaceAll(/^( +for:) .*$/gm, '$1 0s');
}

/** A query of the dashboard with Grafana's variables filled in. */
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '5m').replaceAll('$instance', '.*');
}

/** In one step, so that nobody reads half of it. */
async function replace(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}
