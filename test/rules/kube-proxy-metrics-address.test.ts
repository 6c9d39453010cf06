import type { JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/kube-proxy-metrics-address.ts';
import { makePod, testRule } from '../support/rule-tester.ts';

const kubeProxy = (...args: string[]): JsonObject =>
  makePod({ container: { command: ['/usr/local/bin/kube-proxy'], args } });
const FLAG = ['address /spec/containers/0/args/0'];
const DOCUMENT = { apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration' };
const configMap = (text: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kube-proxy', namespace: 'kube-system' },
  data: { 'config.conf': text },
});

testRule(rule, [
  ...[
    '0.0.0.0:10249',
    '0.0.0.0',
    ':10249',
    '[::]',
    '[::]:10249',
    '::',
    '10.0.0.4:10249',
    '$(HOST_IP):10249',
    '128.0.0.1',
  ].map((address) => ({
    name: `X01, X02 open: ${address}`,
    object: kubeProxy(`--metrics-bind-address=${address}`),
    findings: FLAG,
  })),
  ...['127.0.0.1:10249', '[::1]:10249', '127.0.0.1', '127.8.9.10:1', '::1', 'localhost:10249', ''].map((address) => ({
    name: `X04 closed: "${address}"`,
    object: kubeProxy(`--metrics-bind-address=${address}`),
    findings: [],
  })),
  { name: 'the default is loopback', object: kubeProxy('--v=2'), findings: [] },
  {
    name: 'the last of two flags counts',
    object: kubeProxy('--metrics-bind-address=127.0.0.1:10249', '--metrics-bind-address', '0.0.0.0:10249'),
    findings: ['address /spec/containers/0/args/1'],
  },
  {
    name: 'a flag of the same name of another program',
    object: makePod({ container: { command: ['/manager', '--metrics-bind-address=:8443'] } }),
    findings: [],
  },
  {
    name: 'k3s passes the flag on',
    object: makePod({ container: { command: ['k3s', 'server', '--kube-proxy-arg=metrics-bind-address=0.0.0.0'] } }),
    findings: ['address /spec/containers/0/command/2'],
  },
  {
    name: 'a file',
    object: { ...DOCUMENT, metricsBindAddress: '0.0.0.0:10249' },
    findings: ['address /metricsBindAddress'],
  },
  {
    name: 'a file without a kind',
    object: { metricsBindAddress: '0.0.0.0' },
    findings: ['address /metricsBindAddress'],
  },
  { name: 'a file on loopback', object: { ...DOCUMENT, metricsBindAddress: '127.0.0.1:10249' }, findings: [] },
  { name: 'a file that leaves the default', object: { ...DOCUMENT, metricsBindAddress: '' }, findings: [] },
  {
    name: 'the field in an object of another kind',
    object: { kind: 'Other', metricsBindAddress: '0.0.0.0' },
    findings: [],
  },
  {
    name: 'the file of k3s',
    object: { 'kube-proxy-arg': ['metrics-bind-address=0.0.0.0'] },
    findings: ['address /kube-proxy-arg/0'],
  },
  {
    name: 'a ConfigMap',
    object: configMap('kind: KubeProxyConfiguration\nmetricsBindAddress: 0.0.0.0:10249\n'),
    findings: ['configMap /data/config.conf'],
  },
  { name: 'a ConfigMap on loopback', object: configMap('metricsBindAddress: 127.0.0.1:10249\n'), findings: [] },
]);
