import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { JsonObject } from '../../src/kube/json.ts';
import { assertAcceptable, type WebhookType } from './response-oracle.ts';

// The oracle itself: it lets good answers pass and none of the bad ones.

const UID = 'u-1';
const REFUSED = { allowed: false, status: { code: 403, reason: 'Forbidden', message: 'this is not to be' } };

const review = (response: JsonObject): JsonObject => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: UID, ...response },
});
const refusedWith = (status: JsonObject): JsonObject =>
  review({ ...REFUSED, status: { ...REFUSED.status, ...status } });
const warned = (...warnings: unknown[]): JsonObject => review({ allowed: true, warnings });
const annotated = (auditAnnotations: JsonObject): JsonObject => review({ allowed: true, auditAnnotations });

const patched = (patch: unknown, answer: JsonObject = { allowed: true }): JsonObject =>
  review({ ...answer, patch: Buffer.from(JSON.stringify(patch)).toString('base64'), patchType: 'JSONPatch' });

const GOOD: readonly (readonly [string, JsonObject, WebhookType?])[] = [
  ['allowed without a word', review({ allowed: true })],
  ['a refusal', review(REFUSED)],
  ['a refusal for now', refusedWith({ code: 503, details: { retryAfterSeconds: 1 } })],
  ['warnings', warned('a', 'b'.repeat(120))],
  ['audit annotations', annotated({ decision: 'warned', 'a.b-c_d': 'x' })],
  ['a patch of a mutating webhook', patched([{ op: 'add', path: '/metadata/labels', value: {} }]), 'mutating'],
];

const BAD: readonly (readonly [string, unknown, WebhookType?])[] = [
  ['no object', 'review'],
  ['no response', { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }],
  ['another uid', review({ uid: 'u-2', allowed: true })],
  ['no uid', review({ uid: undefined, allowed: true })],
  ['another version', { ...review({ allowed: true }), apiVersion: 'admission.k8s.io/v1beta1' }],
  ['another kind', { ...review({ allowed: true }), kind: 'Review' }],
  ['a verdict that is no boolean', review({ allowed: 'true' })],
  ['a key that Go drops', review({ allowed: true, reason: 'because' })],
  ['a patch of a validating webhook', review({ allowed: true, patch: 'W10=', patchType: 'JSONPatch' })],
  ['a patch without a type', review({ allowed: true, patch: 'W10=' }), 'mutating'],
  ['a type without a patch', review({ allowed: true, patchType: 'JSONPatch' }), 'mutating'],
  ['a patch of another type', review({ allowed: true, patch: 'W10=', patchType: 'MergePatch' }), 'mutating'],
  ['a patch that is not base64', review({ allowed: true, patch: '[]', patchType: 'JSONPatch' }), 'mutating'],
  ['a patch of no operations', patched([]), 'mutating'],
  ['a patch that is no list', patched({}), 'mutating'],
  ['an operation that RFC 6902 lacks', patched([{ op: 'append', path: '/a', value: 1 }]), 'mutating'],
  ['an operation without a value', patched([{ op: 'add', path: '/a' }]), 'mutating'],
  ['an operation on no path', patched([{ op: 'add', path: 'a', value: 1 }]), 'mutating'],
  ['a refusal with a patch', patched([{ op: 'add', path: '/a', value: 1 }], REFUSED), 'mutating'],
  ['a refusal without a status', review({ allowed: false })],
  ['a status without a refusal', review({ ...REFUSED, allowed: true })],
  ['a refusal with 200', refusedWith({ code: 200 })],
  ['a refusal without a message', refusedWith({ message: '' })],
  ['a refusal over two lines', refusedWith({ message: 'this is not\nto be' })],
  ['a refusal with warnings', review({ ...REFUSED, warnings: ['a'] })],
  ['no warnings at all, but the key', warned()],
  ['an empty warning', warned('')],
  ['the same warning twice', warned('a', 'a')],
  ['eleven warnings', warned(...'a b c d e f g h i j k'.split(' '))],
  ['a long warning', warned('a'.repeat(121))],
  ['a warning with a tab', warned('a\tb')],
  ['a warning with half of a pair', warned('a\uD83D')],
  ['a warning that turns around', warned('a\u202Eb')],
  ['no annotations at all, but the key', annotated({})],
  ['an annotation key with a slash', annotated({ 'scrapeguard.io/decision': 'denied' })],
  ['an annotation key that is no name', annotated({ '-decision': 'denied' })],
  ['a long annotation key', annotated({ ['d'.repeat(64)]: 'denied' })],
  ['an annotation that is no text', annotated({ count: 1 })],
];

describe('the API server', () => {
  for (const [name, answer, type] of GOOD) {
    it(`takes ${name}`, () => assertAcceptable(UID, JSON.parse(JSON.stringify(answer)), type));
  }
  for (const [name, answer, type] of BAD) {
    it(`does not take ${name}`, () => {
      assert.throws(() => assertAcceptable(UID, JSON.parse(JSON.stringify(answer)), type), assert.AssertionError);
    });
  }
});
