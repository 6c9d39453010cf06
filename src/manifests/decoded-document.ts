import type { Chunk } from './chunk.ts';
import type { Remark } from './unreadable.ts';

/** From a pointer's tokens to an offset in the stream. */
export type Locate = (tokens: readonly string[]) => number;

/** A document's value, and where its parts stand. */
export interface DecodedDocument {
  readonly chunk: Chunk;
  readonly format: 'yaml' | 'json';
  readonly value: unknown;
  readonly remarks: readonly Remark[];
  /** Finds places inside the part that the tokens lead to. The text is read for it here, not at decoding. */
  readonly locatorOf: (part: readonly string[]) => Locate;
}
