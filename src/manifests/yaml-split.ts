// A YAML stream cut at its document markers, so that one bad document does not spoil the others.

import type { Chunk } from './chunk.ts';

/** A line that begins `---` or `...`; within a document no scalar can hold such a line. */
const MARKER = /(?<![^\n])(?:---|\.\.\.)(?=[ \t\r\n]|$)[^\n]*\n?/g;
const BARE_MARKER = /^(?:---|\.\.\.)[ \t]*(?:#[^\n\u2028\u2029]*)?\r?\n?$/;
const PRELUDE = /^(?:[ \t]*(?:#[^\n]*)?\r?\n|%[^\n]*\n)*$/;
const DIRECTIVE = /^%/m;

/** The documents of a stream in their order, empty ones too. Linear in the text. */
export function splitDocuments(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  for (const match of text.matchAll(MARKER)) {
    const before = text.slice(start, match.index);
    // Directives belong to the document behind their marker.
    if (DIRECTIVE.test(before) && PRELUDE.test(before)) continue;
    chunks.push({ text: before, start });
    // A document may begin on its marker's line.
    start = BARE_MARKER.test(match[0]) ? match.index + match[0].length : match.index;
  }
  chunks.push({ text: text.slice(start), start });
  return chunks;
}
