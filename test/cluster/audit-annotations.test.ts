import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { JsonObject } from '../../src/kube/json.ts';
import { ASKS, EXPOSES, makeDeployment, makePod, verdictOf } from '../support/cluster-objects.ts';
import { clusterSuite } from '../support/cluster-suite.ts';
import { useWebhook } from '../support/webhook.ts';

const POLICY = `
apiVersion: scrapeguard.io/v1alpha1
kind: MetricsPolicy
spec:
  breakGlass:
  - {kind: Group, name: on-call}
  rules:
    kubelet-configuration: {maximumMode: audit}
  exceptions:
  - {name: old-exporters, rules: [kubelet-read-only-port], namespaces: ["*"], kinds: [Pod], names: [old-*],
     reason: for this test, owner: nobody, expires: "2999-12-31"}
  - {name: past, rules: [kubelet-read-only-port], namespaces: ["*"], kinds: [Pod], names: [past-*],
     reason: for this test, owner: nobody, expires: "2001-12-31"}
`;

/** What is created, by whom, and what the API server's audit log then says of it. */
interface Row {
  readonly name: string;
  readonly object: JsonObject;
  readonly groups?: readonly string[];
  readonly verdict: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const RULE = 'kubelet-read-only-port';
const OPEN_KUBELET: JsonObject = { command: ['kubelet', '--config=/etc/kubelet.yaml', '--read-only-port=10255'] };

const ROWS: readonly Row[] = [
  { name: 'nothing found', object: makePod('plain'), verdict: 'allowed', annotations: {} },
  {
    name: 'refused',
    object: makePod('bad', EXPOSES),
    verdict: `denied pods ${RULE}`,
    annotations: { decision: 'denied', findings: `${RULE}/containerPort` },
  },
  {
    name: 'refused, and more found',
    object: makePod('bad', { ...EXPOSES, ...ASKS }),
    verdict: `denied pods ${RULE}`,
    annotations: { decision: 'denied', findings: `${RULE}-client/argument,${RULE}/containerPort` },
  },
  {
    name: 'warned',
    object: makePod('asks', ASKS),
    verdict: `warned ${RULE}-client`,
    annotations: { decision: 'warned', findings: `${RULE}-client/argument` },
  },
  {
    name: 'a template',
    object: makeDeployment('bad', EXPOSES),
    verdict: `warned ${RULE}`,
    annotations: { decision: 'warned', findings: `${RULE}/containerPort` },
  },
  {
    name: 'capped to audit',
    object: makePod('open', OPEN_KUBELET),
    verdict: 'allowed',
    annotations: { decision: 'audited', findings: 'kubelet-configuration/readOnlyPort' },
  },
  {
    name: 'excepted',
    object: makePod('old-exporter', EXPOSES),
    verdict: 'allowed',
    annotations: { exceptions: 'old-exporters' },
  },
  {
    name: 'an exception that is over',
    object: makePod('past-exporter', EXPOSES),
    verdict: `denied pods ${RULE}`,
    annotations: { decision: 'denied', findings: `${RULE}/containerPort` },
  },
  {
    name: 'break-glass',
    object: makePod('bad', EXPOSES),
    groups: ['on-call', 'system:masters'],
    verdict: `break-glass ${RULE}`,
    annotations: { decision: 'break-glass', findings: `${RULE}/containerPort` },
  },
];

const ENTRY = { Pod: 'pods.validate.scrapeguard.io/', Deployment: 'workloads.validate.scrapeguard.io/' } as const;

await clusterSuite('annotations in the audit log of the API server', {}, (cluster) => {
  const webhook = useWebhook(cluster, { policy: POLICY });

  for (const { name, object, groups = ['system:masters'], verdict, annotations } of ROWS) {
    it(name, async () => {
      const namespace = await webhook().createNamespace();
      const isPod = object['kind'] === 'Pod';
      const path = isPod
        ? `/api/v1/namespaces/${namespace}/pods?dryRun=All`
        : `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`;
      const as = await cluster.userCertificate('jane', groups);
      assert.equal(verdictOf(await cluster.request(path, { method: 'POST', body: object, as })), verdict);
      const [event] = await cluster.auditEvents(({ verb, uri }) => verb === 'create' && uri === path);
      const prefix = ENTRY[isPod ? 'Pod' : 'Deployment'];
      const own = Object.entries(event?.annotations ?? {}).filter(([key]) => key.includes('.scrapeguard.io/'));
      const expected = Object.entries(annotations).map(([key, value]) => [`${prefix}${key}`, value]);
      assert.deepEqual(Object.fromEntries(own), Object.fromEntries(expected));
    });
  }
});
