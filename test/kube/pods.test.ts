import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { commandsOf } from '../../src/kube/command-line.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { containersOf, isHostNetwork, portsOf } from '../../src/kube/pods.ts';

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
    initContainers: [{ name: 'setup' }, { name: 'side', restartPolicy: 'Always', ports: [{ containerPort: 15020 }] }],
    ephemeralContainers: [{ name: 'debug' }],
  },
};

describe('containersOf', () => {
  it('hands out the same containers until it is asked about another pod', () => {
    const [first] = containersOf(POD);
    assert.equal(containersOf(POD)[0], first);
    assert.deepEqual(containersOf({ spec: {} }), []);
    assert.notEqual(containersOf(POD)[0], first);
    assert.deepEqual(containersOf(POD)[0], first);
  });

  it('takes no reading of one place for that of another', () => {
    const shared = { name: 'a', command: ['serve', '--x'] };
    const pathsIn = (pod: JsonObject): string[] =>
      containersOf(pod).flatMap((container) =>
        commandsOf(container).flatMap(({ words }) => words.map(({ path }) => path)),
      );
    const twice = { spec: { containers: [shared, shared] } };
    for (let round = 0; round < 2; round += 1) {
      assert.deepEqual(pathsIn(twice), ['/spec/containers/0/command/1', '/spec/containers/1/command/1']);
      assert.deepEqual(pathsIn({ spec: { initContainers: [shared] } }), ['/spec/initContainers/0/command/1']);
    }
  });

  it('finds every container in the order in which they run', () => {
    const found = containersOf(POD).map(({ name, list, path }) => `${name} ${list} ${path}`);
    assert.deepEqual(found, [
      'setup initContainers /spec/initContainers/0',
      'side initContainers /spec/initContainers/1',
      'app containers /spec/containers/0',
      'other containers /spec/containers/1',
      'debug ephemeralContainers /spec/ephemeralContainers/0',
    ]);
  });

  it('passes over what is no container, and counts it', () => {
    const pod = { spec: { containers: [null, 'app', { name: 7 }], initContainers: null } };
    const found = containersOf(pod).map(({ name, path }) => [name, path]);
    assert.deepEqual(found, [['', '/spec/containers/2']]);
  });

  it('finds none in a malformed pod', () => {
    for (const pod of [{}, { spec: null }, { spec: [] }, { spec: { containers: {} } }]) {
      assert.deepEqual(containersOf(pod), []);
    }
  });
});

describe('portsOf', () => {
  it('finds every declared port with its place', () => {
    assert.deepEqual(
      [...portsOf(POD)].map(({ path }) => path),
      [
        '/spec/initContainers/1/ports/0',
        '/spec/containers/0/ports/0',
        '/spec/containers/0/ports/1',
        '/spec/containers/1/ports/0',
      ],
    );
  });
});

describe('isHostNetwork', () => {
  it('holds for true alone', () => {
    assert.equal(isHostNetwork({ spec: { hostNetwork: true } }), true);
    for (const hostNetwork of [false, 'true', 1, null, undefined]) {
      assert.equal(isHostNetwork({ spec: { hostNetwork } }), false);
    }
  });
});

describe('pods', () => {
  it('are read without throwing, whatever they hold', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (spec, ports) => {
        const pods = [{ spec }, { spec: { containers: [{ ports, livenessProbe: spec }] } }];
        for (const pod of pods) {
          for (const { path } of [...containersOf(pod), ...portsOf(pod)]) assert.ok(path.startsWith('/spec/'));
        }
      }),
    );
  });
});
