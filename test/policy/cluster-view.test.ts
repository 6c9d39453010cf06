import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NEWEST_VERSION, viewOf } from '../../src/policy/cluster-view.ts';
import { labelledNamespace } from '../support/label-rule.ts';

describe('a view over plain objects', () => {
  it('knows the labels of the Namespaces among them', () => {
    const view = viewOf([labelledNamespace({ enforce: 'strict' }), labelledNamespace({}, 'bare')]);
    assert.deepEqual(view.namespaceLabels('shop'), { 'scrapeguard.io/enforce': 'strict' });
    assert.deepEqual(view.namespaceLabels('bare'), {});
  });

  it('finds nothing else, and is never unsure', () => {
    const objects = [
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod' } },
      { apiVersion: 'example.com/v1', kind: 'Namespace', metadata: { name: 'other' } },
      { kind: 'Namespace', metadata: { name: 'loose' } },
    ];
    const view = viewOf(objects);
    for (const name of ['pod', 'other', 'loose', 'default', '', 'constructor', '__proto__']) {
      assert.equal(view.namespaceLabels(name), 'not found', name);
    }
  });

  it('leaves out labels that are no text', () => {
    const view = viewOf([labelledNamespace({ enforce: 'off', warn: false, audit: { a: 1 } })]);
    assert.deepEqual(view.namespaceLabels('shop'), { 'scrapeguard.io/enforce': 'off' });
  });

  it('unites a Namespace that comes more than once', () => {
    const view = viewOf([
      labelledNamespace({ enforce: 'off', warn: 'off' }),
      labelledNamespace({ enforce: 'strict', audit: 'off' }),
    ]);
    assert.deepEqual(view.namespaceLabels('shop'), {
      'scrapeguard.io/enforce': 'strict',
      'scrapeguard.io/warn': 'off',
      'scrapeguard.io/audit': 'off',
    });
  });

  it('is of the newest version unless told', () => {
    assert.deepEqual(viewOf([]).version, NEWEST_VERSION);
    assert.deepEqual(viewOf([], { major: 1, minor: 30 }).version, { major: 1, minor: 30 });
  });
});
