import { ADMISSION_API_VERSION, type AdmissionResponse, type AdmissionReview } from '../kube/admission-review.ts';
import type { Decision } from '../policy/decide.ts';

/** Puts a decision on the wire: keys without content are left out, as the API server's own types do. */
export function respond(uid: string, { allowed, status, warnings, auditAnnotations }: Decision): AdmissionReview {
  const response: AdmissionResponse = {
    uid,
    allowed,
    ...(status === undefined ? {} : { status }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(Object.keys(auditAnnotations).length === 0 ? {} : { auditAnnotations }),
  };
  return { apiVersion: ADMISSION_API_VERSION, kind: 'AdmissionReview', response };
}
