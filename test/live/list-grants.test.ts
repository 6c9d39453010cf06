import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ApiError, type ApiClient } from '../../src/cluster/api-client.ts';
import { listGrants } from '../../src/cluster/list-grants.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { clusterRole, clusterRoleBinding, roleBinding } from '../rbac/objects.ts';

/** An API server that answers each request for a collection with the next answer of a script; others are empty. */
function serverOf(script: Readonly<Record<string, readonly (JsonObject | number)[]>>): {
  readonly client: ApiClient;
  readonly asked: readonly string[];
} {
  const asked: string[] = [];
  const used = new Map<string, number>();
  const client: ApiClient = {
    request: ({ path }) => {
      asked.push(path);
      const resource = path.replace(/^.*\/([a-z]+)\?.*$/, '$1');
      const at = used.get(resource) ?? 0;
      used.set(resource, at + 1);
      const answer = script[resource]?.[at] ?? page([]);
      return typeof answer === 'number' ? Promise.reject(new ApiError(answer, 'no')) : Promise.resolve(answer);
    },
    lines: () => Promise.reject(new Error('Nothing is watched.')),
    close: () => Promise.resolve(),
  };
  return { client, asked };
}

function page(items: readonly JsonObject[] | null, next?: string, resourceVersion = '1'): JsonObject {
  return { items, metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next }) } };
}

const JANE = { kind: 'User', name: 'jane' };

describe('the grants of a cluster', () => {
  it('are all pages of all four kinds', async () => {
    const { client, asked } = serverOf({
      clusterroles: [page([clusterRole('a', [])], 'next&1'), page([clusterRole('b', [])])],
      clusterrolebindings: [page([clusterRoleBinding('c', 'a', [JANE])])],
      rolebindings: [page([roleBinding('team-b', 'd', 'a', [JANE]), roleBinding('team-a', 'e', 'a', [JANE])])],
    });
    const counts: number[] = [];
    const { grants, namespaces } = await listGrants(client, (count) => counts.push(count));
    assert.deepEqual(
      Array.from(grants.clusterRoles(), ({ name }) => name),
      ['a', 'b'],
    );
    assert.equal([...grants.clusterRoleBindingsTo('a')].length, 1);
    assert.deepEqual(namespaces, ['team-a', 'team-b']);
    assert.deepEqual(counts, [1, 2, 3, 3, 5]);
    assert.equal(asked.length, 5);
    assert.ok(asked.every((path) => path.includes('limit=500')));
    assert.match(asked[1] ?? '', /continue=next%261/);
  });

  it('are listed anew, the earlier ones dropped, when the server has forgotten where it was', async () => {
    const { client } = serverOf({
      clusterroles: [
        page([clusterRole('gone', [])], 'x'),
        410,
        page([clusterRole('here', [])], 'y', '2'),
        page([], undefined, '2'),
      ],
    });
    const { grants } = await listGrants(client, () => undefined);
    assert.deepEqual(
      Array.from(grants.clusterRoles(), ({ name }) => name),
      ['here'],
    );
  });

  const broken: readonly (readonly [name: string, answers: readonly (JsonObject | number)[]])[] = [
    ['the server refuses a kind', [403]],
    ['the server fails in the middle', [page([], 'x'), 500]],
    ['it forgets again and again', Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? page([], 'x') : 410))],
    ['an answer is no list', [{ kind: 'Status' }]],
    ['a page is of another moment', [page([], 'x', '1'), page([], undefined, '2')]],
  ];
  for (const [name, answers] of broken) {
    it(`are none at all where ${name}`, async () => {
      await assert.rejects(listGrants(serverOf({ clusterrolebindings: answers }).client, () => undefined));
    });
  }
});
