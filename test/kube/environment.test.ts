import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { Environment } from '../../src/kube/environment.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { containerOf } from '../../src/kube/pods.ts';

const environmentOf = (spec: JsonObject): Environment => new Environment(containerOf(spec, 'containers', 0));
const env = (...entries: readonly unknown[]): Environment => environmentOf({ env: entries });

describe('an environment', () => {
  const known = env(
    { name: 'PORT', value: '10255' },
    { name: 'URL', value: 'http://node:$(PORT)/' },
    { name: 'EARLY', value: '$(LATE)' },
    { name: 'LATE', value: 'late' },
    { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
    { name: '__proto__', value: 'data' },
  );
  // As the kubelet expands: k8s.io/kubernetes third_party/forked/golang/expansion/expand_test.go.
  const cases: readonly (readonly [string, string])[] = [
    ['no reference', 'no reference'],
    ['--port=$(PORT)', '--port=10255'],
    ['$(PORT)$(PORT)', '1025510255'],
    ['$(URL)', 'http://node:10255/'],
    ['$(EARLY)', '$(LATE)'],
    ['$(NODE):$(PORT)', '$(NODE):10255'],
    ['$(NOBODY)', '$(NOBODY)'],
    ['$$(PORT)', '$(PORT)'],
    ['$$$(PORT)', '$10255'],
    ['$PORT ${PORT}', '$PORT ${PORT}'],
    ['$(PORT', '$(PORT'],
    ['$()', '$()'],
    ['$(__proto__)', 'data'],
    ['$(constructor)', '$(constructor)'],
  ];
  for (const [text, expected] of cases) {
    it(`makes ${expected} of ${text}`, () => assert.equal(known.expand(text), expected));
  }

  it('lets the later of two entries win', () => {
    assert.equal(env({ name: 'A', value: '1' }, { name: 'A', value: '2' }).valueOf('A'), '2');
  });

  it('does not know a variable whose last entry takes its value from elsewhere', () => {
    assert.equal(env({ name: 'A', value: '1' }, { name: 'A', valueFrom: {} }).valueOf('A'), undefined);
  });

  it('takes what a script assigns', () => {
    const shell = env();
    shell.assign('A', '1');
    assert.equal(shell.valueOf('A'), '1');
  });

  it('passes over entries that are malformed', () => {
    assert.equal(env(null, 7, { value: 'x' }, { name: 3, value: 'x' }, { name: 'A', value: 1 }).expand('$(A)'), '$(A)');
    assert.equal(environmentOf({ env: 'A=1' }).valueOf('A'), undefined);
  });

  it('stops doubling variables at a budget in proportion to what is written', () => {
    const written = (doublings: number): number => {
      const entries = [{ name: 'A0', value: 'x'.repeat(1000) }];
      for (let n = 1; n <= doublings; n += 1) entries.push({ name: `A${n}`, value: `$(A${n - 1})$(A${n - 1})` });
      const environment = env(...entries);
      let total = 0;
      for (const { name } of entries) total += environment.valueOf(name)?.length ?? 0;
      return total;
    };
    assert.ok(written(50) <= 4096 + 8 * (1000 + 50 * 20));
    assert.ok(written(200) <= 4096 + 8 * (1000 + 200 * 20));
  });

  it('replaces what an expression of the same would', () => {
    const values = new Map([
      ['A', '1'],
      ['B', '$('],
      ['', 'nothing'],
    ]);
    const entries = [...values].map(([name, value]) => ({ name, value: value.replaceAll('$', '$$$$') }));
    const text = fc.string({ unit: fc.constantFrom('$', '(', ')', 'A', 'B', 'x'), maxLength: 14 });
    fc.assert(
      fc.property(text, (written) => {
        const expected = written.replaceAll(/\$(?:\$|\(([^()]*)\))/g, (whole, name: string | undefined) =>
          name === undefined ? '$' : (values.get(name) ?? whole),
        );
        assert.equal(env(...entries).expand(written), expected);
      }),
      { numRuns: 300 },
    );
  });

  it('never throws, whatever it is made of', () => {
    const text = fc.string({ unit: fc.constantFrom('$', '(', ')', 'A', 'B', 'x') });
    const entries = fc.array(fc.oneof(fc.anything(), fc.record({ name: fc.constantFrom('A', 'B'), value: text })));
    fc.assert(fc.property(entries, text, (list, expanded) => typeof env(...list).expand(expanded) === 'string'));
  });
});
