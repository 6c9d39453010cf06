import { REVIEW_ERRORS } from '../../src/admission/review-error.ts';
import { SERVER_ERRORS } from '../../src/server/errors.ts';
import { notice, page, prose, table } from './markdown.ts';

/** docs/errors.md: every error with which the server answers instead of an AdmissionReview. */
export function errorsPage(): string {
  return page(
    notice('src/server/errors.ts and src/admission/review-error.ts'),
    '# Errors',
    'A request that cannot be answered with an AdmissionReview gets one of these, as JSON with `code` and `message`. Codes do not change between releases.',
    '## Before the body is read as a review',
    errorTable(SERVER_ERRORS),
    '## The body is not a review that can be answered',
    errorTable(REVIEW_ERRORS),
  );
}

/** A table of errors as `server` and `admission` hold them. */
type ErrorTable = Readonly<Record<string, { readonly status: number; readonly sentence: string }>>;

function errorTable(errors: ErrorTable): string {
  return table(
    ['code', 'HTTP status', 'message'],
    Object.entries(errors).map(([code, { status, sentence }]) => [`\`${code}\``, String(status), prose(sentence)]),
  );
}
