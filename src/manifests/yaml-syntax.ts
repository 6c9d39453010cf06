// One YAML document's text to its syntax tree, by the yaml library, as leniently as libyaml reads.

import {
  Composer,
  Parser,
  visit,
  type CST,
  type Document,
  type Node,
  type ParseOptions,
  type SchemaOptions,
  type YAMLParseError,
} from 'yaml';
import { createLenientLexer } from './lenient-lexer.ts';
import { DEEPEST, Unreadable, type Remark } from './unreadable.ts';

/** Scalars stay text (the failsafe schema): `yaml-scalar.ts` says what they are to Kubernetes. */
const OPTIONS: ParseOptions & SchemaOptions = {
  schema: 'failsafe',
  resolveKnownTags: false,
  uniqueKeys: false,
  strict: false,
  prettyErrors: false,
};

/** The longest text that is made a tree, which takes some forty times its text in memory. */
export const LARGEST_TREE = 16 * 1024 * 1024;

/** Not printable in YAML (go-yaml readerc.go); the library marks its own tokens with some of them. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x84\x86-\x9F\uFFFE\uFFFF]/;
const UNINDENTED = 'the line is indented less than what it belongs to; Kubernetes reads it, other YAML readers may not';
const CLOSE: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ['[', ']'],
  ['{', '}'],
]);
const LINE_SEPARATOR = /[\u2028\u2029]/;

/** A document's tree, absent when the text holds none. */
export interface ParsedText {
  readonly document?: Document;
  readonly remarks: readonly Remark[];
}

/**
 * The tree of a text that holds at most one document, with a remark where other YAML readers would refuse it.
 * Throws `Unreadable` for text that is not YAML, that is nested deeper than `DEEPEST`, or above 16 MiB. Its collections
 * keep the tokens of which they were made where these are asked for.
 */
export function parseDocument(text: string, keepSourceTokens = false): ParsedText {
  checkText(text);
  const documents: Document[] = [];
  const unindented: number[] = [];
  try {
    const tokens = tokensOf(text, (offset) => unindented.push(offset));
    for (const document of new Composer({ ...OPTIONS, keepSourceTokens }).compose(tokens)) documents.push(document);
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(0);
    throw error;
  }
  const [document, second] = documents;
  const errors = documents.flatMap((each) => each.errors).filter((error) => !isHarmless(error));
  if (errors.length > 0) throw explain(text, documents, errors);
  if (second) throw new Unreadable(second.range?.[0] ?? 0, 'not valid YAML: a second document without a --- line');
  const remarks = unindented.slice(0, 1).map((offset) => ({ offset, message: UNINDENTED }));
  return document ? { document, remarks } : { remarks };
}

/** What is never closed reads on to the end and fails there; it is told where it begins. */
function explain(text: string, documents: readonly Document[], errors: readonly YAMLParseError[]): Unreadable {
  const ends = new Set(errors.map(({ pos }) => pos[0]));
  const opened: number[] = [];
  const note = (_: unknown, { range }: Node): void => {
    if (range && ends.has(range[1]) && isOpen(text.slice(range[0], range[1]))) opened.push(range[0]);
  };
  for (const document of documents) visit(document, { Scalar: note, Collection: note });
  const [first] = opened;
  if (first !== undefined) return new Unreadable(first, `not valid YAML: this ${text.charAt(first)} is not closed`);
  const [{ pos, message } = { pos: [0] as const, message: '' }] = errors;
  return new Unreadable(Math.min(pos[0], text.trimEnd().length), `not valid YAML: ${message}`);
}

function isOpen(text: string): boolean {
  const close = CLOSE.get(text.charAt(0));
  return close !== undefined && (text.length === 1 || !text.endsWith(close));
}

/** To libyaml a `#` where a token may begin is a comment, whatever stands before it. */
function isHarmless({ code, message }: YAMLParseError): boolean {
  return code === 'MISSING_CHAR' && message.startsWith('Comments must be separated');
}

function checkText(text: string): void {
  if (text.length > LARGEST_TREE) {
    throw new Unreadable(0, 'a document above 16 MiB is read as JSON only, and this is not valid JSON');
  }
  const control = text.search(CONTROL);
  if (control >= 0) throw new Unreadable(control, 'control characters are not allowed in YAML');
  const separator = text.search(LINE_SEPARATOR);
  // To libyaml they break lines, even in comments, and to hardly any other reader.
  if (separator >= 0) throw new Unreadable(separator, 'U+2028 and U+2029 must be escaped in YAML ("\\u2028")');
}

function* tokensOf(text: string, onUnindented: (offset: number) => void): Generator<CST.Token> {
  const parser = new Parser();
  for (const lexeme of createLenientLexer(onUnindented).lex(text)) {
    for (const token of parser.next(lexeme)) yield shallow(token);
  }
  for (const token of parser.end()) yield shallow(token);
}

/** Composing recurses, so depth is checked before. */
function shallow(token: CST.Token): CST.Token {
  if (token.type === 'document' && isDeep(token)) throw tooDeep(token.offset);
  return token;
}

function tooDeep(offset: number): Unreadable {
  return new Unreadable(offset, `nested deeper than ${DEEPEST} levels`);
}

function isDeep(document: CST.Document): boolean {
  let level: CST.Token[] = document.value ? [document.value] : [];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) return true;
    level = level.flatMap(childrenOf);
  }
  return false;
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (!('items' in token)) return [];
  const children: CST.Token[] = [];
  for (const item of token.items) {
    if (item.key && 'items' in item.key) children.push(item.key);
    if (item.value && 'items' in item.value) children.push(item.value);
  }
  return children;
}
