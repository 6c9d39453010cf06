/** The errors that the server answers before a review is read: HTTP status and sentence, by stable code. */
export const SERVER_ERRORS = {
  BODY_TOO_LARGE: { status: 413, sentence: 'The body is larger than any review that an API server sends.' },
  CONTENT_TYPE: { status: 415, sentence: 'A review is sent as application/json.' },
  CLIENT_CERTIFICATE: { status: 401, sentence: 'The client certificate is missing or not signed by the client CA.' },
  OVERLOADED: { status: 429, sentence: 'Too many reviews are being answered at once; try again in a second.' },
  NOT_FOUND: { status: 404, sentence: 'Only /validate, /mutate, /livez, /readyz and /version are served.' },
  INTERNAL: { status: 500, sentence: 'The server failed; its log says why.' },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly sentence: string }>>;

/** A row of SERVER_ERRORS. */
export type ServerErrorCode = keyof typeof SERVER_ERRORS;

/** Thrown where a request is refused before its review is read. */
export class ServerError extends Error {
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, cause?: unknown) {
    super(SERVER_ERRORS[code].sentence, { cause });
    this.name = 'ServerError';
    this.code = code;
  }
}
