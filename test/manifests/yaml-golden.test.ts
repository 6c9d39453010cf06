import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readManifests } from '../../src/manifests/manifests.ts';

interface Row {
  readonly yaml: string;
  readonly json?: unknown;
  readonly key?: string;
  readonly refused?: true;
}

interface StreamRow {
  readonly name: string;
  readonly yaml: string;
  readonly documents: readonly { readonly json?: unknown; readonly refused?: true }[];
}

function golden<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../golden/yaml/${name}.json`, import.meta.url), 'utf8'));
}

function read(yaml: string): { objects: unknown[]; errors: number } {
  const { manifests, errors } = readManifests('a.yaml', yaml);
  return { objects: manifests.map(({ object }) => object), errors: errors.length };
}

function expected(row: Row, object: unknown): { objects: unknown[]; errors: number } {
  return row.refused ? { objects: [], errors: 1 } : { objects: [object], errors: 0 };
}

for (const row of golden<Row>('scalars')) {
  test(`the value ${JSON.stringify(row.yaml)} is ${row.refused ? 'refused' : JSON.stringify(row.json)}`, () => {
    const { objects, errors } = read(`v: ${row.yaml}\n`);
    assert.deepEqual({ objects, errors }, expected(row, { v: row.json }));
  });
}

for (const row of golden<Row>('keys')) {
  test(`the key ${JSON.stringify(row.yaml)} is ${row.refused ? 'refused' : JSON.stringify(row.key)}`, () => {
    const { objects, errors } = read(`${row.yaml}: 1\n`);
    assert.deepEqual({ objects, errors }, expected(row, { [row.key ?? '']: 1 }));
  });
}

for (const { name, yaml, documents } of golden<StreamRow>('documents')) {
  test(`${name}: read as Kubernetes does`, () => {
    const values = documents.map(({ json }) => json);
    const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
    const { objects, errors } = read(yaml);
    assert.deepEqual(objects, values.filter(isObject));
    const unread = documents.filter(({ refused, json }) => refused ?? typeof json === 'string').length;
    assert.equal(errors, unread);
  });
}
