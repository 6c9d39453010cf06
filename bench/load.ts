// Sends reviews and measures: CPU of the server's process from /proc, latencies on the client's side.

import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

const CONNECTIONS = 16;

/** A client of one server that keeps its connections. */
export interface Client {
  readonly port: number;
  readonly agent: Agent;
}

/** Makes a client; `destroy` its agent at the end. */
export function makeClient(port: number): Client {
  return { port, agent: new Agent({ keepAlive: true, maxSockets: CONNECTIONS, rejectUnauthorized: false }) };
}

/** What is sent: a review, and where to. */
export interface Message {
  readonly path: string;
  readonly body: string;
}

/** Sends one review and resolves with the body of the answer; rejects unless it is a 200. */
export function send({ port, agent }: Client, { path, body }: Message): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      agent,
      method: 'POST',
      path: `${path}?timeout=5s`,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${response.statusCode}: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends a number of reviews over all connections and gives the server's CPU for each, in microseconds. */
export async function measureCpu(client: Client, pid: number, message: Message, count: number): Promise<number> {
  const before = cpuNanoseconds(pid);
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await send(client, message);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return (cpuNanoseconds(pid) - before) / count / 1000;
}

/** Sends reviews at a fixed rate, whether or not earlier ones are answered, and gives the latencies in milliseconds. */
export async function measureLatencies(
  client: Client,
  message: Message,
  rate: number,
  seconds: number,
): Promise<number[]> {
  const latencies: number[] = [];
  const pending: Promise<void>[] = [];
  const start = performance.now();
  for (let index = 0; index < rate * seconds; index += 1) {
    const due = start + (index * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    pending.push(send(client, message).then(() => void latencies.push(performance.now() - due)));
  }
  await Promise.all(pending);
  return latencies;
}

/** The CPU time of all threads of a process so far (Linux: /proc/PID/task/TID/schedstat). */
function cpuNanoseconds(pid: number): number {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]);
  }
  return total;
}

/** The resident memory of a process in MiB. */
export function residentMebibytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+([0-9]+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

/** The value below which a share of the values lies: `quantile(values, 0.5)` is the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
