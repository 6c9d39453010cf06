// Pods that people could have written about metrics, many and quickly: the same ones each time.

import type { JsonObject } from '../../src/kube/json.ts';

/** Chooses among things, the same way each time. */
interface Dice {
  readonly pick: <T>(first: T, ...others: readonly T[]) => T;
  readonly chance: (one: number) => boolean;
}

/** A generator of pseudo-random numbers (Marsaglia's xorshift), good enough to choose among a few. */
function makeDice(seed: number): Dice {
  let state = seed;
  const below = (limit: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  return {
    pick: (first, ...others) => (below(others.length + 1) === 0 ? first : (others[below(others.length)] ?? first)),
    chance: (one) => below(one) === 0,
  };
}

/** A number of pods. */
export function generatePods(count: number): readonly JsonObject[] {
  const dice = makeDice(20_261_127);
  return Array.from({ length: count }, () => makePod(dice));
}

function makePod(dice: Dice): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'pod-',
      annotations: Object.fromEntries(annotationsFor(dice)),
    },
    spec: {
      containers: Array.from({ length: dice.pick(1, 1, 2, 3) }, (_, index) => makeContainer(dice, index)),
      ...(dice.chance(4) ? { initContainers: [makeContainer(dice, 7)] } : {}),
      ...(dice.chance(5) ? { restartPolicy: dice.pick('Never', 'OnFailure') } : {}),
      ...(dice.chance(9) ? { hostNetwork: true } : {}),
      ...(dice.chance(9) ? { automountServiceAccountToken: dice.chance(2) } : {}),
      ...(dice.chance(9) ? { imagePullSecrets: [{ name: 'registry' }] } : {}),
      ...(dice.chance(9) ? { volumes: [{ name: dice.pick('data', 'kube-rbac-proxy-token'), emptyDir: {} }] } : {}),
      ...(dice.chance(15) ? { nodeSelector: { 'kubernetes.io/os': dice.pick('linux', 'windows') } } : {}),
      ...(dice.chance(15) ? { resources: { requests: { cpu: '1' }, limits: { cpu: '1', memory: '64Mi' } } } : {}),
    },
  };
}

const PORTS = ['9090', '8080', '9090', '9102', 'metrics', '8443'] as const;

function annotationsFor(dice: Dice): (readonly [string, string])[] {
  const written: [string, string][] = [];
  const maybe = (one: number, key: string, first: string, ...others: readonly string[]): void => {
    if (dice.chance(one)) written.push([key, dice.pick(first, ...others)]);
  };
  const mostly = (key: string, value: string): void => {
    if (!dice.chance(6)) written.push([key, value]);
  };
  mostly(dice.pick('prometheus.io/scrape', 'prometheus.io/scrape', 'prometheus_io_scrape'), 'true');
  mostly(dice.pick('prometheus.io/port', 'prometheus.io/port', 'prometheus.io.port'), dice.pick(...PORTS));
  maybe(9, 'prometheus_io_port', ...PORTS);
  maybe(4, 'prometheus.io/path', '/metrics', '/federate?match[]=x', '/a,b', 'metrics', '/stats/prometheus');
  maybe(5, 'prometheus.io/scheme', 'http', 'http', 'https', 'HTTP');
  maybe(5, 'scrapeguard.io/metrics-port', '9090,9091', '9102', 'metrics', '0', '9090, 8080 ,9090');
  maybe(6, 'scrapeguard.io/metrics-path', '/probe', '/metrics/slis', '/*');
  maybe(6, 'scrapeguard.io/proxy-port', '10443', '8080', '80', 'x');
  maybe(9, 'scrapeguard.io/inject', 'true', 'false', 'yes');
  maybe(9, 'scrapeguard.io/proxy-cpu-request', '10m', '2', '10 potatoes');
  maybe(12, 'scrapeguard.io/status', 'injected', '{"version":1,"image":"x","ports":[]}', STATUS);
  maybe(12, 'scrapeguard.io/original', '{}', '{"prometheus.io/port":"1"}', '[');
  maybe(12, 'sidecar.istio.io/status', '{}');
  return written;
}

const STATUS = '{"version":1,"image":"x","ports":[{"port":9090,"proxyPort":8443,"container":"container-0"}]}';

function makeContainer(dice: Dice, index: number): JsonObject {
  if (dice.chance(8)) return makeProxy(dice);
  const resources = { cpu: '100m', memory: '128Mi' };
  return {
    name: dice.chance(20) ? 'kube-rbac-proxy' : `container-${index}`,
    image: 'example.com/app:1',
    ...(dice.chance(2) ? { ports: [makePort(dice), makePort(dice)] } : {}),
    ...(dice.chance(4)
      ? { readinessProbe: { httpGet: { path: '/ready', port: dice.pick<unknown>(8443, 8444, 'metrics') } } }
      : {}),
    ...(dice.chance(4) ? { resources: { requests: resources, limits: resources } } : {}),
    ...(dice.chance(9) ? { restartPolicy: 'Always' } : {}),
    ...(dice.chance(9) ? { args: [dice.pick('--listen=127.0.0.1:9090', '--listen=:9090')] } : {}),
  };
}

function makePort(dice: Dice): JsonObject {
  return {
    containerPort: dice.pick(9090, 8080, 9102, 8443, 8444),
    ...(dice.chance(2) ? { name: dice.pick('metrics', 'http', 'https-metrics') } : {}),
    ...(dice.chance(9) ? { protocol: dice.pick('TCP', 'UDP') } : {}),
    ...(dice.chance(9) ? { hostPort: 8445 } : {}),
  };
}

function makeProxy(dice: Dice): JsonObject {
  const args = [
    `--secure-listen-address=:${dice.pick(8443, 8444, 9443)}`,
    `--upstream=http://127.0.0.1:${dice.pick(9090, 8080, 9102)}/`,
    ...(dice.chance(3)
      ? [dice.pick('--ignore-paths=/metrics', '--ignore-paths=/healthz', '--insecure-listen-address=:8081')]
      : []),
  ];
  return { name: dice.pick('kube-rbac-proxy', 'proxy'), image: 'quay.io/brancz/kube-rbac-proxy:v0.18.0', args };
}
