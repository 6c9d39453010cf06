import { parseAllDocuments } from 'yaml';

import { asObject, isObject, type JsonObject } from './json.ts';
import { escapeToken, type JsonPointer } from './pointer.ts';

/** One YAML or JSON document that stands as text in a ConfigMap. */
export interface EmbeddedDocument {
  /** The place of the text in the ConfigMap, and its key. */
  readonly path: JsonPointer;
  readonly key: string;
  readonly document: JsonObject;
}

/**
 * How much text of one ConfigMap is read, in characters. Configurations of components are a quarter of this, and what a
 * stranger can make of it keeps a YAML reader busy for no more than some tens of milliseconds.
 */
const MOST_TEXT = 6144;

const KNOWN = new WeakMap<JsonObject, Map<string, readonly JsonObject[]>>();

/**
 * The documents in a ConfigMap's texts that mention a word, read leniently: a text that is no YAML, is too long, or uses
 * aliases is passed over. Each text is read once, whoever asks. Never throws.
 */
export function* documentsIn(configMap: JsonObject, mentioning: RegExp): Generator<EmbeddedDocument> {
  let left = MOST_TEXT;
  for (const [key, text] of Object.entries(asObject(configMap['data']))) {
    if (typeof text !== 'string' || text.length > left || !mentioning.test(text)) continue;
    left -= text.length;
    for (const document of readOnce(configMap, key, text)) {
      yield { path: `/data/${escapeToken(key)}`, key, document };
    }
  }
}

function readOnce(configMap: JsonObject, key: string, text: string): readonly JsonObject[] {
  const known = KNOWN.get(configMap) ?? new Map<string, readonly JsonObject[]>();
  KNOWN.set(configMap, known);
  const documents = known.get(key) ?? read(text);
  known.set(key, documents);
  return documents;
}

/** YAML 1.1, as Kubernetes' components read it: `yes` is true there and 024017 octal. */
function read(text: string): readonly JsonObject[] {
  try {
    const documents = parseAllDocuments(text, {
      version: '1.1',
      uniqueKeys: false,
      logLevel: 'silent',
      prettyErrors: false,
    });
    return [...documents].flatMap((document) => {
      const value: unknown = document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 0 });
      return isObject(value) ? [value] : [];
    });
  } catch {
    return [];
  }
}
