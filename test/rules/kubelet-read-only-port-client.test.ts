import type { JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/kubelet-read-only-port-client.ts';
import { makePod, testRule, type RuleCase } from '../support/rule-tester.ts';

const CONTAINER = '/spec/containers/0';

const container = (fields: JsonObject): JsonObject => makePod({ container: fields });
const env = (name: string, value: string): JsonObject => container({ env: [{ name, value }] });
const annotated = (annotations: JsonObject): JsonObject => ({ ...makePod(), metadata: { name: 'app', annotations } });
const monitor = (kind: string, spec: JsonObject): JsonObject => ({
  apiVersion: kind === 'ScrapeConfig' ? 'monitoring.coreos.com/v1alpha1' : 'monitoring.coreos.com/v1',
  kind,
  metadata: { name: 'nodes' },
  spec,
});

const ARGUMENTS: readonly RuleCase[] = [
  {
    name: 'a URL',
    object: container({ args: ['--url=http://$(NODE_IP):10255/metrics'] }),
    findings: [`argument ${CONTAINER}/args/0`],
  },
  {
    name: 'a flag of metrics-server',
    object: container({ command: ['/metrics-server', '--kubelet-port=10255'] }),
    findings: [`argument ${CONTAINER}/command/1`],
  },
  {
    name: 'a flag with its value in the next word',
    object: container({ args: ['--kubelet-port', '10255'] }),
    findings: [`argument ${CONTAINER}/args/1`],
  },
  {
    name: 'the source of heapster',
    object: container({ command: ['/heapster', '--source=kubernetes:https://kubernetes.default?kubeletPort=10255'] }),
    findings: [`argument ${CONTAINER}/command/1`],
  },
  {
    name: 'curl in a script, one finding a script',
    object: container({ command: ['sh', '-c', 'curl http://a:10255/pods; curl http://b:10255/pods'] }),
    findings: [`argument ${CONTAINER}/command/2`],
  },
  {
    name: 'an assignment in a script',
    object: container({ command: ['sh', '-c', 'URL=http://node:10255\ncurl $URL'] }),
    findings: [`argument ${CONTAINER}/command/2`],
  },
  {
    name: 'a default in a script',
    object: container({ command: ['sh', '-c', 'curl "http://$NODE:${PORT:-10255}/pods"'] }),
    findings: [`argument ${CONTAINER}/command/2`],
  },
  {
    name: 'a comment in a script asks nobody',
    object: container({ command: ['sh', '-c', '# was http://node:10255\ncurl https://node:10250'] }),
    findings: [],
  },
  {
    name: 'a variable in an argument',
    object: container({ args: ['http://node:$(KUBELET_PORT)'], env: [{ name: 'KUBELET_PORT', value: '10255' }] }),
    findings: [`argument ${CONTAINER}/args/0`, `variable ${CONTAINER}/env/0/value`],
  },
  {
    name: 'an ephemeral container',
    object: makePod({ spec: { ephemeralContainers: [{ name: 'debug', args: ['curl', 'http://node:10255/pods'] }] } }),
    findings: ['argument /spec/ephemeralContainers/0/args/1'],
  },
  {
    name: 'an init container',
    object: makePod({ spec: { initContainers: [{ name: 'init', args: ['curl', 'http://node:10255/pods'] }] } }),
    findings: ['argument /spec/initContainers/0/args/1'],
  },
  {
    name: 'a template',
    object: {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent' },
      spec: { template: { spec: { containers: [{ name: 'agent', args: ['http://node:10255'] }] } } },
    },
    findings: [`argument /spec/template${CONTAINER}/args/0`],
  },
  {
    name: 'an address to listen on is worth a word',
    object: container({ args: ['--web.listen-address=:10255'] }),
    findings: [`listener ${CONTAINER}/args/0`],
  },
  {
    name: 'an address to listen on in the next word',
    object: container({ args: ['--bind-address', '127.0.0.1:10255'] }),
    findings: [`listener ${CONTAINER}/args/1`],
  },
  {
    name: 'a port of its own',
    object: container({ args: ['--port=10255'] }),
    findings: [`listener ${CONTAINER}/args/0`],
  },
  {
    name: 'a forwarder is refused by another rule',
    object: container({ args: ['socat', 'TCP-LISTEN:9999,fork', 'TCP:$(NODE_IP):10255'] }),
    findings: [],
  },
  {
    name: 'the flag of a kubelet',
    object: container({ command: ['kubelet', '--read-only-port=10255'] }),
    findings: [],
  },
  { name: 'the secure port', object: container({ args: ['https://$(NODE_IP):10250/metrics'] }), findings: [] },
  { name: 'a number that is no port', object: container({ args: ['--build', 'order-10255-x'] }), findings: [] },
  { name: 'a port that merely begins with the digits', object: container({ args: ['node:102550'] }), findings: [] },
  { name: 'an image with the number as its tag', object: container({ args: ['--image=app:10255'] }), findings: [] },
  { name: 'a user and a group', object: container({ command: ['chown', '1000:10255', '/data'] }), findings: [] },
];

const VARIABLES: readonly RuleCase[] = [
  {
    name: 'the port of the agent of Datadog',
    object: env('DD_KUBERNETES_HTTP_KUBELET_PORT', '10255'),
    findings: [`variable ${CONTAINER}/env/0/value`],
  },
  {
    name: 'a URL',
    object: env('KUBELET_URL', 'http://127.0.0.1:10255'),
    findings: [`variable ${CONTAINER}/env/0/value`],
  },
  {
    name: 'a configuration in a variable',
    object: env('CONFIG', 'receivers:\n  kubeletstats:\n    endpoint: ${NODE}:10255\n'),
    findings: [`variable ${CONTAINER}/env/0/value`],
  },
  { name: 'a port of its own', object: env('PORT', '10255'), findings: [`listener ${CONTAINER}/env/0/value`] },
  {
    name: 'the extra arguments of a kubelet',
    object: env('KUBELET_EXTRA_ARGS', '--read-only-port=10255'),
    findings: [],
  },
  { name: 'a number that is no port', object: env('BATCH', 'order-10255-x'), findings: [] },
  { name: 'a value that is the number, under another key', object: env('ORDER_ID', '10255'), findings: [] },
  { name: 'a key that only sounds like a port', object: env('REPORT', '10255'), findings: [] },
  {
    name: 'a value that comes from elsewhere',
    object: container({ env: [{ name: 'P', valueFrom: {} }] }),
    findings: [],
  },
];

const annotationAt = (key: string): string => `/metadata/annotations/${key.replaceAll('/', '~1')}`;

const ANNOTATIONS: readonly RuleCase[] = [
  ...['prometheus.io/port', 'prometheus_io_port', 'prometheus-io/port', 'prometheus.io-port', 'prometheus.io_port'].map(
    (key) => ({
      name: `the annotation ${key}`,
      object: annotated({ 'prometheus.io/scrape': 'true', [key]: '10255' }),
      findings: [`annotation ${annotationAt(key)}`],
    }),
  ),
  {
    name: 'the annotation with scrape in another spelling',
    object: annotated({ prometheus_io_scrape: 'true', 'prometheus.io/port': '10255' }),
    findings: [`annotation ${annotationAt('prometheus.io/port')}`],
  },
  {
    name: 'the annotation that nothing switches on',
    object: annotated({ 'prometheus.io/port': '10255' }),
    findings: [`idleAnnotation ${annotationAt('prometheus.io/port')}`],
  },
  {
    name: 'the annotation that is switched off',
    object: annotated({ 'prometheus.io/scrape': 'false', 'prometheus.io/port': '10255' }),
    findings: [],
  },
  {
    name: 'the annotation with another port',
    object: annotated({ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' }),
    findings: [],
  },
  {
    name: 'an annotation of somebody else',
    object: annotated({ 'prometheus.io/scrape': 'true', 'example.com/port': '10255', 'prometheus.io/Port': '10255' }),
    findings: [],
  },
  {
    name: 'what kubectl last applied',
    object: annotated({
      'prometheus.io/scrape': 'true',
      'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{"url":"http://node:10255"}}',
    }),
    findings: [],
  },
  {
    name: 'a Service',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubelet', annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '10255' } },
      spec: { ports: [{ port: 10255 }] },
    },
    findings: [`annotation ${annotationAt('prometheus.io/port')}`],
  },
  {
    name: 'a template',
    object: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'job', annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '10255' } },
      spec: {
        jobTemplate: {
          spec: {
            template: {
              metadata: { annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '10255' } },
              spec: { containers: [] },
            },
          },
        },
      },
    },
    findings: [`annotation /spec/jobTemplate/spec/template${annotationAt('prometheus.io/port')}`],
  },
];

const SELECTS_KUBELETS = { selector: { matchLabels: { 'k8s-app': 'kubelet' } } };

const MONITORS: readonly RuleCase[] = [
  {
    name: 'a ServiceMonitor with the target port',
    object: monitor('ServiceMonitor', { endpoints: [{ targetPort: 10255 }] }),
    findings: ['monitor /spec/endpoints/0/targetPort'],
  },
  {
    name: 'a target port in quotes',
    object: monitor('ServiceMonitor', { endpoints: [{ targetPort: '10255' }] }),
    findings: ['monitor /spec/endpoints/0/targetPort'],
  },
  {
    name: 'a PodMonitor with the number',
    object: monitor('PodMonitor', { podMetricsEndpoints: [{ portNumber: 10255 }, { port: 'web' }] }),
    findings: ['monitor /spec/podMetricsEndpoints/0/portNumber'],
  },
  {
    name: 'a relabeling of the address',
    object: monitor('ServiceMonitor', {
      endpoints: [
        {
          port: 'https-metrics',
          relabelings: [
            { sourceLabels: ['__address__'], regex: '(.*):10250', replacement: '$1:10255', targetLabel: '__address__' },
          ],
        },
      ],
    }),
    findings: ['monitor /spec/endpoints/0/relabelings/0/replacement'],
  },
  {
    name: 'a relabeling of the port alone',
    object: monitor('PodMonitor', {
      podMetricsEndpoints: [{ relabelings: [{ replacement: '10255', targetLabel: '__tmp_port' }] }],
    }),
    findings: ['monitor /spec/podMetricsEndpoints/0/relabelings/0/replacement'],
  },
  {
    name: 'a relabeling away from the port',
    object: monitor('ServiceMonitor', {
      endpoints: [{ relabelings: [{ regex: '(.*):10255', replacement: '$1:10250', targetLabel: '__address__' }] }],
    }),
    findings: [],
  },
  {
    name: 'a label that only says so',
    object: monitor('ServiceMonitor', {
      endpoints: [{ relabelings: [{ replacement: '$1:10255', targetLabel: 'instance' }] }],
    }),
    findings: [],
  },
  {
    name: 'a path through the API server',
    object: monitor('ScrapeConfig', {
      relabelings: [{ replacement: '/api/v1/nodes/${1}:10255/proxy/metrics', targetLabel: '__metrics_path__' }],
    }),
    findings: ['monitor /spec/relabelings/0/replacement'],
  },
  {
    name: 'static targets',
    object: monitor('ScrapeConfig', {
      staticConfigs: [{ targets: ['node0:9100', 'node1:10255', '[2001:db8::1]:10255'] }],
    }),
    findings: ['monitor /spec/staticConfigs/0/targets/1', 'monitor /spec/staticConfigs/0/targets/2'],
  },
  {
    name: 'the port of discovered addresses',
    object: monitor('ScrapeConfig', { ec2SDConfigs: [{ region: 'eu-west-1', port: 10255 }] }),
    findings: ['monitor /spec/ec2SDConfigs/0/port'],
  },
  {
    name: 'http-metrics of the kubelet Service',
    object: monitor('ServiceMonitor', {
      ...SELECTS_KUBELETS,
      endpoints: [{ port: 'https-metrics' }, { port: 'http-metrics' }],
    }),
    findings: ['kubeletMonitor /spec/endpoints/1/port'],
  },
  {
    name: 'http-metrics of anything else',
    object: monitor('ServiceMonitor', {
      selector: { matchLabels: { 'k8s-app': 'coredns' } },
      endpoints: [{ port: 'http-metrics' }],
    }),
    findings: [],
  },
  {
    name: 'http-metrics where 10255 is not asked about',
    params: { ports: [4194] },
    object: monitor('ServiceMonitor', { ...SELECTS_KUBELETS, endpoints: [{ port: 'http-metrics' }] }),
    findings: [],
  },
  { name: 'a monitor without a spec', object: monitor('PodMonitor', {}), findings: [] },
];

const REST: readonly RuleCase[] = [
  {
    name: 'other ports',
    params: { ports: [10255, 4194] },
    object: container({ args: ['http://node:4194/metrics'] }),
    findings: [`argument ${CONTAINER}/args/0`],
  },
  {
    name: 'ports without 10255',
    params: { ports: [4194] },
    object: container({ args: ['http://node:10255'] }),
    findings: [],
  },
  {
    name: 'an UPDATE that only adds an annotation of another kind',
    operation: 'UPDATE',
    oldObject: container({ args: ['http://node:10255'] }),
    object: { ...container({ args: ['http://node:10255'] }), metadata: { name: 'app', annotations: { a: 'b' } } },
    findings: [],
  },
  {
    name: 'an UPDATE that switches scraping on',
    operation: 'UPDATE',
    oldObject: annotated({ 'prometheus.io/port': '10255' }),
    object: annotated({ 'prometheus.io/port': '10255', 'prometheus.io/scrape': 'true' }),
    findings: [`annotation ${annotationAt('prometheus.io/port')}`],
  },
  {
    name: 'malformed containers',
    object: container({ args: 'http://node:10255', command: [1, null], env: [null, 'a', { name: 1, value: 2 }] }),
    findings: [],
  },
  { name: 'malformed annotations', object: { ...makePod(), metadata: { annotations: ['a'] } }, findings: [] },
  { name: 'no spec at all', object: { apiVersion: 'v1', kind: 'Pod' }, findings: [] },
];

testRule(rule, [...ARGUMENTS, ...VARIABLES, ...ANNOTATIONS, ...MONITORS, ...REST]);
