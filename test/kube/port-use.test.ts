import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { mentionsOneOf, portUse, type PortUse } from '../../src/kube/port-use.ts';

const USES: readonly (readonly [string, PortUse | undefined])[] = [
  // Addresses.
  ['http://node1:10255/pods', 'asks'],
  ['node1:10255', 'asks'],
  ['$(NODE_IP):10255', 'asks'],
  ['http://${NODE}:10255/metrics', 'asks'],
  ['{{ .HostIP }}:10255', 'asks'],
  ['http://[::1]:10255', 'asks'],
  ['$1:10255', 'asks'],
  ['${1}:10255', 'asks'],
  ['%%host%%:10255', 'asks'],
  ['https://user:secret@node1:10255/', 'asks'],
  ['--url=http://node1:10255', 'asks'],
  ['["node1:10255","node2:10255"]', 'asks'],
  ['{"url":"http://node1:10255"}', 'asks'],
  ['/api/v1/nodes/node1:10255/proxy/metrics', 'asks'],
  ['/api/v1/nodes/http:node1:10255/proxy/pods', 'asks'],
  ['curl -s http://node1:10255', 'asks'],
  ["wget 'http://node1:10255'", 'asks'],
  ['x=`curl node1:10255`', 'asks'],
  ['http://node1:10255?x=1', 'asks'],
  // Keys that end in `port`.
  ['--kubelet-port=10255', 'asks'],
  ['--kubelet-port 10255', 'asks'],
  ['-kubelet_port=10255', 'asks'],
  ['--source=kubernetes:?kubeletPort=10255&kubeletHttps=false', 'asks'],
  ['DD_KUBERNETES_HTTP_KUBELET_PORT=10255', 'asks'],
  ['{"kubeletPort": 10255}', 'asks'],
  ['{"kubeletPort":"10255"}', 'asks'],
  ['kubelet.port=10255', 'asks'],
  ['KUBELET_READ_ONLY_PORT=10255', 'asks'],
  // A port of the program's own.
  ['--port=10255', 'listens'],
  ['PORT=10255', 'listens'],
  ['port: 10255', 'listens'],
  ['--listen-port=10255', 'listens'],
  ['--listen-address=127.0.0.1:10255', 'listens'],
  ['--web.listen-address :10255', 'listens'],
  ['--metrics-bind-address=:10255', 'listens'],
  ['--secure-port=10255', 'listens'],
  ['HEALTH_PORT=10255', 'listens'],
  ['--metrics-addr=127.0.0.1:10255', 'listens'],
  ['METRICS_KUBELET_PORT=10255', 'asks'],
  ['CART_ADDR=cart:10255', 'asks'],
  ['TCP-LISTEN:10255,fork', 'listens'],
  ['0.0.0.0:10255', 'listens'],
  ['[::]:10255', 'listens'],
  ['tcp://0.0.0.0:10255', 'listens'],
  ['--listen=:10255 --upstream=http://node1:10255', 'asks'],
  // A kubelet's own flag belongs to another rule.
  ['--read-only-port=10255', undefined],
  ['--read-only-port 10255', undefined],
  ['--kubelet-arg=read-only-port=10255', undefined],
  ['readOnlyPort: 10255', undefined],
  ['KUBELET_EXTRA_ARGS=--read-only-port=10255', undefined],
  // The number stands there, but not as a port.
  ['', undefined],
  ['10255', undefined],
  ['order-10255-x', undefined],
  ['order:10255-x', undefined],
  ['node1:102550', undefined],
  ['node1:110255', undefined],
  ['node1:10255a', undefined],
  ['sha256:10255abc', undefined],
  ['basic:10255@node1', undefined],
  ['ORDER_ID=10255', undefined],
  ['REPORT=10255', undefined],
  ['TRANSPORT=10255', undefined],
  ['portal=10255', undefined],
  ['{"orderId":10255}', undefined],
  ['orderId: 10255', undefined],
  ['chown 1000:10255 /data', undefined],
  ['library/app:10255', undefined],
  ['--image=app:10255', undefined],
  ['--image=registry.example.com:10255/app:v1', undefined],
  ['sleep 10255', undefined],
];

describe('portUse', () => {
  for (const [text, use] of USES) {
    it(`${JSON.stringify(text)}: ${use ?? 'nothing'}`, () => assert.equal(portUse(text, 10255), use));
  }

  it('knows any port', () => assert.equal(portUse('http://node1:4194/', 4194), 'asks'));

  it('finds an address wherever it stands', () => {
    const filler = fc.string({ unit: fc.constantFrom('a', ' ', ':', '/', '=', '"', '1', '-', '10255', '\n') });
    fc.assert(
      fc.property(filler, filler, (before, after) => {
        assert.equal(portUse(`${before} node1:10255 ${after}`, 10255), 'asks');
      }),
    );
  });
});

describe('mentionsOneOf', () => {
  it('is false only for a text that uses none of the ports, whatever flag stands before it', () => {
    const part = fc.constantFrom('10255', '4194', '102', '55', ':', '=', ' ', '"', '-', '--', 'a', 'port', 'node', '.');
    const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    const flag = text.filter((written) => /^--?[A-Za-z][\w.-]*$/.test(written));
    const ports = [10255, 4194];
    fc.assert(
      fc.property(text, fc.option(flag), (written, before) => {
        const whole = before === null ? written : `${before} ${written}`;
        const isUsed = ports.some((port) => portUse(whole, port) !== undefined);
        assert.ok(mentionsOneOf(written, ports) || !isUsed);
      }),
    );
  });
});
