import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import type { AdmissionReview } from '../../src/kube/admission-review.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { assertAcceptable } from '../support/response-oracle.ts';
import { makePod } from '../support/rule-tester.ts';
import { scrapedPod } from '../support/scraped-pods.ts';
import { makeServer, reviewOf, type TestServer } from '../support/server.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const NGINX = makePod({ spec: { hostNetwork: true }, container: { ports: [{ containerPort: 10255 }] } });

async function post(
  server: TestServer,
  payload: string,
  headers: Record<string, string> = JSON_TYPE,
  url = '/validate',
) {
  const { statusCode, body } = await server.app.inject({ method: 'POST', url, payload, headers });
  return { status: statusCode, body: JSON.parse(body) as Record<string, unknown> };
}

async function responseTo(server: TestServer, review: unknown): Promise<AdmissionReview['response']> {
  const { status, body } = await post(server, JSON.stringify(review));
  assert.equal(status, 200);
  return (body as unknown as AdmissionReview).response;
}

describe('POST /validate', () => {
  it('refuses an nginx Pod on the kubelet port and echoes the uid', async (t) => {
    const { uid, allowed, status } = await responseTo(await makeServer(t), reviewOf(NGINX));
    assert.equal(uid, '705ab4f5-6393-11e8-b7cc-42010a800002');
    assert.equal(allowed, false);
    assert.equal(status?.code, 403);
    assert.match(status?.message ?? '', /container "app" .*10255.*\/spec\/containers\/0\/ports\/0\/containerPort/);
  });

  it('lets every key of an answer through: warnings and audit annotations', async (t) => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'app' },
      spec: { template: NGINX },
    };
    const { allowed, warnings, auditAnnotations } = await responseTo(await makeServer(t), reviewOf(deployment));
    assert.equal(allowed, true);
    assert.equal(warnings?.length, 1);
    assert.equal(auditAnnotations?.['decision'], 'warned');
  });

  it('takes __proto__ and constructor as the data that they are', async (t) => {
    const text = JSON.stringify(reviewOf(NGINX)).replace(
      '"metadata":{',
      '"metadata":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},',
    );
    const { status, body } = await post(await makeServer(t), text);
    assert.equal(status, 200);
    assert.equal((body as unknown as AdmissionReview).response.allowed, false);
    assert.equal('polluted' in {}, false);
  });

  it('takes a charset in the content type', async (t) => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    assert.equal((await post(await makeServer(t), JSON.stringify(reviewOf(NGINX)), headers)).status, 200);
  });

  it('takes an UPDATE of two objects of 7.5 MiB', async (t) => {
    const padding = 'x'.repeat(7.5 * 1024 * 1024);
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kubelet' }, data: { padding } };
    const review = reviewOf(object, { operation: 'UPDATE', oldObject: object });
    assert.equal((await responseTo(await makeServer(t), review)).allowed, true);
  });
});

describe('POST /mutate', () => {
  it('lets every key of an answer through, patch and its type too, and tells the log what it did', async (t) => {
    const server = await makeServer(t);
    const { status, body } = await post(server, JSON.stringify(reviewOf(scrapedPod())), JSON_TYPE, '/mutate');
    assert.equal(status, 200);
    assertAcceptable('705ab4f5-6393-11e8-b7cc-42010a800002', body, 'mutating');
    const { patch, patchType, warnings, auditAnnotations } = (body as unknown as AdmissionReview).response;
    assert.match(Buffer.from(patch ?? '', 'base64').toString(), /"--upstream=http:\/\/127\.0\.0\.1:9090\/"/);
    assert.deepEqual([patchType, auditAnnotations], ['JSONPatch', { injection: 'injected' }]);
    assert.match(warnings?.[0] ?? '', /ServiceAccount default\/default may not create tokenreviews/);
    assert.deepEqual(
      server.verdicts.map(({ outcome }) => outcome.injection),
      [{ result: 'injected' }],
    );
  });

  it('refuses nothing that /validate refuses', async (t) => {
    const { body } = await post(await makeServer(t), JSON.stringify(reviewOf(NGINX)), JSON_TYPE, '/mutate');
    assert.deepEqual(body['response'], { uid: '705ab4f5-6393-11e8-b7cc-42010a800002', allowed: true });
  });
});

describe('what is no review is refused with a code', () => {
  const review = reviewOf(NGINX);
  const rows: readonly { name: string; payload: string; type?: string; status: number; code: string }[] = [
    { name: 'no JSON', payload: '{', status: 400, code: 'REVIEW_NOT_JSON' },
    { name: 'nothing', payload: '', status: 400, code: 'REVIEW_NOT_JSON' },
    { name: 'a list', payload: '[]', status: 400, code: 'REVIEW_NOT_A_REVIEW' },
    { name: 'another kind', payload: '{"kind":"Pod"}', status: 400, code: 'REVIEW_NOT_A_REVIEW' },
    {
      name: 'v1beta1',
      payload: JSON.stringify({ ...review, apiVersion: 'admission.k8s.io/v1beta1' }),
      status: 400,
      code: 'REVIEW_VERSION',
    },
    {
      name: 'no uid',
      payload: JSON.stringify({ ...review, request: { object: {} } }),
      status: 400,
      code: 'REVIEW_NO_UID',
    },
    { name: 'another type', payload: 'a: 1', type: 'application/yaml', status: 415, code: 'CONTENT_TYPE' },
    { name: 'too large', payload: ' '.repeat(16 * 1024 * 1024 + 1), status: 413, code: 'BODY_TOO_LARGE' },
  ];
  for (const { name, payload, type = 'application/json', status, code } of rows) {
    it(`${name}: ${status} ${code}`, async (t) => {
      const server = await makeServer(t);
      const answer = await post(server, payload, { 'content-type': type });
      assert.deepEqual([answer.status, answer.body['code']], [status, code]);
      assert.equal(typeof answer.body['message'], 'string');
      assert.deepEqual(server.failures, [code]);
    });
  }

  it('an unknown path: 404 NOT_FOUND', async (t) => {
    const { app } = await makeServer(t);
    const { statusCode, body } = await app.inject({ method: 'GET', url: '/pods' });
    assert.deepEqual([statusCode, (JSON.parse(body) as { code: string }).code], [404, 'NOT_FOUND']);
  });
});

describe('the deadline', () => {
  const never = (t: TestContext, onAbort: () => void) =>
    makeServer(t, {
      viewFor: (_request, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            onAbort();
            resolve({ ...viewOf([]), namespaceLabels: () => 'unknown' });
          });
        }),
    });

  it('ends the wait for the view within the timeout of the request, and a violation is then unknown', async (t) => {
    let aborts = 0;
    const server = await never(t, () => (aborts += 1));
    const { statusCode, body } = await server.app.inject({
      method: 'POST',
      url: '/validate?timeout=200ms',
      payload: reviewOf(NGINX),
    });
    const { response } = JSON.parse(body) as AdmissionReview;
    assert.deepEqual([statusCode, aborts, response.allowed, response.status?.code], [200, 1, false, 503]);
    assert.equal(response.status?.details?.retryAfterSeconds, 1);
  });
});

describe('health', () => {
  it('is live, ready until it drains, and says its version', async (t) => {
    const server = await makeServer(t);
    const get = async (url: string) => (await server.app.inject({ method: 'GET', url })).statusCode;
    assert.deepEqual([await get('/livez'), await get('/readyz')], [200, 200]);
    const { body } = await server.app.inject({ method: 'GET', url: '/version' });
    assert.deepEqual(JSON.parse(body), { version: '0.0.0-test' });
    server.drain();
    assert.deepEqual([await get('/livez'), await get('/readyz')], [200, 503]);
  });

  it('is not ready before everything is there', async (t) => {
    const { app } = await makeServer(t, { isReady: () => false });
    assert.equal((await app.inject({ method: 'GET', url: '/readyz' })).statusCode, 503);
  });
});
