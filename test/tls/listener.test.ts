import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import https from 'node:https';
import { test, type TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import { watchCertificateFiles } from '../../src/tls/certificate-files.ts';
import { followSource, listenerOptions, type FixedOptions } from '../../src/tls/listener.ts';
import { holdPair, type CertificateSource, type KeyPair } from '../../src/tls/source.ts';
import {
  makeAuthority,
  makeClientPair,
  makeDirectory,
  makeServerPair,
  mountParts,
  writeParts,
} from '../support/certificates.ts';

const authority = await makeAuthority();
const [first, second] = await Promise.all([makeServerPair(authority), makeServerPair(authority)]);

type Answer = { readonly status: number | undefined; readonly body: string; readonly serial: string };

/** Where the server listens, as https.request wants it, trusting the test's CA. */
type Address = { readonly host: string; readonly port: number; readonly ca: string };

type ListenOptions = { readonly fixed?: FixedOptions; readonly beforeFollowing?: () => void };

async function listen(t: TestContext, source: CertificateSource, options: ListenOptions = {}): Promise<Address> {
  const { fixed = {}, beforeFollowing } = options;
  const server = https.createServer(
    { ...listenerOptions(source, fixed), requestCert: fixed.ca !== undefined },
    (_request, response) => response.end('ok'),
  );
  beforeFollowing?.();
  followSource(server, source, fixed);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    source.stop();
    server.closeAllConnections();
    server.close();
  });
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  return { host: '127.0.0.1', port: bound.port, ca: authority.cert };
}

function ask(address: Address, options: https.RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = https.get({ agent: false, ...address, ...options }, (response) => {
      assert.ok(response.socket instanceof TLSSocket);
      const serial = response.socket.getPeerCertificate().serialNumber;
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, body, serial }));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

function openAgent(t: TestContext): https.Agent {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return agent;
}

function answerWith(pair: KeyPair): Answer {
  return { status: 200, body: 'ok', serial: new X509Certificate(pair.cert).serialNumber };
}

test('a listener is given the pair and what is fixed, and never the CA of the pair as one for clients', () => {
  const { source } = holdPair({ ...first, ca: authority.cert });
  assert.deepEqual(listenerOptions(source), first);
  assert.deepEqual(listenerOptions(source, { ca: 'clients' }), { ...first, ca: 'clients' });
});

test('new connections get the new pair, open ones go on with the old', async (t) => {
  const { source, replace } = holdPair(first);
  const address = await listen(t, source);
  const agent = openAgent(t);
  assert.deepEqual(await ask(address, { agent }), answerWith(first));
  replace(second);
  assert.deepEqual(await ask(address, { agent }), answerWith(first));
  assert.deepEqual(await ask(address), answerWith(second));
});

test('a pair that changes between the making of a listener and its following is not missed', async (t) => {
  const { source, replace } = holdPair(first);
  const address = await listen(t, source, { beforeFollowing: () => replace(second) });
  assert.deepEqual(await ask(address), answerWith(second));
});

test('a bad pair in the files changes nothing for clients', async (t) => {
  const directory = await makeDirectory(t);
  await writeParts(directory, first);
  const problems: string[] = [];
  const onProblem = (sentence: string): unknown => problems.push(sentence);
  const files = await watchCertificateFiles({ directory, intervalMs: 60_000, now: () => new Date(), onProblem });
  const address = await listen(t, files);
  await writeParts(directory, { key: second.key });
  await files.check();
  await files.check();
  assert.deepEqual(await ask(address), answerWith(first));
  assert.deepEqual(problems, [
    `The new certificate in ${directory} cannot be used, the old one stays in force: ` +
      'tls.key does not belong to the first certificate in tls.crt.',
  ]);
  await writeParts(directory, second);
  await files.check();
  assert.deepEqual(await ask(address), answerWith(second));
});

test('who may come as a client is the same after a change; our own CA is nobody that vouches for clients', async (t) => {
  const clients = await makeAuthority('clients');
  const known = await makeClientPair(clients, 'kube-apiserver');
  const signedByOurs = await makeClientPair(authority, 'kube-apiserver');
  const { source, replace } = holdPair({ ...first, ca: authority.cert });
  const address = await listen(t, source, { fixed: { ca: clients.cert, maxVersion: 'TLSv1.2' } });
  for (const pair of [first, second]) {
    replace({ ...pair, ca: authority.cert });
    assert.deepEqual(await ask(address, { ...known }), answerWith(pair));
    await assert.rejects(ask(address, { ...signedByOurs }));
    await assert.rejects(ask(address));
  }
});

test('requests that flow during 20 rotations are all answered', { timeout: 60_000 }, async (t) => {
  const ROTATIONS = 20;
  const directory = await makeDirectory(t);
  await mountParts(directory, first, 0);
  const problems: string[] = [];
  const onProblem = (sentence: string): unknown => problems.push(sentence);
  const files = await watchCertificateFiles({ directory, intervalMs: 5, now: () => new Date(), onProblem });
  const address = await listen(t, files);

  const rotated = new AbortController();
  const serials = new Set<string>();
  async function keepAsking(agent: https.Agent | false): Promise<number> {
    let answered = 0;
    for (; !rotated.signal.aborted && answered < 20_000; answered++) {
      const { status, body, serial } = await ask(address, { agent });
      assert.deepEqual({ status, body }, { status: 200, body: 'ok' });
      serials.add(serial);
    }
    return answered;
  }
  const agents: readonly (https.Agent | false)[] = [false, false, openAgent(t), openAgent(t)];
  const askers = agents.map(keepAsking);

  let seen = new Promise<void>((resolve) => files.onChange(() => resolve()));
  for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
    await mountParts(directory, rotation % 2 === 0 ? first : second, rotation);
    await seen;
    assert.deepEqual(await ask(address), answerWith(rotation % 2 === 0 ? first : second));
    seen = new Promise((resolve) => files.onChange(() => resolve()));
  }
  rotated.abort();
  const answered = await Promise.all(askers);
  assert.ok(Math.min(...answered) > 0);
  assert.deepEqual(serials, new Set([first, second].map((pair) => answerWith(pair).serial)));
  assert.deepEqual(problems, []);
});
