/** What a command reads from and writes to; the process's own streams, or a test's. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Takes the result. */
  readonly stdout: Output;
  /** Takes everything that is said about the run. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  /** Aborts when the process is asked to end. From the first call on that no longer ends it by itself. */
  readonly stopped: () => AbortSignal;
}

/** A stream that text is written to; `isTTY` is true when a person reads it as it comes. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}
