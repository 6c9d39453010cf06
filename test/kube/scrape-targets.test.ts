import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { JsonObject } from '../../src/kube/json.ts';
import { scrapeTargetsOf } from '../../src/kube/scrape-targets.ts';

function targets(kind: string, spec: JsonObject): string[] {
  const apiVersion = `monitoring.coreos.com/${kind === 'ScrapeConfig' ? 'v1alpha1' : 'v1'}`;
  const found = scrapeTargetsOf({ apiVersion, kind, metadata: { name: 'all' }, spec });
  return [...found].map(({ value, path }) => `${path} ${JSON.stringify(value)}`);
}

describe('scrapeTargetsOf', () => {
  it('reads the numbers of a ServiceMonitor and leaves the names to the Service', () => {
    const endpoints = [{ port: 'metrics' }, { targetPort: 9090 }, { targetPort: 'web' }, { port: '9091' }];
    assert.deepEqual(targets('ServiceMonitor', { endpoints }), [
      '/spec/endpoints/1/targetPort 9090',
      '/spec/endpoints/3/port 9091',
    ]);
  });

  it('reads the numbers of a PodMonitor', () => {
    const podMetricsEndpoints = [{ portNumber: 9090 }, { targetPort: 9091 }, { port: 'web' }];
    assert.deepEqual(targets('PodMonitor', { podMetricsEndpoints }), [
      '/spec/podMetricsEndpoints/0/portNumber 9090',
      '/spec/podMetricsEndpoints/1/targetPort 9091',
    ]);
  });

  it('reads relabelings that write what is scraped, and no others', () => {
    const relabelings = [
      { targetLabel: '__address__', replacement: '$1:1' },
      { targetLabel: '__metrics_path__', replacement: '/2', action: 'Replace' },
      { targetLabel: 'instance', replacement: '$1:3' },
      { targetLabel: '__address__', replacement: '$1:4', action: 'keep' },
      { targetLabel: '__address__' },
      { replacement: '$1:5' },
      null,
    ];
    const metricRelabelings = [{ targetLabel: '__address__', replacement: '$1:6' }];
    assert.deepEqual(targets('ServiceMonitor', { endpoints: [{ relabelings, metricRelabelings }] }), [
      '/spec/endpoints/0/relabelings/0/replacement "$1:1"',
      '/spec/endpoints/0/relabelings/1/replacement "/2"',
    ]);
  });

  it('reads what an exporter is told to ask', () => {
    const endpoints = [{ params: { module: ['http'], target: ['http://a:1', 2] } }];
    assert.deepEqual(targets('ServiceMonitor', { endpoints }), ['/spec/endpoints/0/params/target/0 "http://a:1"']);
  });

  it('reads static targets, discovered ports and relabelings of a ScrapeConfig', () => {
    const spec = {
      staticConfigs: [{ targets: ['a:1', 'b:2'] }, { labels: {} }],
      dnsSDConfigs: [{ names: ['a'], port: 3 }],
      ec2SDConfigs: [{ port: 4 }, {}],
      relabelings: [{ targetLabel: '__address__', replacement: '$1:5' }],
      jobName: 'SDConfigs',
    };
    assert.deepEqual(targets('ScrapeConfig', spec), [
      '/spec/relabelings/0/replacement "$1:5"',
      '/spec/staticConfigs/0/targets/0 "a:1"',
      '/spec/staticConfigs/0/targets/1 "b:2"',
      '/spec/dnsSDConfigs/0/port 3',
      '/spec/ec2SDConfigs/0/port 4',
    ]);
  });

  it('finds nothing in malformed objects', () => {
    for (const spec of [{}, { endpoints: 'x', staticConfigs: {}, dnsSDConfigs: [1], relabelings: null }]) {
      assert.deepEqual(targets('ServiceMonitor', spec), []);
      assert.deepEqual(targets('ScrapeConfig', spec), []);
    }
  });
});
