import { ADMISSION_API_VERSION, type AdmissionResponse, type AdmissionReview } from '../kube/admission-review.ts';
import type { Decision } from '../policy/decide.ts';

/**
 * Puts a decision on the wire, with a JSON Patch where there is one: keys without content are left out, as the API
 * server's own types do.
 */
export function respond(
  uid: string,
  { allowed, status, warnings, auditAnnotations }: Omit<Decision, 'answered'>,
  patch: readonly unknown[] = [],
): AdmissionReview {
  const response: AdmissionResponse = {
    uid,
    allowed,
    ...(status === undefined ? {} : { status }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(Object.keys(auditAnnotations).length === 0 ? {} : { auditAnnotations }),
    ...(patch.length === 0 ? {} : { patch: base64(JSON.stringify(patch)), patchType: 'JSONPatch' }),
  };
  return { apiVersion: ADMISSION_API_VERSION, kind: 'AdmissionReview', response };
}

/** JSON in base64, whatever its texts hold: what is not ASCII is escaped first, as JSON allows. */
function base64(json: string): string {
  return btoa(json.replace(/[\u0080-\uFFFF]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));
}
