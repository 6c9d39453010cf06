import { asList, asObject, type JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/metrics-proxy-bypass.ts';
import { testRule, type RuleCase } from '../support/rule-tester.ts';
import { changeContainer, injectedPod, reannotate, scrapedDeployment, scrapedPod } from '../support/scraped-pods.ts';

const PROXY = 'kube-rbac-proxy';
const STATUS = '/metadata/annotations/scrapeguard.io~1status';
const OPTED_OUT = { 'scrapeguard.io/inject': 'false' };
const MADE = { operation: 'CREATE' } as const;

/** What is said of every injected pod of these tests: its own port stays open. */
const REACHABLE = 'reachable /spec/containers/0/ports/0/containerPort';

/** A pod after injection and after another webhook has appended a container. */
function withContainer(container: JsonObject, pod: JsonObject = injectedPod()): JsonObject {
  const spec = asObject(pod['spec']);
  return { ...pod, spec: { ...spec, containers: [...asList(spec['containers']), container] } };
}

function argumentsOf(pod: JsonObject): readonly unknown[] {
  const containers = asList(asObject(pod['spec'])['containers']).map(asObject);
  return asList(containers.find(({ name }) => name === PROXY)?.['args']);
}

/** A proxy as people write it, in front of the port of the pod. */
const HAND_WRITTEN: JsonObject = {
  name: PROXY,
  image: 'quay.io/brancz/kube-rbac-proxy:v0.18.0',
  args: ['--secure-listen-address=:8443', '--upstream=http://127.0.0.1:9090/'],
  ports: [{ name: 'https', containerPort: 8443 }],
};

function handWritten(app: JsonObject, spec: JsonObject = {}): JsonObject {
  return scrapedPod(OPTED_OUT, { containers: [{ name: 'app', image: 'app:1', ...app }, HAND_WRITTEN], ...spec });
}

const ROWS: readonly RuleCase[] = [
  { name: 'no proxy', object: scrapedPod(), ...MADE, findings: [] },
  { name: 'nothing annotated', object: scrapedPod({ 'prometheus.io/port': null }), findings: [] },
  { name: 'an injected pod: advice', object: injectedPod(), ...MADE, findings: [REACHABLE] },
  { name: 'a pod that will be injected: the same advice', object: scrapedPod(), findings: [REACHABLE] },
  { name: 'a template', object: scrapedDeployment(), findings: [`reachable /spec/template${REACHABLE.slice(10)}`] },
  {
    name: 'a port that nobody declares',
    object: scrapedPod({ 'prometheus.io/port': '9191' }),
    findings: ['reachable /metadata/annotations/prometheus.io~1port'],
  },
  {
    name: 'a program that listens on loopback',
    object: injectedPod(changeContainer(scrapedPod(), 'app', { args: ['--web.listen-address=127.0.0.1:9090'] })),
    ...MADE,
    findings: [],
  },
  {
    name: 'the same as two words, and by name',
    object: injectedPod(changeContainer(scrapedPod(), 'app', { command: ['app', '--listen', 'localhost:9090'] })),
    ...MADE,
    findings: [],
  },
  {
    name: 'a program that listens on loopback, and on another port',
    object: injectedPod(changeContainer(scrapedPod(), 'app', { args: ['--web.listen-address=127.0.0.1:90901'] })),
    ...MADE,
    findings: [REACHABLE],
  },
  {
    name: 'a URL on loopback is what a program calls',
    object: injectedPod(changeContainer(scrapedPod(), 'app', { args: ['--upstream=http://127.0.0.1:9090'] })),
    ...MADE,
    findings: [REACHABLE],
  },

  {
    name: 'a container that came later and has the port of the proxy',
    object: withContainer({ name: 'late', image: 'x', ports: [{ containerPort: 8443 }] }),
    ...MADE,
    findings: [REACHABLE, 'sharedPort /spec/containers/2/ports/0/containerPort'],
  },
  {
    name: 'a container that came later and has the name of its port',
    object: withContainer({ name: 'late', image: 'x', ports: [{ name: 'https-metrics', containerPort: 9999 }] }),
    ...MADE,
    findings: [REACHABLE, 'sharedName /spec/containers/2/ports/0/name'],
  },
  {
    name: 'a container that came later and has another port',
    object: withContainer({ name: 'late', image: 'x', ports: [{ name: 'https', containerPort: 9999 }] }),
    ...MADE,
    findings: [REACHABLE],
  },
  {
    name: 'a second container by the name of the proxy, in a file',
    object: withContainer({ name: PROXY, image: 'x' }),
    findings: [REACHABLE, 'sharedName /spec/containers/2/name'],
  },
  {
    name: 'a port of the proxy by UDP is another port',
    object: withContainer({ name: 'late', image: 'x', ports: [{ containerPort: 8443, protocol: 'UDP' }] }),
    ...MADE,
    findings: [REACHABLE],
  },

  {
    name: 'an argument more',
    object: changeContainer(injectedPod(), PROXY, { args: [...argumentsOf(injectedPod()), '--v=10'] }),
    ...MADE,
    findings: ['altered /spec/containers/1/args'],
  },
  {
    name: 'another argument',
    object: changeContainer(injectedPod(), PROXY, {
      args: argumentsOf(injectedPod()).map((argument) =>
        argument === '--allow-paths=/metrics' ? '--allow-paths=/*' : argument,
      ),
    }),
    ...MADE,
    findings: ['altered /spec/containers/1/args/2'],
  },
  {
    name: 'a command of another program, so that there is no proxy',
    object: changeContainer(injectedPod(), PROXY, { command: ['sh', '-c', 'sleep 1d'] }),
    ...MADE,
    findings: [`untruthful ${STATUS}`],
  },
  {
    name: 'a command of the same program',
    object: changeContainer(injectedPod(), PROXY, { command: ['/usr/local/bin/kube-rbac-proxy'] }),
    ...MADE,
    findings: ['altered /spec/containers/1/command'],
  },
  {
    name: 'another image',
    object: changeContainer(injectedPod(), PROXY, { image: 'example.com/mine:v0.22.1' }),
    ...MADE,
    findings: ['altered /spec/containers/1/image'],
  },
  {
    name: 'the image of a mirror of the registry',
    object: changeContainer(injectedPod(), PROXY, { image: 'mirror.example.com/brancz/kube-rbac-proxy:v0.22.1' }),
    ...MADE,
    findings: [REACHABLE],
  },
  {
    name: 'environment and resources that others add',
    object: changeContainer(injectedPod(), PROXY, {
      env: [{ name: 'REGION', value: 'north' }],
      resources: { limits: { cpu: '1' } },
      imagePullPolicy: 'Always',
      terminationMessagePath: '/dev/termination-log',
    }),
    ...MADE,
    findings: [REACHABLE],
  },
  {
    name: 'a status of a proxy that is not there',
    object: reannotate(scrapedPod(), {
      'scrapeguard.io/status': '{"version":1,"image":"x","ports":[{"port":9090,"proxyPort":8443,"container":"app"}]}',
      'scrapeguard.io/original': '{"prometheus.io/port":"9090"}',
    }),
    ...MADE,
    findings: [`untruthful ${STATUS}`],
  },
  {
    name: 'a status that is no record',
    object: reannotate(scrapedPod(), { 'scrapeguard.io/status': 'injected' }),
    ...MADE,
    findings: [`untruthful ${STATUS}`],
  },
  {
    name: 'a status that somebody made up, before the injection writes it anew',
    object: reannotate(scrapedPod(), { 'scrapeguard.io/status': 'injected' }),
    findings: [REACHABLE],
  },
  {
    name: 'an annotation that leads past the proxy',
    object: reannotate(injectedPod(), { 'prometheus.io/port': '9090' }),
    ...MADE,
    findings: [REACHABLE, 'diverted /metadata/annotations/prometheus.io~1port'],
  },
  {
    name: 'the annotation with the proxy’s port taken away, so that every port is scraped',
    object: reannotate(injectedPod(), { 'prometheus.io/port': null }),
    ...MADE,
    findings: [REACHABLE, 'diverted /metadata/annotations'],
  },

  { name: 'a proxy that somebody wrote', object: handWritten({ ports: [{ containerPort: 9090 }] }), findings: [] },
  {
    name: 'a proxy that somebody wrote, and its port with the program too',
    object: handWritten({ ports: [{ containerPort: 8443 }] }),
    findings: ['sharedPort /spec/containers/0/ports/0/containerPort'],
  },
  {
    name: 'a proxy that somebody wrote, and the name of its port with the program too',
    object: handWritten({ ports: [{ name: 'https', containerPort: 9090 }] }),
    findings: ['sharedName /spec/containers/0/ports/0/name'],
  },
  {
    name: 'a proxy on the host network',
    object: handWritten({}, { hostNetwork: true }),
    findings: ['hostNetwork /spec/hostNetwork'],
  },
  {
    name: 'a proxy on the host network, where the policy allows it',
    object: handWritten({}, { hostNetwork: true }),
    policy: { injection: { hostNetwork: 'allow' } },
    findings: [],
  },
  {
    name: 'an injected pod on the host network, where the policy allows it',
    object: scrapedPod({}, { hostNetwork: true }),
    policy: { injection: { hostNetwork: 'allow' } },
    findings: [REACHABLE],
  },
];

testRule(rule, ROWS);
