import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { parseAllDocuments } from 'yaml';

import { CHART_MODES } from '../../scripts/chart-files.ts';
import { manifestPath, plainManifest } from '../../scripts/plain-manifests.ts';
import { asObject, isObject } from '../../src/kube/json.ts';
import { helmSkip } from '../support/chart.ts';

const ROOT = new URL('../../', import.meta.url);

describe('the plain manifests', () => {
  it('are one a mode', () => {
    const names = readdirSync(new URL('deploy/manifests/', ROOT)).map((name) => `deploy/manifests/${name}`);
    assert.deepEqual(new Set(names), new Set(CHART_MODES.map(manifestPath)));
  });

  for (const mode of CHART_MODES) {
    it(`${mode}: is what the chart makes; npm run manifests writes it`, { skip: helmSkip }, async () => {
      assert.equal(readFileSync(new URL(manifestPath(mode), ROOT), 'utf8'), await plainManifest(mode));
    });

    it(`${mode}: begins with the namespace, and every other object is in it or outside all`, () => {
      const documents = parseAllDocuments(readFileSync(new URL(manifestPath(mode), ROOT), 'utf8'));
      const [first, ...others] = documents.map((document): unknown => document.toJS()).filter(isObject);
      assert.equal(first?.['kind'], 'Namespace');
      const namespaces = new Set(others.map((object) => asObject(object['metadata'])['namespace']));
      assert.deepEqual(namespaces, new Set([undefined, 'scrapeguard-system']));
    });
  }
});
