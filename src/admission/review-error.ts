/** The errors of an envelope that no AdmissionResponse can answer: HTTP status and sentence, by stable code. */
export const REVIEW_ERRORS = {
  REVIEW_NOT_JSON: { status: 400, sentence: 'The body is not JSON.' },
  REVIEW_NOT_A_REVIEW: { status: 400, sentence: 'The body is not an AdmissionReview with a request.' },
  REVIEW_VERSION: { status: 400, sentence: 'Only AdmissionReviews of admission.k8s.io/v1 are answered.' },
  REVIEW_NO_UID: { status: 400, sentence: 'The request of the AdmissionReview has no uid.' },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly sentence: string }>>;

/** A row of REVIEW_ERRORS. */
export type ReviewErrorCode = keyof typeof REVIEW_ERRORS;

/** Thrown by `decodeReview` for a body that is no AdmissionReview of the version that we answer. */
export class ReviewError extends Error {
  readonly code: ReviewErrorCode;

  constructor(code: ReviewErrorCode, cause?: unknown) {
    super(REVIEW_ERRORS[code].sentence, { cause });
    this.name = 'ReviewError';
    this.code = code;
  }
}
