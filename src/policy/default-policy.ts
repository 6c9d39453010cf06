import { asObject, isObject, own, type JsonObject } from '../kube/json.ts';
import { policySchema, type PolicyDocument } from './document.ts';
import type { Rule } from './rule.ts';

/** What a policy is when nobody wrote one: every field at its default. */
const NO_POLICY = { apiVersion: 'scrapeguard.io/v1alpha1', kind: 'MetricsPolicy' };

/**
 * The policy over these rules that nobody wrote, complete: what the parser makes of one without a spec. It is read off
 * the schema, for there is nothing to validate, and a validator takes longer to make than a server to start.
 */
export function defaultPolicy(rules: readonly Rule[]): PolicyDocument {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type is made of the schema, which has a default for all the rest
  return completed(NO_POLICY, asObject(policySchema(rules))) as object as PolicyDocument;
}

/** An object with the default of each property that it lacks, and so on inside. */
function completed(object: JsonObject, schema: JsonObject): JsonObject {
  const properties = Object.entries(asObject(own(schema, 'properties')));
  const defaults = properties.flatMap(([name, property]): [string, unknown][] => {
    const inner = asObject(property);
    const value = own(object, name) ?? structuredClone(own(inner, 'default'));
    if (value === undefined) return [];
    return [[name, isObject(value) ? completed(value, inner) : value]];
  });
  return { ...object, ...Object.fromEntries(defaults) };
}
