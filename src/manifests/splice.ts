/** A replacement of a part of a text; one of nothing is an insertion. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The same replacement in a text of which this one is a part. */
export function moved({ start, end, text }: Splice, by: number): Splice {
  return { start: start + by, end: end + by, text };
}

/** The text with all replacements made. At one place insertions come before what is replaced there, in their order. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const sorted = sortSplices(splices);
  const parts: string[] = [];
  let done = 0;
  for (const splice of sorted) {
    parts.push(text.slice(done, splice.start), splice.text);
    done = Math.max(done, splice.end);
  }
  parts.push(text.slice(done));
  return parts.join('');
}

/** Replacements in the order in which they are made. */
export function sortSplices(splices: readonly Splice[]): Splice[] {
  return splices.toSorted((a, b) => a.start - b.start || a.end - b.end);
}

/** Where the line that holds an offset ends, before its line break. */
export function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  if (newline < 0) return text.length;
  return newline > offset && text[newline - 1] === '\r' ? newline - 1 : newline;
}

/** Where the line that holds an offset begins. */
export function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

/** The white space before an offset when nothing else stands there on its line, else undefined. */
export function indentBefore(text: string, offset: number): string | undefined {
  const before = text.slice(lineStart(text, offset), offset);
  return /^[ \t]*$/.test(before) ? before : undefined;
}

/** The line breaks that a text uses. */
export function newlineOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
