import type { JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/unprotected-metrics-port.ts';
import { testRule, type RuleCase } from '../support/rule-tester.ts';
import { changeContainer, injectedPod, reannotate, scrapedDeployment, scrapedPod } from '../support/scraped-pods.ts';

const PORT = '/metadata/annotations/prometheus.io~1port';
const UNPROTECTED = [`unprotected ${PORT}`];
const OPTED_OUT = { 'scrapeguard.io/inject': 'false' };

/** A kube-rbac-proxy as people write it. */
function proxy(args: readonly string[], name = 'kube-rbac-proxy'): JsonObject {
  return { name, image: 'quay.io/brancz/kube-rbac-proxy:v0.18.0', args };
}

const HAND_WRITTEN = ['--secure-listen-address=0.0.0.0:8443', '--upstream=http://127.0.0.1:9090/', '--v=0'];

/** A pod that nobody injects, with a proxy of its own. */
function guarded(args: readonly string[], annotations: Readonly<Record<string, string>> = {}): JsonObject {
  const app = { name: 'app', image: 'app:1', ports: [{ containerPort: 9090 }] };
  return scrapedPod({ ...OPTED_OUT, ...annotations }, { containers: [app, proxy(args)] });
}

/** What the API server sends of a pod that is created, or of one that is there. */
const MADE = { operation: 'CREATE' } as const;

const ROWS: readonly RuleCase[] = [
  {
    name: 'no annotation: no metrics that anybody knows of',
    object: scrapedPod({ 'prometheus.io/port': null, 'prometheus.io/scrape': null }),
    findings: [],
  },
  { name: 'not scraped', object: scrapedPod({ 'prometheus.io/scrape': 'false' }), ...MADE, findings: [] },

  { name: 'a file of a pod, which gets a proxy when it is made', object: scrapedPod(), findings: [] },
  { name: 'a template, whose pods get one', object: scrapedDeployment(), findings: [] },
  { name: 'a template in admission', object: scrapedDeployment(), ...MADE, findings: [] },
  { name: 'a pod that is made without one', object: scrapedPod(), ...MADE, findings: UNPROTECTED },
  {
    name: 'a pod that is there without one, in a dump of a cluster',
    object: { ...scrapedPod(), metadata: { ...(scrapedPod()['metadata'] as JsonObject), uid: 'u' } },
    findings: UNPROTECTED,
  },
  { name: 'a pod that was injected', object: injectedPod(), ...MADE, findings: [] },
  {
    name: 'a pod that was injected, asked about by its file',
    object: injectedPod(),
    findings: [],
  },
  {
    name: 'a Job, with a native sidecar',
    object: injectedPod(scrapedPod({}, { restartPolicy: 'Never' })),
    ...MADE,
    findings: [],
  },
  {
    name: 'several ports',
    object: injectedPod(scrapedPod({ 'scrapeguard.io/metrics-port': '9090,9091' })),
    ...MADE,
    findings: [],
  },
  {
    name: 'several ports without a proxy',
    object: scrapedPod({ 'scrapeguard.io/metrics-port': '9090,9091' }),
    ...MADE,
    findings: [
      'unprotected /metadata/annotations/scrapeguard.io~1metrics-port',
      'unprotected /metadata/annotations/scrapeguard.io~1metrics-port',
    ],
  },

  {
    name: 'injection is off',
    object: scrapedDeployment(),
    policy: { injection: { select: 'off' } },
    findings: [`unprotected /spec/template${PORT}`],
  },
  {
    name: 'injection is for labelled namespaces, and this is none',
    object: scrapedPod(),
    policy: { injection: { select: 'labelled' } },
    findings: UNPROTECTED,
  },
  {
    name: 'injection is for labelled namespaces, and this is one',
    object: scrapedPod(),
    policy: { injection: { select: 'labelled' } },
    clusterObjects: [
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'default', labels: { 'scrapeguard.io/inject': 'enabled' } },
      },
    ],
    findings: [],
  },
  {
    name: 'the policy only says what it would inject',
    object: scrapedDeployment(),
    policy: { injection: { mode: 'report' } },
    findings: [`unprotected /spec/template${PORT}`],
  },
  { name: 'the pod opted out', object: scrapedPod(OPTED_OUT), findings: UNPROTECTED },
  { name: 'the host network', object: scrapedPod({}, { hostNetwork: true }), findings: UNPROTECTED },
  { name: 'Windows', object: scrapedPod({}, { os: { name: 'windows' } }), findings: UNPROTECTED },
  {
    name: 'a namespace that injection leaves out',
    object: scrapedPod(),
    namespace: 'kube-system',
    findings: UNPROTECTED,
  },

  { name: 'a proxy that somebody wrote', object: guarded(HAND_WRITTEN), ...MADE, findings: [] },
  {
    name: 'a proxy that somebody wrote, and the annotation with its own port',
    object: guarded(HAND_WRITTEN, { 'prometheus.io/port': '8443', 'prometheus.io/scheme': 'https' }),
    ...MADE,
    findings: [],
  },
  {
    name: 'a proxy of another port',
    object: guarded(['--secure-listen-address=:8443', '--upstream=http://127.0.0.1:8080/']),
    ...MADE,
    findings: UNPROTECTED,
  },
  {
    name: 'a proxy that lets the metrics pass',
    object: guarded([...HAND_WRITTEN, '--ignore-paths=/metrics']),
    ...MADE,
    findings: UNPROTECTED,
  },
  {
    name: 'a proxy that lets health checks pass',
    object: guarded([...HAND_WRITTEN, '--ignore-paths=/healthz']),
    ...MADE,
    findings: [],
  },
  {
    name: 'a proxy that serves plain HTTP as well',
    object: guarded([...HAND_WRITTEN, '--insecure-listen-address=:8080']),
    ...MADE,
    findings: UNPROTECTED,
  },
  {
    name: 'a program that is called like it',
    object: scrapedPod(OPTED_OUT, {
      containers: [
        { name: 'app', image: 'app:1' },
        { name: 'kube-rbac-proxy', image: 'app:2', args: ['--upstream'] },
      ],
    }),
    ...MADE,
    findings: UNPROTECTED,
  },
  {
    name: 'an init container that ends',
    object: scrapedPod(OPTED_OUT, { initContainers: [proxy(HAND_WRITTEN)] }),
    ...MADE,
    findings: UNPROTECTED,
  },
  {
    name: 'a native sidecar that somebody wrote',
    object: scrapedPod(OPTED_OUT, { initContainers: [{ ...proxy(HAND_WRITTEN), restartPolicy: 'Always' }] }),
    ...MADE,
    findings: [],
  },

  {
    name: 'a status that somebody wrote gains nothing',
    object: reannotate(scrapedPod(), {
      'scrapeguard.io/status': '{"version":1,"image":"x","ports":[{"port":9090,"proxyPort":8443,"container":"app"}]}',
      'scrapeguard.io/original': '{"prometheus.io/port":"9090"}',
    }),
    ...MADE,
    findings: UNPROTECTED,
  },
  {
    name: 'an original that hides the port that is scraped',
    object: reannotate(injectedPod(scrapedPod({ 'prometheus.io/port': '9091' })), { 'prometheus.io/port': '9090' }),
    ...MADE,
    findings: UNPROTECTED,
  },
  {
    name: 'a proxy that was injected and now asks nobody',
    object: changeContainer(injectedPod(), 'kube-rbac-proxy', { args: [...HAND_WRITTEN, '--ignore-paths=/*'] }),
    ...MADE,
    findings: UNPROTECTED,
  },
  {
    name: 'a proxy that was injected and got a flag that opens nothing',
    object: changeContainer(injectedPod(), 'kube-rbac-proxy', { args: HAND_WRITTEN }),
    ...MADE,
    findings: [],
  },

  {
    name: 'TLS of its own is advice',
    object: scrapedPod({ 'prometheus.io/scheme': 'https' }),
    findings: [`servesTls ${PORT}`],
  },
  {
    name: 'scraped without a port',
    object: scrapedPod({ 'prometheus.io/port': null }),
    findings: ['everyPort /metadata/annotations/prometheus.io~1scrape'],
  },
  {
    name: 'a port that is none',
    object: scrapedPod({ 'prometheus.io/port': 'x y' }),
    findings: [`unreadable ${PORT}`],
  },
  {
    name: 'a name that no port has',
    object: scrapedPod({ 'scrapeguard.io/metrics-port': 'web' }),
    findings: ['unreadable /metadata/annotations/scrapeguard.io~1metrics-port'],
  },
  {
    name: 'a path with a comma',
    object: scrapedPod({ 'prometheus.io/path': '/a,/b' }),
    findings: [`unreadable ${PORT}`],
  },
  {
    name: "the kubelet's port is a matter of another rule",
    object: scrapedPod({ 'prometheus.io/port': '10255' }),
    ...MADE,
    findings: [],
  },
  {
    name: "the kubelet's port beside another that Prometheus is sent to",
    object: scrapedPod({ 'scrapeguard.io/metrics-port': '10255' }),
    ...MADE,
    findings: ['unreadable /metadata/annotations/scrapeguard.io~1metrics-port'],
  },
  {
    name: "the kubelet's port in a list with another",
    object: scrapedPod({ 'scrapeguard.io/metrics-port': '9090,10255' }),
    findings: ['unreadable /metadata/annotations/scrapeguard.io~1metrics-port'],
  },
  {
    name: "the kubelet's port in one of two spellings",
    object: scrapedPod({ prometheus_io_port: '10255' }),
    findings: [`unreadable ${PORT}`],
  },
  {
    name: 'a proxy in front of a port that nobody scrapes, and Prometheus sent to another',
    object: guarded(HAND_WRITTEN, { 'scrapeguard.io/metrics-port': '9090', 'prometheus.io/port': '9191' }),
    ...MADE,
    findings: ['unprotected /metadata/annotations/scrapeguard.io~1metrics-port'],
  },
  {
    name: 'the same, and a proxy is injected for it',
    object: guarded(HAND_WRITTEN, {
      'scrapeguard.io/metrics-port': '9090',
      'prometheus.io/port': '9191',
      'scrapeguard.io/inject': 'true',
    }),
    findings: [],
  },
  {
    name: 'another spelling of the annotation',
    object: scrapedPod({ 'prometheus.io/port': null, prometheus_io_port: '9090', ...OPTED_OUT }),
    findings: ['unprotected /metadata/annotations/prometheus_io_port'],
  },

  {
    name: 'an annotation that is changed later and leads to another port',
    object: reannotate(injectedPod(), { 'prometheus.io/port': '9191' }),
    oldObject: injectedPod(),
    operation: 'UPDATE',
    findings: UNPROTECTED,
  },
  {
    name: 'an update of a pod that had no proxy before',
    object: scrapedPod({ team: 'shop' }),
    oldObject: scrapedPod(),
    operation: 'UPDATE',
    findings: [],
  },
];

testRule(rule, ROWS);
