// Raw JSON is narrowed here and nowhere else: objects pass through unchanged, and a malformed one reads as absent.

/** A JSON object as it came over the wire; any key may hold anything. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for a JSON object; false for arrays, null and scalars. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const EMPTY_OBJECT: JsonObject = Object.freeze({});
const EMPTY_LIST: readonly unknown[] = Object.freeze([]);

/** The object itself, or an empty one when the value is anything else. Never throws. */
export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : EMPTY_OBJECT;
}

/** The array itself, or an empty one when the value is anything else. Never throws. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : EMPTY_LIST;
}

/** The string itself, or undefined when the value is anything else. */
export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The strings of a list; every other item, and anything that is no list, is left out. */
export function asStrings(value: unknown): readonly string[] {
  return asList(value).filter((item) => typeof item === 'string');
}

/** The object's own value under a key: inherited names such as `constructor` read as undefined. */
export function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
