import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { containersOf } from '../../src/kube/pods.ts';
import { hostOf, networkHandlersOf } from '../../src/kube/probes.ts';

describe('networkHandlersOf', () => {
  it('finds every handler that calls the network, probes first', () => {
    const [container] = containersOf({
      spec: {
        containers: [
          {
            lifecycle: { preStop: { httpGet: { port: 1, host: 'node' } }, postStart: { exec: { command: ['x'] } } },
            startupProbe: { grpc: { port: 2 } },
            livenessProbe: { tcpSocket: { port: 3, host: '' } },
            readinessProbe: null,
          },
        ],
      },
    });
    assert.ok(container);
    const found = [...networkHandlersOf(container)].map((handler) => [handler.path, handler.hook, hostOf(handler)]);
    assert.deepEqual(found, [
      ['/spec/containers/0/livenessProbe/tcpSocket', 'livenessProbe', undefined],
      ['/spec/containers/0/startupProbe/grpc', 'startupProbe', undefined],
      ['/spec/containers/0/lifecycle/preStop/httpGet', 'lifecycle/preStop', 'node'],
    ]);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (probe, lifecycle) => {
        const [container] = containersOf({ spec: { containers: [{ livenessProbe: probe, lifecycle }] } });
        assert.ok(container);
        for (const handler of networkHandlersOf(container)) hostOf(handler);
      }),
    );
  });
});
