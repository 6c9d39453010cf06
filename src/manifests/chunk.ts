/** A document's text within its stream. */
export interface Chunk {
  readonly text: string;
  /** Where the text begins in the stream. */
  readonly start: number;
}
