// Strings as YAML scalars that every reader takes for strings.

import { resolvePlain } from './yaml-scalar.ts';

/** What may stand without quotes in block style, whatever reads it. */
const PLAIN = /^(?:[A-Za-z_./$(]|-(?=[^\s-])|--(?=[^\s-]))[\x21-\x7E]*(?: [\x21-\x7E]+)*$/;
const MARKS = /: | #|:$|^[-.]{3}/;
/** Numbers, times and dates of one YAML version or another. */
const NUMERIC = /^(?=.*[0-9])[-+.:0-9_A-Fa-fxo]*$/;
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\x7F-\x9F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g;
/** What begins like a number and is none to anybody. */
const QUANTITY = /^[0-9]+(?:m|[KMGT]i)$/;
const SINGLE = /^[\x20-\x7E]*$/;

/** A string in double quotes. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(UNPRINTABLE, escapeChar);
}

function escapeChar(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A string in quotes that it does not hold, if there are any. */
export function inQuotes(text: string): string {
  return text.includes('"') && !text.includes("'") && SINGLE.test(text) ? `'${text}'` : quoted(text);
}

/** A string without quotes where it needs none, else in quotes; for block style. */
export function plainOrQuoted(text: string): string {
  if (QUANTITY.test(text)) return text;
  const isSafe = PLAIN.test(text) && !MARKS.test(text) && !NUMERIC.test(text) && resolvePlain(text).kind === 'string';
  return isSafe ? text : inQuotes(text);
}

/** A scalar for block style, in the quotes that the text had before, where they can hold it. */
export function scalarLike(value: unknown, before: string): string {
  if (typeof value !== 'string') return JSON.stringify(value ?? null);
  if (before.startsWith("'") && SINGLE.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return before.startsWith('"') ? quoted(value) : plainOrQuoted(value);
}
