// Values as JSON, or as YAML's flow style, in the manner of the text around them.

import { asList, isObject } from '../kube/json.ts';
import { inQuotes, plainOrQuoted } from './write-scalar.ts';

/** How a text writes its flow collections. */
export interface FlowStyle {
  /** JSON quotes every string. */
  readonly json: boolean;
  readonly colon: string;
  readonly comma: string;
  readonly newline: string;
  /** One level of indentation, where collections take several lines. */
  readonly unit: string;
}

/** A value in flow style; on several lines, each indented by `indent` and more, where an indent is given. */
export function flowText(value: unknown, style: FlowStyle, indent?: string): string {
  if (Array.isArray(value)) {
    const items = asList(value).map((item) => flowText(item, style, deeper(style, indent)));
    return enclose('[]', items, style, indent);
  }
  if (!isObject(value)) return scalarIn(value, style);
  const pairs = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => flowEntry(key, item, style, deeper(style, indent)));
  return enclose('{}', pairs, style, indent);
}

/** A pair, or an item when there is no key, in flow style. */
export function flowEntry(key: string | undefined, value: unknown, style: FlowStyle, indent?: string): string {
  const text = flowText(value, style, indent);
  return key === undefined ? text : `${scalarIn(key, style)}${style.colon}${text}`;
}

function deeper({ unit }: FlowStyle, indent: string | undefined): string | undefined {
  return indent === undefined ? undefined : indent + unit;
}

function enclose(brackets: string, parts: readonly string[], style: FlowStyle, indent: string | undefined): string {
  const [open = '', close = ''] = brackets;
  if (parts.length === 0) return brackets;
  if (indent === undefined) return `${open}${parts.join(style.comma)}${close}`;
  const gap = `${style.newline}${indent}`;
  return `${open}${parts.map((part) => `${gap}${style.unit}${part}`).join(',')}${gap}${close}`;
}

function scalarIn(value: unknown, { json }: FlowStyle): string {
  if (typeof value !== 'string') return JSON.stringify(value ?? null);
  return json ? JSON.stringify(value) : /^[\w./-]+$/.test(value) ? plainOrQuoted(value) : inQuotes(value);
}
