// Where in a JSON text a JSON pointer points. Only the containers on the way are read, each once.

/** A value's place in the text; its members are found when they are asked for. */
interface Place {
  readonly start: number;
  members?: ReadonlyMap<string, Member>;
}

interface Member {
  /** Where the key stands, or the item itself. */
  readonly label: number;
  readonly place: Place;
}

const SPACE = /[ \t\r\n]*/y;
const SCALAR = /[^,\]}\s]*/y;
const STRUCTURE = /["[\]{}]/g;

/**
 * Makes the function from a pointer's tokens to an offset of the text: of the key in an object, of the item in an
 * array; of the nearest ancestor when there is no such value. The text from `start` on must begin with valid JSON.
 */
export function createJsonLocator(text: string, start = 0): (tokens: readonly string[]) => number {
  const root: Place = { start: match(SPACE, text, start) };
  return (tokens) => {
    let place = root;
    let offset = root.start;
    for (const token of tokens) {
      place.members ??= membersOf(text, place.start);
      const member = place.members.get(token);
      if (!member) return offset;
      offset = member.label;
      place = member.place;
    }
    return offset;
  };
}

/** The offset behind the JSON value that begins at an offset; the end of the text when it is not closed. */
export function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  if (first !== '{' && first !== '[') return match(SCALAR, text, start);
  let depth = 0;
  STRUCTURE.lastIndex = start;
  for (let found = STRUCTURE.exec(text); found; found = STRUCTURE.exec(text)) {
    if (found[0] === '"') STRUCTURE.lastIndex = endOfString(text, found.index);
    else depth += found[0] === '{' || found[0] === '[' ? 1 : -1;
    if (depth === 0) return found.index + 1;
  }
  return text.length;
}

/** The offset of the first character at or after an offset that is no JSON white space. */
export function skipSpace(text: string, start: number): number {
  return match(SPACE, text, start);
}

function membersOf(text: string, start: number): ReadonlyMap<string, Member> {
  const entries = entriesIn(text, start);
  return new Map(
    entries.map((entry, at) => [entry.key ?? String(at), { label: entry.start, place: { start: entry.valueStart } }]),
  );
}

/** A member of an object, or an item of an array, which has no key; `end` is behind its value. */
export interface JsonEntry {
  readonly key?: string;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** The entries of the JSON object or array that begins at an offset; none for any other value. */
export function entriesIn(text: string, start: number): JsonEntry[] {
  const entries: JsonEntry[] = [];
  const keyed = text[start] === '{';
  if (!keyed && text[start] !== '[') return entries;
  let offset = skipSpace(text, start + 1);
  while (offset < text.length && text[offset] !== '}' && text[offset] !== ']') {
    const entry = keyed ? memberAt(text, offset) : { start: offset, valueStart: offset, end: endOfValue(text, offset) };
    entries.push(entry);
    offset = skipSpace(text, entry.end);
    if (text[offset] === ',') offset = skipSpace(text, offset + 1);
  }
  return entries;
}

function memberAt(text: string, start: number): JsonEntry {
  const endOfKey = endOfString(text, start);
  // Behind the colon.
  const valueStart = skipSpace(text, skipSpace(text, endOfKey) + 1);
  return { key: decodeKey(text.slice(start, endOfKey)), start, valueStart, end: endOfValue(text, valueStart) };
}

function decodeKey(literal: string): string {
  return literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1);
}

function endOfString(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
  } while (isEscaped(text, end));
  return end + 1;
}

function isEscaped(text: string, offset: number): boolean {
  let first = offset;
  while (text[first - 1] === '\\') first -= 1;
  return (offset - first) % 2 === 1;
}

function match(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset;
  pattern.test(text);
  return Math.max(offset, pattern.lastIndex);
}
