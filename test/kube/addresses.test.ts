import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { hasOpenUrl, hasUrl, hostIn, isLoopback } from '../../src/kube/addresses.ts';

describe('isLoopback', () => {
  for (const address of [
    '127.0.0.1',
    '127.0.0.1:10249',
    '127.255.1.2:1',
    'localhost',
    'LOCALHOST:80',
    '::1',
    '[::1]',
    '[::1]:10249',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
  ]) {
    it(`holds for ${address}`, () => assert.equal(isLoopback(address), true));
  }

  for (const address of [
    '',
    ':10249',
    '0.0.0.0',
    '0.0.0.0:10249',
    '::',
    '[::]',
    '[::]:10249',
    '10.0.0.4',
    '128.0.0.1',
    '1127.0.0.1',
    '127.0.0.1.example.com',
    'localhost.example.com:80',
    '$(POD_IP):10249',
    '[fe80::1]:1',
    '*:10249',
  ]) {
    it(`does not hold for "${address}"`, () => assert.equal(isLoopback(address), false));
  }

  it('does not depend on the port', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.nat(65_535), (host, port) => {
        assert.equal(isLoopback(`${host}:${port}`), isLoopback(host));
        assert.equal(hostIn(`${host}:${port}`), host);
      }),
    );
  });
});

describe('a list of URLs', () => {
  const cases: readonly (readonly [string, boolean, boolean])[] = [
    ['http://0.0.0.0:2381', true, true],
    ['http://127.0.0.1:2381', true, false],
    ['HTTP://LOCALHOST:1', true, false],
    ['https://10.0.0.4:2381,http://[::1]:2381', true, false],
    ['https://10.0.0.4:2381, http://10.0.0.4:2381/x', true, true],
    ['http://:2381', true, true],
    ['https://10.0.0.4:2381', false, false],
    ['unix:///run/etcd.sock', false, false],
    ['0.0.0.0:2381', false, false],
    ['', false, false],
  ];
  for (const [list, has, isOpen] of cases) {
    const verdict = isOpen ? 'has one open to all' : 'has none open to all';
    it(`"${list}" ${has ? verdict : 'has no plain one'}`, () => {
      assert.deepEqual([hasUrl(list, 'http'), hasOpenUrl(list, 'http')], [has, isOpen]);
    });
  }
});
