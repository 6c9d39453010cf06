import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { containersOf } from '../../src/kube/pods.ts';
import { namedPort, portNumber, protocolOf, resolvePort } from '../../src/kube/ports.ts';

const POD = {
  spec: {
    containers: [
      {
        name: 'app',
        ports: [
          { containerPort: 8080, name: 'http' },
          { containerPort: 9090, name: 'metrics' },
        ],
      },
      { name: 'other', ports: [{ containerPort: 9091, name: 'metrics' }] },
    ],
  },
};

describe('ports', () => {
  const numbers: readonly (readonly [unknown, number | undefined])[] = [
    [10255, 10255],
    ['10255', 10255],
    ['010255', undefined],
    ['0x280F', undefined],
    ['metrics', undefined],
    ['', undefined],
    [10255.5, undefined],
    [null, undefined],
    [[10255], undefined],
    [{ port: 10255 }, undefined],
  ];
  for (const [value, expected] of numbers) {
    it(`${JSON.stringify(value)} names ${expected}`, () => assert.equal(portNumber(value), expected));
  }

  it('are resolved by name in their own container, and in the pod by the first that has it', () => {
    const [app, other] = containersOf(POD);
    assert.ok(app && other);
    assert.equal(resolvePort('metrics', app), 9090);
    assert.equal(resolvePort('metrics', other), 9091);
    assert.equal(resolvePort('http', other), undefined);
    assert.equal(resolvePort(8080, other), 8080);
    assert.equal(resolvePort(undefined, other), undefined);
    assert.equal(namedPort(POD, 'metrics'), 9090);
    assert.equal(namedPort(POD, 'nobody'), undefined);
  });

  it('are TCP unless they say otherwise', () => {
    assert.equal(protocolOf({}), 'TCP');
    assert.equal(protocolOf({ protocol: 'UDP' }), 'UDP');
    assert.equal(protocolOf({ protocol: null }), 'TCP');
  });
});
