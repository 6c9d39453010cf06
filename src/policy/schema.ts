import { asList, asObject, isObject, own, type JsonObject } from '../kube/json.ts';
import { policySchema } from './document.ts';
import type { Rule } from './rule.ts';

const SCHEMA_ID = 'https://scrapeguard.io/schemas/policy.schema.json';

/**
 * The JSON Schema that is published for editors and for other programs: that of `policySchema`, except that a key with a
 * default may be left out, as an author may.
 */
export function publishedSchema(rules: readonly Rule[]): JsonObject {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: SCHEMA_ID,
    title: 'A MetricsPolicy of scrapeguard',
    ...withoutDefaultedRequired(asObject(policySchema(rules))),
  };
}

/** A schema and the schemas in it, `required` reduced to the keys that have no default. */
function withoutDefaultedRequired(schema: JsonObject): JsonObject {
  const properties = asObject(schema['properties']);
  const required = asList(schema['required']).filter(
    (key) => typeof key === 'string' && !Object.hasOwn(asObject(own(properties, key)), 'default'),
  );
  return Object.fromEntries(
    Object.entries(schema).flatMap(([keyword, value]) => {
      if (keyword === 'required') return required.length === 0 ? [] : [[keyword, required]];
      return [[keyword, nested(keyword, value)]];
    }),
  );
}

function nested(keyword: string, value: unknown): unknown {
  switch (keyword) {
    case 'properties':
      return Object.fromEntries(Object.entries(asObject(value)).map(([key, schema]) => [key, reduced(schema)]));
    case 'items':
      return reduced(value);
    case 'anyOf':
      return asList(value).map(reduced);
    default:
      return value;
  }
}

function reduced(schema: unknown): unknown {
  return isObject(schema) ? withoutDefaultedRequired(schema) : schema;
}
