import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NearMiss, nearMissesOf } from '../../src/rbac/near-misses.ts';
import { policyRulesOf } from '../../src/rbac/policy-rule.ts';
import { countReads } from '../support/count-reads.ts';

const many = (count: number, item: string): string[] => Array.from({ length: count }, () => item);

const GROWN: readonly [title: string, rule: (size: number) => object][] = [
  [
    'right resources, and names of which the last is one of an object',
    (size) => ({
      verbs: ['get'],
      apiGroups: [''],
      resources: many(size, 'nodes/proxy'),
      resourceNames: [...many(size, '*'), 'node1'],
    }),
  ],
  [
    'right resources, and verbs of which the last has an effect',
    (size) => ({ verbs: [...many(size, 'list'), 'get'], apiGroups: [''], resources: many(size, 'nodes/proxy') }),
  ],
  [
    'misspelled resources, and verbs without effect',
    (size) => ({ verbs: many(size, 'list'), apiGroups: [''], resources: many(size, 'Nodes/proxy') }),
  ],
  [
    'resources in a misspelled group among many',
    (size) => ({ verbs: ['get'], apiGroups: many(size, 'core'), resources: many(size, 'nodes/proxy') }),
  ],
];

for (const [title, rule] of GROWN) {
  test(`reads grow no faster than the rule: ${title}`, () => {
    const reads = (size: number): number =>
      countReads({ rules: [rule(size)] }, (role) => policyRulesOf(role).forEach(nearMissesOf));
    const [few, times] = [200, 8];
    assert.ok(reads(few * times) <= times * reads(few), `${reads(few)} became ${reads(few * times)}`);
  });
}

const EVERY_ENTRY: readonly [title: string, rule: object, misses: readonly string[]][] = [
  [
    'a misspelled entry after one that is right',
    { verbs: ['get'], apiGroups: [''], resources: ['nodes/metrics', 'nodes/prox*'] },
    ['nodes/proxy resources=nodes/prox*'],
  ],
  [
    'the same capability right and misspelled, in vain for another reason',
    { verbs: ['list'], apiGroups: [''], resources: ['nodes/proxy', 'Nodes/proxy', 'node/proxy'] },
    ['nodes/proxy verbs=list resources=Nodes/proxy,node/proxy'],
  ],
  [
    'the same the other way round',
    { verbs: ['list'], apiGroups: [''], resources: ['node/proxy', 'Nodes/proxy', 'nodes/proxy'] },
    ['nodes/proxy verbs=list resources=node/proxy,Nodes/proxy'],
  ],
  [
    'the same capability right and misspelled',
    { verbs: ['get'], apiGroups: [''], resources: ['nodes/proxy', 'no/proxy'] },
    [],
  ],
];

for (const [title, rule, misses] of EVERY_ENTRY) {
  test(title, () => {
    assert.deepEqual(
      policyRulesOf({ rules: [rule] })
        .flatMap((each) => nearMissesOf(each))
        .map(shortOf),
      misses,
    );
  });
}

function shortOf({ capability, problems }: NearMiss): string {
  return [capability, ...problems.map(({ field, written }) => `${field}=${written.join(',')}`)].join(' ');
}
