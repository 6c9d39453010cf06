import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { argumentsIn } from '../../src/kube/component-arguments.ts';
import { componentCommandsOf, type ComponentCommand } from '../../src/kube/component-commands.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { containerOf as asContainer, type Container } from '../../src/kube/pods.ts';
import { wordOf } from '../../src/kube/word.ts';

const containerOf = (spec: JsonObject): Container => asContainer(spec, 'containers', 0);

/** `component: words`, with `+` where they are added to others. */
function show({ component, command, isWhole }: ComponentCommand): string {
  return [`${component}${isWhole ? ':' : '+:'}`, ...command.words.map(({ text }) => text)].join(' ');
}

const shown = (spec: JsonObject): string[] => componentCommandsOf(containerOf(spec)).map(show);

describe('componentCommandsOf', () => {
  const cases: readonly (readonly [string, JsonObject, readonly string[]])[] = [
    ['the name of the program', { image: 'x', command: ['/bin/kubelet', '--v=2'] }, ['kubelet: --v=2']],
    ['the program wins over the image', { image: 'kube-proxy', command: ['kubelet'] }, ['kubelet:']],
    [
      'the image where only flags are written',
      { image: 'r/kube-scheduler:v1', args: ['--v=2'] },
      ['kube-scheduler: --v=2'],
    ],
    ['the image for one processor', { image: 'r/etcd-amd64:3', args: ['--v=2'] }, ['etcd: --v=2']],
    ['a mirrored image', { image: 'rancher/mirrored-coreos-etcd:3', args: ['--v=2'] }, ['etcd: --v=2']],
    ['the image where nothing is written', { image: 'r/kube-proxy:v1' }, ['kube-proxy:']],
    ['another program of the image', { image: 'r/kube-proxy:v1', command: ['sleep', '1'] }, []],
    ['a flag that no other program has', { image: 'x', args: ['--read-only-port=1'] }, ['kubelet: --read-only-port=1']],
    [
      'the same behind a script of its own',
      { command: ['/run.sh', '--listen-client-urls=a'] },
      ['etcd: --listen-client-urls=a'],
    ],
    ['flags that many programs have', { image: 'x', args: ['--port=1', '--address=a', '--anonymous-auth'] }, []],
    ['a sub-command of hyperkube', { command: ['/hyperkube', 'proxy', '--v=2'] }, ['kube-proxy: --v=2']],
    [
      'a sub-command in the image of hyperkube',
      { image: 'r/hyperkube:v1', args: ['controller-manager'] },
      ['kube-controller-manager:'],
    ],
    ['the same word without hyperkube', { image: 'x', command: ['proxy', '--v=2'] }, []],
    [
      'the controller manager of a cloud',
      { command: ['/bin/aws-cloud-controller-manager'] },
      ['cloud-controller-manager:'],
    ],
    ['an image that only ends alike', { image: 'virtual-kubelet:v1', args: ['--v=2'] }, []],
    ['several of them', { command: ['sh', '-c', 'kube-proxy & kubelet --v=2'] }, ['kube-proxy:', 'kubelet: --v=2']],
    [
      'what k3s passes on',
      { command: ['k3s', 'server', '--kubelet-arg=v=2', '--kubelet-arg', '--x=1'] },
      ['k3s: server --kubelet-arg=v=2 --kubelet-arg --x=1', 'kubelet+: --v=2 --x=1'],
    ],
    [
      'what the image of rke2 passes on',
      { image: 'x', args: ['server', '--kube-controller-manager-arg=port=1'] },
      ['kube-controller-manager+: --port=1'],
    ],
    [
      'arguments in a variable',
      { image: 'x', env: [{ name: 'KUBELET_EXTRA_ARGS', value: `--a=1 --b='2 3'` }] },
      ['kubelet+: --a=1 --b=2 3'],
    ],
    ['a variable that is set elsewhere', { env: [{ name: 'KUBELET_ARGS', valueFrom: {} }] }, []],
    ['a variable that holds no arguments', { env: [{ name: 'KUBELET_PORT', value: '10255' }] }, []],
    [
      'a variable made of others',
      {
        env: [
          { name: 'P', value: '1' },
          { name: 'KUBE_PROXY_OPTS', value: '--p=$(P)' },
        ],
      },
      ['kube-proxy+: --p=1'],
    ],
    [
      'variables of etcd come before its words',
      { command: ['etcd', '--name=b'], env: [{ name: 'ETCD_NAME', value: 'a' }] },
      ['etcd: --name=a --name=b'],
    ],
    ['variables of etcd in another program', { command: ['sleep'], env: [{ name: 'ETCD_NAME', value: 'a' }] }, []],
  ];
  for (const [name, spec, expected] of cases) {
    it(name, () => assert.deepEqual(shown(spec), expected));
  }

  it('says where the words stand', () => {
    const container = containerOf({
      env: [
        { name: 'X', value: 'y' },
        { name: 'KUBELET_ARGS', value: '--v=2' },
      ],
    });
    const [added] = componentCommandsOf(container);
    assert.deepEqual(added?.command.words, [wordOf('--v=2', '/spec/containers/0/env/1/value')]);
  });

  it('never throws', () => {
    const text = fc.constantFrom('kubelet', 'hyperkube', 'k3s', '--kubelet-arg', 'etcd', '-', '', 'sh', '-c');
    const list = fc.oneof(fc.array(fc.oneof(text, fc.anything())), fc.anything());
    fc.assert(
      fc.property(fc.record({ image: fc.oneof(text, fc.anything()), command: list, args: list, env: list }), (spec) => {
        for (const { isWhole, command } of componentCommandsOf(containerOf(spec))) {
          assert.ok(isWhole || command.words.length > 0);
        }
      }),
    );
  });
});

describe('argumentsIn', () => {
  const cases: readonly (readonly [string, JsonObject, readonly string[]])[] = [
    [
      'a map, a list of a flag, values that are no text',
      { kind: 'ClusterConfiguration', apiServer: { extraArgs: { a: '1', b: 2, c: true, d: null, e: ['x', 'y'] } } },
      ['kube-apiserver+: --a=1 --b=2 --c=true --e=x --e=y'],
    ],
    [
      'a list of names and values',
      { kind: 'ClusterConfiguration', scheduler: { extraArgs: [{ name: 'a', value: '1' }, null, { name: 'b' }] } },
      ['kube-scheduler+: --a=1'],
    ],
    ['a list of arguments', { 'etcd-arg': ['a=1', '--b=2', 3] }, ['etcd+: --a=1 --b=2']],
    ['a kind that is not known', { kind: 'Other', 'etcd-arg': ['a=1'] }, []],
    ['nothing in it', { kind: 'ClusterConfiguration', etcd: { local: null }, apiServer: { extraArgs: {} } }, []],
  ];
  for (const [name, document, expected] of cases) {
    it(name, () => assert.deepEqual([...argumentsIn(document)].map(show), expected));
  }

  it('never throws', () => {
    const kind = fc.constantFrom('ClusterConfiguration', 'JoinConfiguration', 'KubeadmConfig', undefined);
    fc.assert(
      fc.property(kind, fc.anything(), fc.anything(), (name, value, other) => {
        const document = { kind: name, apiServer: { extraArgs: value }, 'kubelet-arg': value, spec: other };
        for (const { isWhole } of argumentsIn(document)) assert.equal(isWhole, false);
      }),
    );
  });
});
