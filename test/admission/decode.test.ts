import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { decodeReview } from '../../src/admission/decode.ts';
import { ReviewError, type ReviewErrorCode } from '../../src/admission/review-error.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { makeReview, UID } from '../support/validate-review.ts';

const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app', namespace: 'shop' } };

const withRequest = (request: unknown): JsonObject => ({ ...makeReview({ object: POD }), request });
const decodeRequest = (request: JsonObject) => decodeReview(JSON.stringify(withRequest({ uid: UID, ...request })));

describe('a body that is no review', () => {
  const rows: readonly (readonly [name: string, body: string, code: ReviewErrorCode])[] = [
    ['nothing', '', 'REVIEW_NOT_JSON'],
    ['YAML', 'kind: AdmissionReview', 'REVIEW_NOT_JSON'],
    ['half of it', JSON.stringify(makeReview({ object: POD })).slice(0, -1), 'REVIEW_NOT_JSON'],
    ['null', 'null', 'REVIEW_NOT_A_REVIEW'],
    ['a list', '[]', 'REVIEW_NOT_A_REVIEW'],
    ['a text', '"AdmissionReview"', 'REVIEW_NOT_A_REVIEW'],
    ['an empty object', '{}', 'REVIEW_NOT_A_REVIEW'],
    ['another kind', JSON.stringify({ ...makeReview({ object: POD }), kind: 'Pod' }), 'REVIEW_NOT_A_REVIEW'],
    [
      'v1beta1',
      JSON.stringify({ ...makeReview({ object: POD }), apiVersion: 'admission.k8s.io/v1beta1' }),
      'REVIEW_VERSION',
    ],
    ['no version', JSON.stringify({ ...makeReview({ object: POD }), apiVersion: undefined }), 'REVIEW_VERSION'],
    ['no request', JSON.stringify(withRequest(undefined)), 'REVIEW_NOT_A_REVIEW'],
    ['a request that is null', JSON.stringify(withRequest(null)), 'REVIEW_NOT_A_REVIEW'],
    ['a request that is a list', JSON.stringify(withRequest([])), 'REVIEW_NOT_A_REVIEW'],
    ['no uid', JSON.stringify(withRequest({ object: POD })), 'REVIEW_NO_UID'],
    ['an empty uid', JSON.stringify(withRequest({ uid: '' })), 'REVIEW_NO_UID'],
    ['a number for a uid', JSON.stringify(withRequest({ uid: 7 })), 'REVIEW_NO_UID'],
  ];
  for (const [name, body, code] of rows) {
    it(`${name}: ${code}`, () => {
      assert.throws(
        () => decodeReview(body),
        (error) => error instanceof ReviewError && error.code === code && error.message.endsWith('.'),
      );
    });
  }
});

describe('a review', () => {
  it('is decoded field by field', () => {
    const object = { ...POD, kind: 'Deployment', apiVersion: 'apps/v1' };
    const review = makeReview({
      object,
      oldObject: POD,
      user: { username: 'jane', groups: ['a', 'b'] },
      subResource: 'scale',
    });
    assert.deepEqual(decodeReview(JSON.stringify(review)), {
      uid: UID,
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      subResource: 'scale',
      kind: 'Deployment',
      namespace: 'shop',
      name: 'app',
      operation: 'UPDATE',
      user: { username: 'jane', groups: ['a', 'b'] },
      dryRun: false,
      object,
      oldObject: POD,
    });
  });

  it('reads every malformed field as absent', () => {
    const request = {
      resource: 'pods',
      kind: [],
      subResource: 1,
      namespace: {},
      name: null,
      operation: 'PATCH',
      userInfo: { username: 3, groups: ['a', 4, null] },
      dryRun: 'true',
      object: 'pod',
      oldObject: [],
    };
    assert.deepEqual(decodeRequest(request), {
      uid: UID,
      resource: { group: '', version: '', resource: '' },
      subResource: '',
      kind: '',
      namespace: '',
      name: '',
      operation: 'CREATE',
      user: { username: '', groups: ['a'] },
      dryRun: false,
      object: undefined,
      oldObject: undefined,
    });
    assert.deepEqual(decodeRequest({}).user, { username: '', groups: [] });
  });

  it('knows each operation', () => {
    for (const operation of ['CREATE', 'UPDATE', 'DELETE', 'CONNECT']) {
      assert.equal(decodeRequest({ operation }).operation, operation);
    }
  });

  it('takes __proto__ and constructor as data, in the object and around it', () => {
    const keys = '"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}';
    const body = `{${keys}, "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
      "request": {${keys}, "uid": "${UID}", "object": {${keys}, "kind": "Pod"}}}`;
    const { object, user } = decodeReview(body);
    assert.ok(object !== undefined);
    assert.deepEqual(Object.keys(object), ['__proto__', 'constructor', 'kind']);
    assert.equal('polluted' in user, false);
    assert.equal('polluted' in {}, false);
  });

  it('keeps the object as it was sent, whatever it holds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object);
        const body = JSON.stringify(withRequest({ uid: UID })).replace(
          `"uid":"${UID}"`,
          () => `"uid":"${UID}","object":${text}`,
        );
        assert.equal(JSON.stringify(decodeReview(body).object), text);
      }),
    );
  });

  it('throws nothing but a ReviewError, whatever the body is', () => {
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((request) => JSON.stringify(withRequest(request))),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        try {
          assert.notEqual(decodeReview(body).uid, '');
        } catch (error) {
          assert.ok(error instanceof ReviewError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
