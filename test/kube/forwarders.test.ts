import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { forwardsTo } from '../../src/kube/forwarders.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { containerOf } from '../../src/kube/pods.ts';

interface Row {
  readonly name: string;
  readonly container: JsonObject;
  /** The paths of the arguments in question. */
  readonly paths: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    name: 'socat from a listening address to the port',
    container: { command: ['socat'], args: ['TCP-LISTEN:9999,fork', 'TCP:$(NODE_IP):10255'] },
    paths: ['/args/1'],
  },
  {
    name: 'socat as the entrypoint of the image, told by its addresses',
    container: { image: 'alpine/socat', args: ['tcp-l:9999,fork,reuseaddr', 'tcp-connect:10.0.0.1:10255'] },
    paths: ['/args/1'],
  },
  {
    name: 'socat with options before its addresses, and after them',
    container: { args: ['-d', '-d', 'TCP4-LISTEN:80', 'TCP4:10.0.0.1:10255,connect-timeout=1'] },
    paths: ['/args/3'],
  },
  {
    name: 'socat that starts a program',
    container: { command: ['socat', 'TCP-LISTEN:80,fork', 'EXEC:"nc node1 10255"'] },
    paths: ['/command/2'],
  },
  {
    name: 'socat inside a script',
    container: { command: ['sh', '-c', 'exec socat TCP-LISTEN:80,fork "TCP:$NODE_IP:10255"'] },
    paths: ['/command/2'],
  },
  {
    name: 'a variable that holds the address',
    container: {
      args: ['socat', 'TCP-LISTEN:80', 'TCP:$(UPSTREAM)'],
      env: [{ name: 'UPSTREAM', value: 'node1:10255' }],
    },
    paths: ['/args/2'],
  },
  {
    name: 'two netcats in a pipe',
    container: { command: ['sh', '-c', 'while true; do nc -l -p 80 < /tmp/f | nc node1 10255 > /tmp/f; done'] },
    paths: ['/command/2'],
  },
  {
    name: 'ncat that starts another',
    container: { command: ['ncat', '-lk', '80', '--sh-exec', 'ncat node1 10255'] },
    paths: ['/command/4'],
  },
  {
    name: 'simpleproxy',
    container: { command: ['simpleproxy', '-L', '80', '-R', 'node1:10255'] },
    paths: ['/command/4'],
  },
  {
    name: 'a tunnel of ssh',
    container: { command: ['ssh', '-N', '-L', '0.0.0.0:80:localhost:10255', 'node1'] },
    paths: ['/command/3'],
  },
  {
    name: 'listening on the port and leading elsewhere is no forward to it',
    container: { command: ['socat', 'TCP-LISTEN:10255,fork', 'TCP:backend:80'] },
    paths: [],
  },
  { name: 'nc that listens on the port', container: { command: ['nc', '-l', '10255'] }, paths: [] },
  { name: 'nc that only asks', container: { command: ['nc', '-z', 'node1', '10255'] }, paths: [] },
  {
    name: 'a port that merely begins with the digits',
    container: { command: ['socat', 'TCP-LISTEN:80', 'TCP:node1:102550'] },
    paths: [],
  },
  { name: 'another program', container: { command: ['curl', 'http://node1:10255'] }, paths: [] },
  { name: 'nothing at all', container: {}, paths: [] },
  { name: 'malformed lists', container: { command: 'socat', args: [1, null, {}] }, paths: [] },
];

describe('forwardsTo', () => {
  for (const { name, container, paths } of ROWS) {
    it(name, () => {
      const found = forwardsTo(containerOf(container, 'containers', 0), [10255]);
      assert.deepEqual(
        found,
        paths.map((path) => ({ port: 10255, path: `/spec/containers/0${path}` })),
      );
    });
  }
});
