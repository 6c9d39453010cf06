import { asList, asObject, asString, isObject, type JsonObject } from '../../src/kube/json.ts';
import type { Rule } from '../../src/policy/rule.ts';
import { prose, table } from './markdown.ts';

/** One parameter of a rule. */
interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly defaultValue: unknown;
  readonly description: string;
}

/** The parameters of a rule as a table, or a sentence that there are none. */
export function parameterTable(rule: Rule): string {
  const rows = parametersOf(rule).map(({ name, type, defaultValue, description }) => [
    `\`${name}\``,
    prose(type),
    `\`${JSON.stringify(defaultValue)}\``,
    prose(description),
  ]);
  return rows.length === 0 ? 'None.' : table(['name', 'type', 'default', 'meaning'], rows);
}

/** The default of every parameter, by its name. */
export function defaultsOf(rule: Rule): JsonObject {
  return Object.fromEntries(parametersOf(rule).map(({ name, defaultValue }) => [name, defaultValue]));
}

function parametersOf({ params }: Rule): Parameter[] {
  return Object.entries(params.properties).map(([name, property]) => {
    const schema: unknown = property;
    const { default: defaultValue, description } = asObject(schema);
    return { name, type: typeName(schema), defaultValue, description: asString(description) ?? '' };
  });
}

/** A type in words: `list of integer from 1 to 65535`. */
function typeName(schema: unknown): string {
  if (!isObject(schema)) return 'anything';
  const choices = asList(schema['enum']);
  if (choices.length > 0) return `one of ${choices.map(String).join(', ')}`;
  const alternatives = asList(schema['anyOf']);
  if (alternatives.length > 0) return alternatives.map(typeName).join(' or ');
  if (schema['type'] === 'array') return `list of ${typeName(schema['items'])}`;
  return `${asString(schema['type']) ?? 'anything'}${range(schema)}`;
}

function range({ minimum, maximum }: JsonObject): string {
  if (typeof minimum !== 'number') return '';
  return typeof maximum === 'number' ? ` from ${minimum} to ${maximum}` : ` of at least ${minimum}`;
}
