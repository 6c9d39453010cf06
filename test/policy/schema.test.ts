import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Ajv } from 'ajv';
import { Type } from 'typebox';

import type { JsonObject } from '../../src/kube/json.ts';
import { defineRule, type Rule } from '../../src/policy/rule.ts';
import { policyParser } from '../../src/policy/parse.ts';
import { publishedSchema } from '../../src/policy/schema.ts';

const RULE: Rule = defineRule({
  meta: {
    id: 'example',
    title: 'An example',
    severity: 'low',
    profile: 'baseline',
    targets: ['pods'],
    judges: 'pod',
    reads: [],
    rationale: 'It is one.',
    remediation: 'Leave it.',
    references: [],
    controls: [],
    messages: {},
  },
  params: Type.Object({
    ports: Type.Array(Type.Integer(), { default: [1] }),
    required: Type.Array(Type.String(), { default: [] }),
  }),
  *check() {},
});

const HEAD = { apiVersion: 'scrapeguard.io/v1alpha1', kind: 'MetricsPolicy' };
const schema = publishedSchema([RULE]);
const validate = new Ajv({ strict: false }).compile(schema);
const parse = policyParser([RULE]);

interface Row {
  readonly name: string;
  readonly document: JsonObject;
  readonly valid: boolean;
}

const ROWS: readonly Row[] = [
  { name: 'the shortest policy', document: HEAD, valid: true },
  { name: 'an empty spec', document: { ...HEAD, spec: {} }, valid: true },
  { name: 'one mode of three', document: { ...HEAD, spec: { defaults: { enforce: 'strict' } } }, valid: true },
  { name: 'an image alone', document: { ...HEAD, spec: { injection: { image: 'proxy:v0.22.0' } } }, valid: true },
  {
    name: 'a rule with one parameter of two',
    document: { ...HEAD, spec: { rules: { example: { params: { required: ['a'] } } } } },
    valid: true,
  },
  { name: 'no kind', document: { apiVersion: HEAD.apiVersion }, valid: false },
  { name: 'an unknown key', document: { ...HEAD, spec: { default: {} } }, valid: false },
  { name: 'an unknown rule', document: { ...HEAD, spec: { rules: { exmaple: {} } } }, valid: false },
  {
    name: 'a parameter of the wrong type',
    document: { ...HEAD, spec: { rules: { example: { params: { required: 1 } } } } },
    valid: false,
  },
  {
    name: 'an exception without an end',
    document: { ...HEAD, spec: { exceptions: [{ name: 'a', rules: ['example'], reason: 'b' }] } },
    valid: false,
  },
];

describe('the published schema', () => {
  it('says which draft it follows and where it lives', () => {
    assert.equal(schema['$schema'], 'http://json-schema.org/draft-07/schema#');
    assert.match(String(schema['$id']), /^https:\/\/scrapeguard\.io\/.*\.json$/);
  });

  for (const { name, document, valid } of ROWS) {
    it(`${valid ? 'accepts' : 'refuses'} ${name}, as the parser does`, () => {
      assert.equal(validate(document), valid);
      assert.equal(parse(document).ok, valid);
    });
  }
});
