import { keepLast } from '../kube/keep-last.ts';
import type { Chunk } from './chunk.ts';
import type { DecodedDocument, Locate } from './decoded-document.ts';
import { createJsonLocator, endOfValue, skipSpace } from './json-positions.ts';
import { DEEPEST, Unreadable } from './unreadable.ts';

const locators = keepLast<Locate>();

/** The JSON documents of a text: one, or several one behind the other; none when it is no JSON. Throws `Unreadable`. */
export function decodeJson(chunk: Chunk): readonly DecodedDocument[] {
  const whole = parseJson(chunk);
  if (whole) return [whole];
  const documents: DecodedDocument[] = [];
  for (let start = skipSpace(chunk.text, 0); start < chunk.text.length;) {
    const end = endOfValue(chunk.text, start);
    const document = parseJson({ text: chunk.text.slice(start, end), start: chunk.start + start });
    if (!document) return [];
    documents.push(document);
    start = skipSpace(chunk.text, end);
  }
  return documents;
}

function parseJson(chunk: Chunk): DecodedDocument | undefined {
  let value: unknown;
  try {
    value = JSON.parse(chunk.text);
  } catch {
    return undefined;
  }
  if (isDeeper(value, DEEPEST)) throw new Unreadable(0, `nested deeper than ${DEEPEST} levels`);
  const locatorOf = (part: readonly string[]): Locate => {
    const whole = locators([chunk], () => createJsonLocator(chunk.text));
    const locate = part.length === 0 ? whole : createJsonLocator(chunk.text, whole(part));
    return (tokens) => chunk.start + locate(tokens);
  };
  return { chunk, format: 'json', value, remarks: [], unitOf: (tokens) => ({ chunk, value, tokens }), locatorOf };
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1));
}
