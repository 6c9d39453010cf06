import type { JsonObject } from '../../src/kube/json.ts';
import rule from '../../src/rules/kube-rbac-proxy-flags.ts';
import { makePod, testRule, tweak } from '../support/rule-tester.ts';

const proxy = (...args: string[]): JsonObject =>
  makePod({ container: { image: 'quay.io/brancz/kube-rbac-proxy:v0.22.1', args } });
const ARGS = '/spec/containers/0/args';
const annotated = (path: string, pod: JsonObject): JsonObject =>
  tweak(pod, { metadata: { annotations: { 'prometheus.io/path': path } } });

/** A ConfigMap with a file for --config-file. */
const configMap = (authorization: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kube-rbac-proxy' },
  data: { 'config.yaml': JSON.stringify({ authorization }) },
});
const EVERYONE = ['allowsEveryone /data/config.yaml'];
const PROMETHEUS = { user: { name: 'system:serviceaccount:monitoring:prometheus' } };

testRule(rule, [
  ...['/metrics', '/met*', '/*', '/m?trics', '/[a-z]etrics', '/healthz,/metrics'].map((paths) => ({
    name: `X19 ignored: ${paths}`,
    object: proxy('--secure-listen-address=:8443', `--ignore-paths=${paths}`),
    findings: [`ignorePaths ${ARGS}/1`],
  })),
  ...['/healthz', '/*/metrics', '/metrics/*', '*', 'metrics', '/[', '/-/ready,/-/healthy', ''].map((paths) => ({
    name: `ignored, but not the metrics: "${paths}"`,
    object: proxy(`--ignore-paths=${paths}`),
    findings: [],
  })),
  {
    name: 'of repeated lists both count',
    object: proxy('--ignore-paths=/metrics', '--ignore-paths', '/healthz'),
    findings: [`ignorePaths ${ARGS}/0`],
  },
  {
    name: 'metrics where an annotation says they are',
    object: annotated('/stats/prometheus', proxy('--ignore-paths=/stats/*')),
    findings: [`ignorePaths ${ARGS}/0`],
  },
  {
    name: 'X20 plain HTTP on every address',
    object: proxy('--insecure-listen-address=0.0.0.0:8080'),
    findings: [`insecureAddress ${ARGS}/0`],
  },
  {
    name: 'plain HTTP on a port',
    object: proxy('--insecure-listen-address', ':8080'),
    findings: [`insecureAddress ${ARGS}/0`],
  },
  { name: 'plain HTTP on loopback', object: proxy('--insecure-listen-address=127.0.0.1:8080'), findings: [] },
  { name: 'no plain HTTP', object: proxy('--insecure-listen-address=', '--secure-listen-address=:8443'), findings: [] },
  { name: 'paths that are allowed are still asked about', object: proxy('--allow-paths=/metrics'), findings: [] },
  {
    name: 'the flags of another proxy',
    object: makePod({ container: { image: 'prom-label-proxy:v1', args: ['--insecure-listen-address=0.0.0.0:8080'] } }),
    findings: [],
  },
  {
    name: 'an image of OpenShift',
    object: makePod({
      container: { image: 'quay.io/openshift/origin-kube-rbac-proxy', args: ['--ignore-paths=/metrics'] },
    }),
    findings: [`ignorePaths ${ARGS}/0`],
  },
  {
    name: 'one user is allowed',
    object: configMap({ static: [{ ...PROMETHEUS, verb: 'get', path: '/metrics' }] }),
    findings: [],
  },
  {
    name: 'nobody in particular is allowed',
    object: configMap({ static: [{ verb: 'get', path: '/metrics' }] }),
    findings: EVERYONE,
  },
  {
    name: 'groups are not looked at, so everyone is allowed',
    object: configMap({ static: [{ user: { groups: ['monitoring'] }, path: '/metrics' }] }),
    findings: EVERYONE,
  },
  {
    name: 'everyone may see whether it lives',
    object: configMap({ static: [{ verb: 'get', path: '/healthz' }] }),
    findings: [],
  },
  {
    name: 'everyone may write, which reads nothing',
    object: configMap({ static: [{ verb: 'create', path: '/metrics' }] }),
    findings: [],
  },
  {
    name: 'everyone is allowed the resource that is asked for',
    object: configMap({
      resourceAttributes: { resource: 'services', subresource: 'proxy', namespace: 'a' },
      static: [{ resourceRequest: true, resource: 'services' }],
    }),
    findings: EVERYONE,
  },
  {
    name: 'everyone is allowed another resource',
    object: configMap({
      resourceAttributes: { resource: 'services' },
      static: [{ resourceRequest: true, resource: 'pods' }],
    }),
    findings: [],
  },
  {
    name: 'the file by itself',
    object: { authorization: { static: [PROMETHEUS, { path: '/metrics' }] } },
    findings: ['allowsEveryone /authorization/static/1'],
  },
  { name: 'a file of something else', object: { authorization: { static: 'content' } }, findings: [] },
]);
