import { readFile } from 'node:fs/promises';

import { Command, InvalidArgumentError } from 'commander';
import type { FastifyInstance } from 'fastify';
import { pino, type Logger } from 'pino';

import { RULES } from '../rules/index.ts';
import { buildServer, type ServerParts } from '../server/app.ts';
import { isQuiet, logLineFor } from '../server/log-line.ts';
import { shutDown } from '../server/shutdown.ts';
import { hasExpired } from '../tls/validity.ts';
import type { Finish } from './command.ts';
import { exampleCall } from './example-call.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { addCertificateOptions, openCertificates, type CertificateOptions } from './serve-certificates.ts';
import { makeMeters, type Meters, NO_METERS } from './meters.ts';
import { metricsServer, observe } from './serve-metrics.ts';
import { followPolicy, type PolicyOptions } from './serve-policy.ts';
import { isLive, type OpenView, openView, type ViewOptions } from './serve-view.ts';
import { VERSION } from './version.ts';

/** How often the policy's file is looked at. */
const LOOK_MS = 5_000;
const DAY_MS = 24 * 60 * 60 * 1000;

interface ServeOptions extends ViewOptions, CertificateOptions, PolicyOptions {
  readonly port: number;
  readonly metricsPort: number;
  readonly bindAddress?: string;
  readonly clientCa?: string;
  readonly drainSeconds: number;
}

/** The command `serve`: answers admission reviews over HTTPS until the process is asked to end. */
export function serveCommand(io: Io, finish: Finish): Command {
  const serving = new Command('serve')
    .description('answer admission reviews over HTTPS')
    .option('--policy <FILE>', 'the policy, followed when it changes; the default policy without it')
    .option('--kubeconfig <FILE>', 'the cluster; inside one it is found without')
    .option('--state <DIR>', 'a folder of manifests that stands for the cluster')
    .option('--port <PORT>', 'the port of the webhook', parsePort, 9443)
    .option(
      '--metrics-port <PORT>',
      'the port of our own metrics, where a cluster is seen live; 0: none',
      parsePort,
      8443,
    )
    .option(
      '--bind-address <ADDRESS>',
      'the address to listen on (default: every one in a cluster, otherwise 127.0.0.1)',
    )
    .option('--client-ca <FILE>', 'only clients with a certificate of this CA get a verdict')
    .option('--drain-seconds <SECONDS>', 'how long to keep answering after being asked to end', parseSeconds, 2)
    .action(async (options: ServeOptions) => finish(await serve(options, io)));
  return addCertificateOptions(serving);
}

async function serve(options: ServeOptions, io: Io): Promise<number> {
  // Before anything that takes time, so that a signal during the start is not lost.
  const stopped = io.stopped();
  const log = pino({ level: io.env['LOG_LEVEL'] ?? 'info', base: null }, { write: (line) => io.stderr.write(line) });
  const meters = options.metricsPort !== 0 && isLive(options, io) ? await makeMeters() : NO_METERS;
  const policy = await followPolicy(options, { log, meters, intervalMs: LOOK_MS, now: io.now });
  const { certificates, close } = await openCertificates(options, { io, log, meters, stopped });
  try {
    return await serveWith(options, io, { log, meters, ruleset: policy.ruleset, certificates, stopped });
  } finally {
    // Whatever went wrong: others wait for a lease that is not given back.
    await close();
    policy.stop();
  }
}

/** What a server is made with, besides its view of the cluster. */
interface Prepared extends Pick<ServerParts, 'ruleset' | 'certificates'> {
  readonly log: Logger;
  readonly meters: Meters;
  readonly stopped: AbortSignal;
}

async function serveWith(options: ServeOptions, io: Io, prepared: Prepared): Promise<number> {
  const { log, meters, ruleset, certificates, stopped } = prepared;
  const today = dayTeller(io.now);
  const view = await openView(options, { io, log, meters, ruleset, today });
  const server = buildServer({
    certificates,
    ...(options.clientCa === undefined ? {} : { clientCa: await readText(options.clientCa) }),
    version: VERSION,
    ruleset,
    viewFor: view.viewFor,
    today,
    // No API server believes an expired certificate; a kubelet, which does not look at it, must hear so from us.
    isReady: () => view.isReady() && !hasExpired(certificates.current, io.now()),
    ...recorders(log, meters, view),
  });
  const shown = await showMetrics(options, io, { meters, certificates, view, inFlight: server.inFlight });
  try {
    const address = await listen(server.app, options.port, options, io);
    log.info({ address, port: options.port, version: VERSION, rules: RULES.length }, 'serving');
    if (io.stderr.isTTY === true) io.stderr.write(exampleCall(address, options.port));
    await untilAborted(stopped);
    log.info('stopping');
    await shutDown(server, options.drainSeconds * 1000);
    return 0;
  } finally {
    await shown?.close();
    await view.close();
  }
}

/** Says which day it is, UTC: `2027-03-31`. Every request asks, and the text is the same for a day. */
function dayTeller(now: () => Date): () => string {
  let told = { day: NaN, text: '' };
  return () => {
    const date = now();
    const day = Math.floor(date.getTime() / DAY_MS);
    if (day !== told.day) told = { day, text: date.toISOString().slice(0, 10) };
    return told.text;
  };
}

/** Serves our own metrics to whoever the API server lets; nothing where there is no API server to ask, or no wish. */
async function showMetrics(
  options: ServeOptions,
  io: Io,
  observed: Parameters<typeof observe>[1] & { readonly meters: Meters },
): Promise<FastifyInstance | undefined> {
  const { meters, certificates, view } = observed;
  if (options.metricsPort === 0 || view.client === undefined) return undefined;
  observe(meters, observed);
  const app = metricsServer({ meters, certificates, client: view.client });
  await listen(app, options.metricsPort, options, io);
  return app;
}

function recorders(log: Logger, meters: Meters, view: OpenView): Pick<ServerParts, 'record' | 'recordFailure'> {
  return {
    record(request, outcome, milliseconds) {
      view.record(request, outcome);
      meters.verdict(request, outcome, milliseconds);
      if (isQuiet(outcome) && !log.isLevelEnabled('debug')) return;
      const { level, message, fields } = logLineFor(request, outcome, milliseconds);
      log[level](fields, message);
    },
    recordFailure(code, error) {
      meters.count('scrapeguard_unread_requests_total', { code });
      if (code === 'INTERNAL') log.error({ code, err: error }, 'a request failed');
      else log.info({ code }, 'a request was refused unread');
    },
  };
}

/** Every address of a pod, IPv6 too; outside a cluster only this machine's own. Rejects with a Failure. */
async function listen(app: FastifyInstance, port: number, { bindAddress }: ServeOptions, { env }: Io): Promise<string> {
  const host = bindAddress ?? (env['KUBERNETES_SERVICE_HOST'] === undefined ? '127.0.0.1' : '::');
  try {
    await app.listen({ host, port });
    return host;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(`Cannot listen on ${host} port ${port}: ${why}`, error);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port > 65535) throw new InvalidArgumentError('It is no port.');
  return port;
}

function parseSeconds(text: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) throw new InvalidArgumentError('It is no number of seconds.');
  return Number(text);
}
