import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { readMetrics } from '../../src/inject/metrics.ts';
import type { DeclaredPort } from '../../src/inject/pod-facts.ts';
import { annotatedPod, foreignProxy, outcomeOf } from '../support/injection.ts';

// What one pod may cost: each of these once took seconds.

const SPELLINGS = ['prometheus.io/port', 'prometheus_io_port', 'prometheus.io-port', 'prometheus-io.port'];

describe('the ports that a pod declares', () => {
  it('are gone through a few times, however often they are named', () => {
    let reads = 0;
    const declared = Array.from({ length: 1000 }, (_, index): DeclaredPort => {
      return {
        get port() {
          reads += 1;
          return index + 1;
        },
        name: `p${index + 1}`,
        protocol: 'TCP',
      };
    });
    const named = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? '1000' : 'p1000')).join(',');
    const annotations = Object.fromEntries(SPELLINGS.map((key) => [key, named]));
    const metrics = readMetrics({ 'prometheus.io/scrape': 'true', ...annotations }, declared);
    assert.deepEqual(metrics.kind === 'metrics' ? metrics.ports : metrics, [1000]);
    assert.ok(reads <= 4 * declared.length, `${reads} reads of ${declared.length} ports`);
  });
});

describe('the proxies of a pod', () => {
  const ignoring = { ...foreignProxy(9090, '--ignore-paths=/metrics'), name: 'one' };
  const injected = '8444 in front of 9090 by kube-rbac-proxy';

  it('are asked about a port two by two: nobody has three', () => {
    const guarding = foreignProxy(9090);
    const second = annotatedPod({ beside: [ignoring, guarding] });
    assert.deepEqual(outcomeOf(second), ['already-protected kube-rbac-proxy']);
    const third = annotatedPod({ beside: [ignoring, { ...ignoring, name: 'two' }, { ...guarding, name: 'three' }] });
    assert.deepEqual(outcomeOf(third), [injected]);
  });

  it('guard nothing with more patterns than anybody writes', () => {
    const few = Array.from({ length: 20 }, (_, index) => `/healthz/${index}`).join(',');
    const guard = (patterns: string) => annotatedPod({ beside: [foreignProxy(9090, `--ignore-paths=${patterns}`)] });
    assert.deepEqual(outcomeOf(guard(few)), ['already-protected kube-rbac-proxy']);
    assert.deepEqual(outcomeOf(guard(`${few},${few}`)), ['8444 in front of 9090 by kube-rbac-proxy-2']);
  });
});

describe('the paths of a pod', () => {
  const paths = (number: number): Readonly<Record<string, string>> =>
    Object.fromEntries(
      ['prometheus.io/path', 'prometheus_io_path', 'prometheus.io-path', 'prometheus-io.path', 'prometheus-io-path']
        .slice(0, number)
        .map((key, index) => [key, `/metrics/${index}`]),
    );

  it('are four at most', () => {
    assert.deepEqual(outcomeOf(annotatedPod({ annotations: paths(4) })), ['8443 in front of 9090 by kube-rbac-proxy']);
    assert.deepEqual(outcomeOf(annotatedPod({ annotations: paths(5) })), ['invalid-path /metrics/4']);
  });
});
