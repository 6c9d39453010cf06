// `npm run bench`: ours against the echo, interleaved in one run, printed as ratios against the bars.

import type { ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { startChild } from './children.ts';
import { grantsRows } from './grants.ts';
import { makeClient, measureCpu, measureLatencies, quantile, residentMebibytes, send, type Client } from './load.ts';
import { makePayloads, type Payload } from './payloads.ts';

const ROUNDS = 7;
const REQUESTS = 2_000;
const RATE = 1_000;
const SECONDS = 5;
const LATENCY_BAR_MS = 2;
const START_BAR_MS = 350;

/** A server under measurement. */
interface Contender {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly client: Client;
  /** From spawn to the first answer, in milliseconds. */
  readonly startMs: number;
}

const BUNDLE = ['dist/scrapeguard.mjs', 'serve', '--bind-address', '127.0.0.1', '--port'];

async function main(): Promise<void> {
  const ours = await start(BUNDLE);
  const echo = await start(['bench/echo.ts']);
  try {
    await report(ours, echo);
  } finally {
    for (const { child, client } of [ours, echo]) {
      client.agent.destroy();
      child.kill();
    }
  }
}

async function report(ours: Contender, echo: Contender): Promise<void> {
  const rows: string[][] = [];
  for (const payload of makePayloads()) rows.push(await cpuRow(ours, echo, payload));
  rows.push(await latencyRow(ours, echo));
  rows.push(['start to first answer, bundle', `${ours.startMs.toFixed(0)} ms`, `<= ${START_BAR_MS} ms`]);
  rows.push(...(await grantsRows(BUNDLE, freePort)));
  rows.push(['memory after the load', `${residentMebibytes(ours.pid).toFixed(0)} MiB`, '-']);
  const table = [['measure', 'ours', 'bar'], ['---', '---', '---'], ...rows];
  process.stdout.write(`${table.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`);
}

/** What a server settles at, and what it costs before: V8 compiles for the first ten thousand requests of a kind. */
async function cpuRow(ours: Contender, echo: Contender, payload: Payload): Promise<string[]> {
  const early = await cpuRatios(ours, echo, payload);
  const settled = await cpuRatios(ours, echo, payload);
  return [
    `CPU a request over the echo's, ${payload.name}`,
    `x${quantile(settled, 0.5).toFixed(2)}, and x${quantile(early, 0.5).toFixed(2)} before`,
    `<= x${payload.bar}`,
  ];
}

/** One ratio a round; both servers take turns, and in who is first, too. */
async function cpuRatios(ours: Contender, echo: Contender, payload: Payload): Promise<number[]> {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const pair = round % 2 === 0 ? [ours, echo] : [echo, ours];
    const cost = new Map<Contender, number>();
    for (const contender of pair) {
      cost.set(contender, await measureCpu(contender.client, contender.pid, payload, REQUESTS));
    }
    ratios.push((cost.get(ours) ?? 0) / (cost.get(echo) ?? 1));
  }
  return ratios;
}

async function latencyRow(ours: Contender, echo: Contender): Promise<string[]> {
  const payload = payloadAt(1);
  const differences: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const theirs = quantile(await measureLatencies(echo.client, payload, RATE, SECONDS), 0.99);
    const mine = quantile(await measureLatencies(ours.client, payload, RATE, SECONDS), 0.99);
    differences.push(mine - theirs);
  }
  const difference = quantile(differences, 0.5);
  return [
    `p99 at ${RATE} reviews a second`,
    `echo ${difference < 0 ? '-' : '+'} ${Math.abs(difference).toFixed(1)} ms`,
    `<= echo + ${LATENCY_BAR_MS} ms`,
  ];
}

function payloadAt(index: number): Payload {
  const payload = makePayloads()[index];
  if (payload === undefined) throw new Error(`There is no payload ${index}.`);
  return payload;
}

async function start(command: readonly string[]): Promise<Contender> {
  const port = await freePort();
  const begin = performance.now();
  const child = startChild([...command, String(port)]);
  const client = makeClient(port);
  const payload = payloadAt(0);
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    try {
      await send(client, payload);
      return { child, pid: child.pid ?? 0, client, startMs: performance.now() - begin };
    } catch {
      await sleep(5);
    }
  }
  child.kill();
  throw new Error(`node ${command.join(' ')} ${port} did not answer: start it by hand to see why`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

await main();
