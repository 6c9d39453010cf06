// An API server that lists the large cluster and has nothing to say in its watches; a process of its own, by its port.

import { createServer } from 'node:http';

import { pageText } from './large-cluster.ts';

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  response.setHeader('content-type', 'application/json');
  if (pathname === '/version') return void response.end('{"major":"1","minor":"36"}');
  // A watch stays open and is silent.
  if (searchParams.has('watch')) return response.flushHeaders();
  const from = Number(searchParams.get('continue') ?? 0);
  response.end(pageText(pathname.split('/').at(-1) ?? '', from, Number(searchParams.get('limit'))));
});
server.listen(Number(process.argv[2]), '127.0.0.1');
