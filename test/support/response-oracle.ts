// What the API server demands of an answer before it believes it, and what we demand of ourselves on top. Tests put
// every answer through this, wherever it comes from.

import assert from 'node:assert/strict';

import { asObject, isObject, type JsonObject } from '../../src/kube/json.ts';

/** Which kind of webhook answered: a validating one may not patch. */
export type WebhookType = 'validating' | 'mutating';

const RESPONSE_KEYS = ['uid', 'allowed', 'status', 'warnings', 'auditAnnotations', 'patch', 'patchType'];
const STATUS_KEYS = ['code', 'reason', 'message', 'details'];

/** Fails unless the API server would accept the answer, parsed from JSON, to the request with this uid. */
export function assertAcceptable(uid: string, review: unknown, type: WebhookType = 'validating'): void {
  assert.ok(isObject(review), 'the answer is no object');
  const { response } = review;
  // apiserver pkg/admission/plugin/webhook/request/admissionreview.go, VerifyAdmissionResponse
  assert.ok(isObject(response), 'webhook response was absent');
  assert.equal(response['uid'], uid, 'response.uid');
  assert.equal(`${String(review['apiVersion'])} ${String(review['kind'])}`, 'admission.k8s.io/v1 AdmissionReview');
  assertPatch(response, type);
  // k8s.io/api/admission/v1/types.go: what Go decodes, and no key that it would drop
  assertKeys(response, RESPONSE_KEYS);
  assert.equal(typeof response['allowed'], 'boolean');
  assertStatus(response);
  assertWarnings(response);
  assertAuditAnnotations(response);
}

function assertPatch({ allowed, patch, patchType }: JsonObject, type: WebhookType): void {
  assert.equal(patch === undefined, patchType === undefined, 'patch and patchType come together');
  if (patch === undefined) return;
  assert.equal(type, 'mutating', 'validating webhook may not return response.patch');
  assert.equal(patchType, 'JSONPatch');
  assert.ok(typeof patch === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(patch), 'a patch is base64');
  assert.equal(allowed, true, 'a refusal carries no patch');
  // admission/plugin/webhook/mutating/dispatcher.go: what does not decode or apply refuses the write, under Ignore too.
  const operations: unknown = JSON.parse(Buffer.from(patch, 'base64').toString());
  assert.ok(Array.isArray(operations) && operations.length > 0, 'a patch is a list of operations, or no key');
  for (const operation of operations) assertOperation(asObject(operation));
}

/** What our patches are made of: RFC 6902 without the operations that move things about. */
function assertOperation(operation: JsonObject): void {
  const { op, path } = operation;
  assert.ok(op === 'add' || op === 'replace' || op === 'remove' || op === 'test', `operation ${String(op)}`);
  assert.match(String(path), /^(?:\/(?:[^~/]|~[01])*)+$/, 'path');
  assert.equal(Object.hasOwn(operation, 'value'), op !== 'remove', `the value of ${op} ${String(path)}`);
}

/** A refusal says why; what is let through needs no status (webhook/errors/statuserror.go, ToStatusErr). */
function assertStatus({ allowed, status }: JsonObject): void {
  assert.equal(isObject(status), allowed === false, 'a refusal has a status, and nothing else has one');
  if (!isObject(status)) return;
  assertKeys(status, STATUS_KEYS);
  const { code, reason, message, details } = status;
  assert.ok([400, 403, 500, 503].includes(Number(code)), `status.code ${String(code)}`);
  assert.match(String(reason), /^[A-Z][A-Za-z]+$/);
  // It follows on "admission webhook ... denied the request: ".
  assert.ok(typeof message === 'string' && message.length > 10);
  assertPlain(message, 'status.message');
  assert.ok(message.length < 4000, `status.message has ${message.length} characters`);
  if (details !== undefined) assert.deepEqual(details, { retryAfterSeconds: 1 });
}

/** apiserver pkg/endpoints/filters/warning.go drops an empty, a repeated and an unprintable warning without a word. */
function assertWarnings({ allowed, warnings }: JsonObject): void {
  if (warnings === undefined) return;
  assert.ok(Array.isArray(warnings) && warnings.length > 0 && warnings.length <= 10, 'one warning to ten, or no key');
  assert.equal(allowed, true, 'a refusal carries no warnings');
  assert.equal(new Set(warnings).size, warnings.length, 'no warning comes twice');
  for (const warning of warnings) {
    assert.ok(typeof warning === 'string' && warning !== '', 'a warning is a text');
    assert.ok(warning.length <= 120, `a warning of ${warning.length} characters`);
    assertPlain(warning, 'warning');
  }
}

/** apiserver pkg/admission/attributes.go, checkKeyFormat of `<webhook name>/<key>`: a slash in a key makes two of them. */
function assertAuditAnnotations({ auditAnnotations }: JsonObject): void {
  if (auditAnnotations === undefined) return;
  assert.ok(isObject(auditAnnotations) && Object.keys(auditAnnotations).length > 0, 'annotations, or no key');
  for (const [key, value] of Object.entries(auditAnnotations)) {
    assert.match(key, /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/, `audit annotation ${key}`);
    assert.ok(typeof value === 'string' && value !== '', `audit annotation ${key}`);
    assert.ok(value.length <= 1000, `audit annotation ${key} has ${value.length} characters`);
    assertPlain(value, key);
  }
}

/** Nothing that a terminal, a header or a log would stumble over, and nothing that Go would replace. */
function assertPlain(text: string, name: string): void {
  assert.ok(text.isWellFormed(), `${name} holds half of a surrogate pair`);
  assert.doesNotMatch(text, /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u, name);
}

function assertKeys(object: JsonObject, known: readonly string[]): void {
  assert.deepEqual(
    Object.keys(asObject(object)).filter((key) => !known.includes(key)),
    [],
    'keys that the API server does not know',
  );
}
