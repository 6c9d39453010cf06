// A real Prometheus, where there is one, that scrapes what a test tells it to.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { asList, asObject, asString, type JsonObject } from '../../src/kube/json.ts';
import { findFreePorts } from './free-ports.ts';
import type { Guard, GuardedProgram } from './guard.ts';
import { runCommand } from './run-command.ts';
import { waitUntil } from './wait-for.ts';

/** The beginning of the reason for which what needs Prometheus is skipped; npm cannot bring it. */
export const PROMETHEUS_SKIP_REASON = 'there is no Prometheus on PATH (Debian: apt-get install prometheus)';

/** Why Prometheus, or the program that comes with it, cannot be used; undefined where it can. */
export async function whyNoPrometheus(program: 'prometheus' | 'promtool'): Promise<string | undefined> {
  const answer = await runCommand(program, ['--version']).catch(() => undefined);
  return answer?.code === 0 ? undefined : `${PROMETHEUS_SKIP_REASON}: no ${program}`;
}

/** What the option `skip` of a test that runs promtool takes. */
export const promtoolSkip: string | false = (await whyNoPrometheus('promtool')) ?? false;

/** A Prometheus that this process started. */
export type Prometheus = {
  /** The series of a query at this moment. Throws an Error with Prometheus' complaint about the query. */
  readonly query: (expr: string) => Promise<readonly Sample[]>;
  /** The names of the alerts that fire. */
  readonly firing: () => Promise<ReadonlySet<string>>;
};

/** One series of an answer. */
export type Sample = { readonly labels: JsonObject; readonly value: string };

/** What it scrapes, and the file of rules by which it alerts; every second both. */
export type PrometheusSettings = { readonly scrapeConfigs: readonly JsonObject[]; readonly rules: string };

const START_TRIES = 4;

/** Starts Prometheus on a free port of 127.0.0.1 with its data in the guard's folder; settles when it is ready. */
export async function startPrometheus(guard: Guard, settings: PrometheusSettings): Promise<Prometheus> {
  const directory = join(guard.directory, 'prometheus');
  await mkdir(directory);
  await writeFile(join(directory, 'rules.yaml'), settings.rules);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yaml'],
    scrape_configs: settings.scrapeConfigs,
  };
  await writeFile(join(directory, 'prometheus.yaml'), JSON.stringify(config));
  for (let attempt = 1; ; attempt += 1) {
    const [port = 0] = await findFreePorts(1);
    try {
      return await startOn(port, directory, guard);
    } catch (error) {
      if (attempt === START_TRIES || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function startOn(port: number, directory: string, guard: Guard): Promise<Prometheus> {
  const program = await guard.start({
    command: 'prometheus',
    args: [
      `--config.file=${join(directory, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    env: { PATH: process.env['PATH'] ?? '', HOME: directory },
    cwd: directory,
    logFile: join(directory, 'prometheus.log'),
  });
  const url = `http://127.0.0.1:${port}`;
  await waitUntil('Prometheus to be ready', async () => {
    await failIfEnded(program);
    return fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  return {
    async query(expr) {
      const { result } = await ask(`${url}/api/v1/query`, new URLSearchParams({ query: expr }));
      return asList(result).map((series) => {
        const { metric, value } = asObject(series);
        return { labels: asObject(metric), value: asString(asList(value)[1]) ?? '' };
      });
    },
    async firing() {
      const { alerts } = await ask(`${url}/api/v1/alerts`);
      const firing = asList(alerts)
        .map(asObject)
        .filter(({ state }) => state === 'firing');
      return new Set(firing.map(({ labels }) => asString(asObject(labels)['alertname']) ?? ''));
    },
  };
}

async function ask(url: string, form?: URLSearchParams): Promise<JsonObject> {
  const response = await fetch(url, form === undefined ? {} : { method: 'POST', body: form });
  const { status, data, error } = asObject(await response.json());
  if (status !== 'success') throw new Error(asString(error) ?? `${url} answers ${response.status}`);
  return asObject(data);
}

async function failIfEnded(program: GuardedProgram): Promise<void> {
  if (program.end() === undefined) return;
  const lines = (await readFile(program.logFile, 'utf8')).trimEnd().split('\n').slice(-10);
  throw new Error(`Prometheus ended. Its last lines:\n${lines.join('\n')}`);
}
