// What a webhook costs at least: bare node:https, JSON.parse and a fixed AdmissionReview in answer.

import { createServer } from 'node:https';

import { selfSignedSource } from '../src/tls/self-signed.ts';

const { current } = await selfSignedSource([], new Date());

const server = createServer({ key: current.key, cert: current.cert, keepAlive: true }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const review = JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string } };
    const body = JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: review.request.uid, allowed: true },
    });
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
    response.end(body);
  });
});
// As ours: it must not close a connection while the other one has its turn.
server.keepAliveTimeout = 120_000;
server.listen(Number(process.argv[2]), '127.0.0.1');
