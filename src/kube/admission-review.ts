// The wire types of admission.k8s.io/v1 (k8s.io/api/admission/v1/types.go). The API server accepts no other version.

import type { JsonObject } from './json.ts';

export const ADMISSION_API_VERSION = 'admission.k8s.io/v1';

/** What the write does; CONNECT is never registered. */
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** The authenticated author of a request. */
export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
}

/** Names a resource, not an object: `{group: 'apps', version: 'v1', resource: 'deployments'}`. */
export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** The part of an AdmissionRequest that we read; `object` and `oldObject` are raw and never changed. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly resource: GroupVersionResource;
  readonly subResource: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly operation: Operation;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly object: JsonObject | undefined;
  readonly oldObject: JsonObject | undefined;
}

/** `metav1.Status` as far as the API server shows it to the writer of a refused request. */
export interface Status {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: { readonly retryAfterSeconds: number };
}

/** The answer on the wire. `status` is the key; the Go field is called Result. */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: Status;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  readonly patch?: string;
  readonly patchType?: 'JSONPatch';
}

/** An answer in its envelope. */
export interface AdmissionReview {
  readonly apiVersion: typeof ADMISSION_API_VERSION;
  readonly kind: 'AdmissionReview';
  readonly response: AdmissionResponse;
}
