import type { JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/kubelet-configuration.ts';
import { makePod, testRule, type RuleCase } from '../support/rule-tester.ts';

const ARGS = '/spec/containers/0/args';

/** A kubelet that is run by its flags in a pod. */
const kubelet = (...args: string[]): JsonObject =>
  makePod({ container: { image: 'registry.example.com/kubelet:v1', command: ['/usr/bin/kubelet'], args } });

const configMap = (data: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kubelet-config', namespace: 'kube-system' },
  data,
});

const FILE = {
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: false },
    x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' },
  },
  authorization: { mode: 'Webhook' },
  readOnlyPort: 10255,
};

const CLOSED = { ...FILE, authentication: { ...FILE.authentication, webhook: { enabled: true } }, readOnlyPort: 0 };

const PORT = 'readOnlyPort';
const PORT_YAML = 'kind: KubeletConfiguration\nreadOnlyPort: 10255\n';

/** A row about a kubelet's flags; `findings` are `messageId index`, the index that of the argument. */
function flagRow(name: string, args: readonly string[], findings: readonly string[]): RuleCase {
  return { name, object: kubelet(...args), findings: findings.map((finding) => finding.replace(' ', ` ${ARGS}/`)) };
}

const FLAGS: readonly RuleCase[] = [
  flagRow('P10 the read-only port as a flag', ['--read-only-port=10255'], ['readOnlyPort 0']),
  flagRow('P11 the port turned off', ['--read-only-port=0'], []),
  flagRow('P13 a port in hexadecimal', ['--read-only-port=0x280F'], ['readOnlyPort 0']),
  flagRow('P14 of repeated flags the last one counts', ['--read-only-port=10255', '--read-only-port=0'], []),
  flagRow('the last one counts where it opens', ['--read-only-port=0', '--read-only-port=10255'], ['readOnlyPort 1']),
  flagRow('any other port is as open', ['--read-only-port', '8080'], ['readOnlyPort 0']),
  flagRow('a number that no kubelet would start with', ['--read-only-port=none'], []),
  flagRow('X16 a bare boolean flag is true', ['--anonymous-auth'], ['anonymousAuthentication 0']),
  flagRow('X17 every spelling of false', ['--anonymous-auth=False'], []),
  flagRow('everyone is allowed', ['--authorization-mode=AlwaysAllow'], ['alwaysAllow 0']),
  flagRow('the page of cAdvisor', ['--cadvisor-port=4194', '--config=/k'], ['cadvisorPort 0']),
  flagRow('the page of cAdvisor turned off', ['--cadvisor-port=0', '--config=/k'], []),
  flagRow('health checks on every address', ['--config=/k', '--healthz-bind-address=0.0.0.0'], ['healthzAddress 1']),
  flagRow('no health checks', ['--config=/k', '--healthz-bind-address=0.0.0.0', '--healthz-port=0'], []),
  flagRow(
    'Webhook authorization without webhook authentication',
    ['--authorization-mode=Webhook', '--authentication-token-webhook=false'],
    ['webhookAuthentication 1'],
  ),
  {
    name: 'the defaults of flags, which are open',
    object: kubelet('--v=2'),
    findings: ['flagDefaults /spec/containers/0'],
  },
  flagRow('a configuration file instead of flags', ['--config=/var/lib/kubelet/config.yaml'], []),
  flagRow('a kubelet that only says its version', ['--version'], []),
  flagRow('arguments that nobody knows here', ['$(KUBELET_ARGUMENTS)'], []),
];

const PODS: readonly RuleCase[] = [
  {
    name: 'P16 arguments in the environment, whatever the image',
    object: makePod({ container: { env: [{ name: 'KUBELET_EXTRA_ARGS', value: '--read-only-port=10255' }] } }),
    findings: [`${PORT} /spec/containers/0/env/0/value`],
  },
  {
    name: 'k3s passes an argument on',
    object: makePod({ container: { image: 'rancher/k3s', args: ['server', '--kubelet-arg=read-only-port=10255'] } }),
    findings: [`${PORT} ${ARGS}/1`],
  },
  {
    name: 'k3s passes an argument on, as two words',
    object: makePod({ container: { command: ['k3s', 'agent', '--kubelet-arg', 'anonymous-auth=true'] } }),
    findings: ['anonymousAuthentication /spec/containers/0/command/2'],
  },
  {
    name: 'a kubelet inside hyperkube inside a shell',
    object: makePod({ container: { command: ['sh', '-ec', 'exec /hyperkube kubelet --read-only-port=024017'] } }),
    findings: [`${PORT} /spec/containers/0/command/2`],
  },
  {
    name: 'the image says what runs where only flags are written',
    object: makePod({ container: { image: 'reg:5000/k8s/kubelet-arm64:v1', args: ['--anonymous-auth=1'] } }),
    findings: [`anonymousAuthentication ${ARGS}/0`],
  },
  {
    name: 'an image without any words starts with the defaults',
    object: makePod({ container: { image: 'example.com/kubelet:v1' } }),
    findings: ['flagDefaults /spec/containers/0'],
  },
  {
    name: 'the same flags of another program',
    object: makePod({ container: { image: 'virtual-kubelet:v1', args: ['--anonymous-auth=true'] } }),
    findings: [],
  },
];

const argumentFile = (kind: string, rest: JsonObject): JsonObject => ({ apiVersion: 'example/v1', kind, ...rest });
const MAP = { nodeRegistration: { kubeletExtraArgs: { 'read-only-port': '10255' } } };
const LIST = { nodeRegistration: { kubeletExtraArgs: [{ name: 'read-only-port', value: '10255' }] } };
const REGISTRATION = '/nodeRegistration/kubeletExtraArgs';

const FILES: readonly RuleCase[] = [
  {
    name: 'a file without a kind: an open port, and no token is ever accepted',
    object: FILE,
    findings: [`${PORT} /readOnlyPort`, 'webhookAuthentication /authentication/webhook/enabled'],
  },
  { name: 'the same file with both mended', object: CLOSED, findings: [] },
  {
    name: 'a KubeletConfiguration',
    object: argumentFile('KubeletConfiguration', { ...CLOSED, authorization: { mode: 'AlwaysAllow' } }),
    findings: ['alwaysAllow /authorization/mode'],
  },
  {
    name: 'anonymous requests in a file',
    object: argumentFile('KubeletConfiguration', { authentication: { anonymous: { enabled: true } } }),
    findings: ['anonymousAuthentication /authentication/anonymous/enabled'],
  },
  {
    name: 'health checks on every address in a file',
    object: argumentFile('KubeletConfiguration', { healthzBindAddress: '::' }),
    findings: ['healthzAddress /healthzBindAddress'],
  },
  {
    name: 'a number in quotes, which no kubelet reads',
    object: argumentFile('KubeletConfiguration', { readOnlyPort: '1' }),
    findings: [],
  },
  {
    name: 'kubeadm v1beta3, a map',
    object: argumentFile('JoinConfiguration', MAP),
    findings: [`${PORT} ${REGISTRATION}/read-only-port`],
  },
  {
    name: 'kubeadm v1beta4, a list',
    object: argumentFile('InitConfiguration', LIST),
    findings: [`${PORT} ${REGISTRATION}/0/value`],
  },
  {
    name: 'Cluster API, a control plane',
    object: argumentFile('KubeadmControlPlane', { spec: { kubeadmConfigSpec: { initConfiguration: LIST } } }),
    findings: [`${PORT} /spec/kubeadmConfigSpec/initConfiguration${REGISTRATION}/0/value`],
  },
  {
    name: 'Cluster API, a template of nodes',
    object: argumentFile('KubeadmConfigTemplate', { spec: { template: { spec: { joinConfiguration: MAP } } } }),
    findings: [`${PORT} /spec/template/spec/joinConfiguration${REGISTRATION}/read-only-port`],
  },
  {
    name: 'kops, nodes and control plane',
    object: {
      apiVersion: 'kops.k8s.io/v1alpha2',
      kind: 'Cluster',
      spec: {
        kubelet: { readOnlyPort: 10255 },
        masterKubelet: { anonymousAuth: true, authorizationMode: 'AlwaysAllow' },
      },
    },
    findings: [
      `${PORT} /spec/kubelet/readOnlyPort`,
      'anonymousAuthentication /spec/masterKubelet/anonymousAuth',
      'alwaysAllow /spec/masterKubelet/authorizationMode',
    ],
  },
  {
    name: 'a Cluster of another group',
    object: { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Cluster', spec: { kubelet: { readOnlyPort: 10255 } } },
    findings: [],
  },
  {
    name: 'EKS nodeadm',
    object: {
      apiVersion: 'node.eks.aws/v1alpha1',
      kind: 'NodeConfig',
      spec: { kubelet: { config: { readOnlyPort: 10255 }, flags: ['--anonymous-auth=true'] } },
    },
    findings: [`${PORT} /spec/kubelet/config/readOnlyPort`, 'anonymousAuthentication /spec/kubelet/flags/0'],
  },
  {
    name: 'Talos',
    object: { machine: { kubelet: { extraArgs: { 'read-only-port': 10255 }, extraConfig: { readOnlyPort: 10255 } } } },
    findings: [
      `${PORT} /machine/kubelet/extraArgs/read-only-port`,
      `${PORT} /machine/kubelet/extraConfig/readOnlyPort`,
    ],
  },
  {
    name: 'the file of k3s',
    object: { 'kubelet-arg': ['v=2', 'read-only-port=10255'] },
    findings: [`${PORT} /kubelet-arg/1`],
  },
  {
    name: 'the file of k3s, one argument',
    object: { 'kubelet-arg+': 'read-only-port=10255' },
    findings: [`${PORT} /kubelet-arg+`],
  },
  {
    name: 'a file of something else',
    object: { authentication: { enabled: true }, authorization: { mode: 'x' } },
    findings: [],
  },
];

const TEXTS: readonly RuleCase[] = [
  { name: 'P46 a ConfigMap', object: configMap({ kubelet: PORT_YAML }), findings: ['configMap /data/kubelet'] },
  {
    name: 'P47 a ConfigMap with the port turned off',
    object: configMap({ kubelet: 'readOnlyPort: 0\n' }),
    findings: [],
  },
  {
    name: 'whatever the key, and without a kind',
    object: configMap({ 'a/b': 'readOnlyPort: 0x280F\n' }),
    findings: ['configMap /data/a~1b'],
  },
  {
    name: 'JSON in a ConfigMap',
    object: configMap({ 'config.yaml': JSON.stringify(FILE) }),
    findings: ['configMap /data/config.yaml', 'webhookAuthentication /data/config.yaml'],
  },
  {
    name: "kubeadm's own documents in a ConfigMap",
    object: configMap({ join: JSON.stringify({ kind: 'JoinConfiguration', ...LIST }) }),
    findings: ['configMap /data/join'],
  },
  {
    name: 'YAML 1.1 in a ConfigMap',
    object: configMap({ k: 'authentication: {anonymous: {enabled: yes}}' }),
    findings: ['configMap /data/k'],
  },
  { name: 'aliases are not followed', object: configMap({ k: 'x: &p 10255\nreadOnlyPort: *p\n' }), findings: [] },
  { name: 'a text that is no YAML', object: configMap({ k: 'readOnlyPort: [10255\n' }), findings: [] },
  { name: 'a text too long to be read', object: configMap({ k: `${PORT_YAML}#${' '.repeat(7000)}` }), findings: [] },
  {
    name: 'a ConfigMap of something else',
    object: configMap({ readOnlyPort: 10255, 'app.ini': 'port=10255' }),
    findings: [],
  },
];

testRule(rule, [
  ...FLAGS,
  ...PODS,
  ...FILES,
  ...TEXTS,
  {
    name: 'a template is judged as the pod it makes',
    object: {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      spec: { template: { spec: { initContainers: [{ name: 'k', command: ['kubelet', '--read-only-port=1'] }] } } },
    },
    findings: [`${PORT} /spec/template/spec/initContainers/0/command/1`],
  },
]);
