import { ADMISSION_API_VERSION, type AdmissionRequest, type Operation } from '../kube/admission-review.ts';
import { asObject, asString, asStrings, isObject, type JsonObject } from '../kube/json.ts';
import { ReviewError } from './review-error.ts';

/**
 * Reads the body of a webhook call. The object and the old object are handed on as they were parsed; a field of the
 * envelope that is missing or malformed reads as empty. Throws a ReviewError for anything else than an AdmissionReview
 * of admission.k8s.io/v1 with a uid.
 */
export function decodeReview(body: string): AdmissionRequest {
  const review = parse(body);
  if (!isObject(review) || review['kind'] !== 'AdmissionReview') throw new ReviewError('REVIEW_NOT_A_REVIEW');
  if (review['apiVersion'] !== ADMISSION_API_VERSION) throw new ReviewError('REVIEW_VERSION');
  const request = review['request'];
  if (!isObject(request)) throw new ReviewError('REVIEW_NOT_A_REVIEW');
  const uid = asString(request['uid']);
  if (uid === undefined || uid === '') throw new ReviewError('REVIEW_NO_UID');
  return { uid, ...fieldsOf(request) };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new ReviewError('REVIEW_NOT_JSON', error);
  }
}

function fieldsOf(request: JsonObject): Omit<AdmissionRequest, 'uid'> {
  const { group, version, resource } = asObject(request['resource']);
  const { username, groups } = asObject(request['userInfo']);
  const { object, oldObject } = request;
  return {
    resource: { group: asString(group) ?? '', version: asString(version) ?? '', resource: asString(resource) ?? '' },
    subResource: asString(request['subResource']) ?? '',
    kind: asString(asObject(request['kind'])['kind']) ?? '',
    namespace: asString(request['namespace']) ?? '',
    name: asString(request['name']) ?? '',
    operation: operationOf(request['operation']),
    user: { username: asString(username) ?? '', groups: asStrings(groups) },
    dryRun: request['dryRun'] === true,
    object: isObject(object) ? object : undefined,
    oldObject: isObject(oldObject) ? oldObject : undefined,
  };
}

const OPERATIONS: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

/** An operation that nobody knows is judged like a CREATE: as if everything in the object were new. */
function operationOf(value: unknown): Operation {
  return OPERATIONS.find((operation) => operation === value) ?? 'CREATE';
}
