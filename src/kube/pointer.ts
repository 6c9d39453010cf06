import { asList, isObject, own } from './json.ts';

/** A JSON Pointer (RFC 6901): '' is the whole document, '/spec/ports/0' a place in it. */
export type JsonPointer = string;

/** One reference token, escaped: `~` becomes `~0` and `/` becomes `~1`. */
export function escapeToken(token: string): string {
  return token.includes('~') || token.includes('/') ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token;
}

/** The pointer as its unescaped tokens; '' gives none. */
export function tokensOf(pointer: JsonPointer): string[] {
  if (pointer === '') return [];
  const tokens = pointer.slice(1).split('/');
  if (!pointer.includes('~')) return tokens;
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const ARRAY_INDEX = /^(?:0|[1-9][0-9]*)$/;

/** The value that a pointer names, or undefined when there is none. Never throws. */
export function valueAt(document: unknown, pointer: JsonPointer): unknown {
  let value = document;
  for (const token of tokensOf(pointer)) {
    if (Array.isArray(value)) value = ARRAY_INDEX.test(token) ? asList(value)[Number(token)] : undefined;
    else if (isObject(value)) value = own(value, token);
    else return undefined;
  }
  return value;
}
