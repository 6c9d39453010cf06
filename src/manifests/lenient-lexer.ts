import { Lexer } from 'yaml';

type Lexemes<T = unknown> = Generator<string, T, undefined>;

/** The parts of the library's lexer that its types hide: how far a line must be indented, where it is, three states. */
interface LexerStates {
  indentNext: number;
  readonly buffer: string;
  readonly pos: number;
  parseLineStart(this: object): Lexemes;
  parseQuotedScalar(this: object): Lexemes;
  parseFlowCollection(this: object): Lexemes;
}

const HIDDEN = ['indentNext', 'buffer', 'pos', 'parseLineStart', 'parseQuotedScalar', 'parseFlowCollection'];

function hasStates(lexer: object): lexer is LexerStates {
  return HIDDEN.every((name) => name in lexer);
}

const BLANK_OR_COMMENT = / *(?:[#\r\n]|$)/y;

/** A line's indent and its first character, where an indent is wanted. */
const QUOTED_LINE = /(?<=\n) *[^ \r\n]/g;
/** A closing bracket may stand below its key in YAML 1.2, too. */
const FLOW_LINE = /(?<=\n) *[^ #\]}\r\n]/g;

interface Watch {
  readonly lines: RegExp;
  readonly tell: (offset: number) => void;
}

/**
 * A lexer of the yaml library that is as lenient as libyaml, which the library has no option for: quoted text and flow
 * collections need no indentation (the function is told where one lacks it), and a comment ends no indented block.
 * Throws `TypeError` when the library has changed inside.
 */
export function createLenientLexer(onUnindented: (offset: number) => void): Lexer {
  const lexer = new Lexer();
  const states: object = lexer;
  if (!hasStates(states)) throw new TypeError('this version of the yaml library has another lexer');
  const parseQuotedScalar = states.parseQuotedScalar.bind(states);
  states.parseQuotedScalar = () => withoutIndent(states, parseQuotedScalar, { lines: QUOTED_LINE, tell: onUnindented });
  const parseFlowCollection = states.parseFlowCollection.bind(states);
  states.parseFlowCollection = () =>
    withoutIndent(states, parseFlowCollection, { lines: FLOW_LINE, tell: onUnindented });
  // The library lets a comment such as `#x`, without a space, end a block.
  const parseLineStart = states.parseLineStart.bind(states);
  states.parseLineStart = () => {
    BLANK_OR_COMMENT.lastIndex = states.pos;
    const isEmpty = BLANK_OR_COMMENT.test(states.buffer);
    return isEmpty ? withIndent(states, states.indentNext, parseLineStart) : parseLineStart();
  };
  return lexer;
}

function* withoutIndent(states: LexerStates, parse: () => Lexemes, { lines, tell }: Watch): Lexemes {
  const start = states.pos;
  const required = states.indentNext;
  const next = yield* withIndent(states, 0, parse);
  const read = states.buffer.slice(start, states.pos);
  if (required === 0 || !read.includes('\n')) return next;
  for (const { index, 0: line } of read.matchAll(lines)) {
    if (line.length <= required) tell(start + index);
  }
  return next;
}

function* withIndent<T>(states: LexerStates, indent: number, parse: () => Lexemes<T>): Lexemes<T> {
  const required = states.indentNext;
  states.indentNext = indent;
  const next = yield* parse();
  states.indentNext = required;
  return next;
}
