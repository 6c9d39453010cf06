import type { Chunk } from './chunk.ts';
import type { Remark } from './unreadable.ts';

/** From a pointer's tokens to an offset in the stream. */
export type Locate = (tokens: readonly string[]) => number;

/** A text within a stream, what it holds, and what leads to a part of that. */
export interface Unit {
  readonly chunk: Chunk;
  readonly value: unknown;
  readonly tokens: readonly string[];
}

/** A document's value, and where its parts stand. */
export interface DecodedDocument {
  readonly chunk: Chunk;
  readonly format: 'yaml' | 'json';
  readonly value: unknown;
  readonly remarks: readonly Remark[];
  /** The smallest text that can be read by itself and holds the part, and the tokens that lead to the part in it. */
  readonly unitOf: (part: readonly string[]) => Unit;
  /** Finds places inside the part that the tokens lead to. The text is read for it here, not at decoding. */
  readonly locatorOf: (part: readonly string[]) => Locate;
}
