import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { dashboard } from '../../scripts/dashboard/dashboard.ts';
import { METERS } from '../../src/cli/meter-table.ts';
import { FROM_ZERO } from '../../src/cli/meter-zeros.ts';
import { makeMeters } from '../../src/cli/meters.ts';
import { asList, asObject } from '../../src/kube/json.ts';
import { makeDirectory } from '../support/certificates.ts';
import { helmSkip, objectOf, renderChart } from '../support/chart.ts';
import { promtoolSkip } from '../support/prometheus.ts';
import { ALERTS_FILE, labelsOf, readAlerts, readPanelQueries, seriesIn, seriesOf } from '../support/queries.ts';
import { runCommand } from '../support/run-command.ts';

const PAGE = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const ALERTS = readAlerts();
const QUERIES = [
  ...ALERTS.map(({ name, expr }) => ({ title: name, expr })),
  ...readPanelQueries().map(({ panel, expr }) => ({ title: panel, expr })),
];

/** What a query may name besides our own: Prometheus' own series and its labels of every series. */
const OF_PROMETHEUS = { series: ['up'], labels: ['job', 'instance', 'le'] };

const shown = seriesIn(await (await makeMeters()).render());
const labels = new Map<string, readonly string[]>(METERS.map((meter) => [meter.name, meter.labels]));

function strangers(names: readonly string[], known: Iterable<string>): readonly string[] {
  return [...new Set(names).difference(new Set(known))];
}

describe('a query', () => {
  const ROWS: readonly (readonly [expr: string, series: readonly string[], labels: readonly string[]])[] = [
    ['up', ['up'], []],
    ['absent(a_total) == 0', ['a_total'], []],
    ['sum by (b, c) (increase(a_total{d!~"x|y", e="}"}[5m])) > 1e3', ['a_total'], ['d', 'e', 'b', 'c']],
    ['a - on (b) group_left (c) d and e > 0.5 or vector(1)', ['a', 'd', 'e'], ['b', 'c']],
  ];
  for (const [expr, series, names] of ROWS) {
    it(`is understood: ${expr}`, () => assert.deepEqual([seriesOf(expr), labelsOf(expr)], [series, names]));
  }
});

describe('every query of the alerts and the dashboard', () => {
  it('is found', () => assert.ok(QUERIES.length > 40, String(QUERIES.length)));

  for (const { title, expr } of QUERIES) {
    it(`names what a server shows: ${title}: ${expr}`, () => {
      const asked = seriesOf(expr);
      assert.notDeepEqual(asked, []);
      const carried = asked.flatMap((name) => labels.get(name) ?? []);
      assert.deepEqual(strangers(asked, [...shown, ...OF_PROMETHEUS.series]), []);
      assert.deepEqual(strangers(labelsOf(expr), [...carried, ...OF_PROMETHEUS.labels]), []);
    });
  }
});

describe('every metric of our own', () => {
  const asked = new Set(QUERIES.flatMap(({ expr }) => seriesOf(expr)));
  for (const { name, kind } of METERS) {
    const series = kind === 'histogram' ? `${name}_bucket` : name;
    it(`is in an alert or on the dashboard: ${name}`, () => assert.ok(asked.has(series)));
  }
});

describe('the dashboard', () => {
  const { uid, panels } = dashboard();
  const drawn = asList(panels).map(asObject);
  const places = drawn.map(({ gridPos }) => asObject(gridPos)).map(({ x, y, w, h }) => [x, y, w, h].map(Number));

  it('keeps the name by which links find it', () => assert.equal(uid, 'scrapeguard'));

  it('has each panel in a place of its own', () => {
    const taken = places.flatMap(([x = 0, y = 0, w = 0, h = 0]) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    );
    assert.equal(new Set(taken).size, taken.length);
    assert.ok(places.every(([x = 0, , w = 0]) => x + w <= 24));
    assert.equal(new Set(drawn.map(({ id }) => id)).size, drawn.length);
  });

  it('asks the data source that is chosen, about the servers that are chosen', () => {
    const sources = JSON.stringify(drawn).match(/"uid":"[^"]*"/g) ?? [];
    assert.deepEqual(new Set(sources), new Set(['"uid":"${datasource}"']));
    for (const { expr } of readPanelQueries()) assert.match(expr, /\{instance=~"\$instance"/);
  });
});

describe('alerts', () => {
  it('have a section each in docs/operations.md, and there are no others', () => {
    const sections = [...PAGE.matchAll(/^### (Scrapeguard.*)$/gm)].map(([, title]) => title);
    assert.deepEqual(
      sections,
      ALERTS.map(({ name }) => name),
    );
  });

  for (const alert of ALERTS) {
    it(`${alert.name} says how bad it is, what is the case, what to do and where to read on`, () => {
      assert.match(alert.for, /^[0-9]+[mh]$/);
      const { severity, ...others } = alert.labels;
      assert.deepEqual([['critical', 'warning', 'info'].includes(String(severity)), others], [true, {}]);
      const { summary, description, runbook_url: runbook, ...more } = alert.annotations;
      assert.deepEqual(more, {});
      assert.match(String(summary), /^[A-Z{].*[^.]$/);
      assert.match(String(description), /^[A-Z{][^\n]*\.$/);
      assert.equal(runbook, `https://scrapeguard.io/operations#${alert.name.toLowerCase()}`);
    });
  }

  it('see the first event of each kind: the counters that they ask for an increase begin at 0', () => {
    const late = ALERTS.flatMap(({ expr }) => (expr.includes('increase(') ? seriesOf(expr) : []))
      .flatMap((series) => METERS.filter(({ name, kind }) => name === series && kind === 'counter'))
      .filter(({ name, labels: names }) => names.length > 0 && FROM_ZERO[name] === undefined)
      .map(({ name }) => name);
    assert.deepEqual(late, []);
  });

  it("are the chart's PrometheusRule", { skip: helmSkip }, async () => {
    const own = { release: 'prometheus' };
    const rule = { prometheusRule: { enabled: true, labels: own } };
    const made = objectOf(await renderChart({ values: { metrics: rule } }), 'PrometheusRule');
    assert.deepEqual(made['spec'], parse(readFileSync(ALERTS_FILE, 'utf8')));
    assert.equal(JSON.stringify(made['metadata']).includes('"release":"prometheus"'), true);
  });

  it('are none where nobody asks for them', { skip: helmSkip }, async () => {
    for (const values of [{}, { metrics: { enabled: false, prometheusRule: { enabled: true } } }]) {
      const kinds = (await renderChart({ values })).map(({ kind }) => kind);
      assert.equal(kinds.includes('PrometheusRule'), false);
    }
  });
});

describe('the job that docs/operations.md shows', () => {
  it('is one that Prometheus takes', { skip: promtoolSkip }, async (t) => {
    const [, job = ''] = /^```yaml\n(- job_name: [^]*?)^```$/m.exec(PAGE) ?? [];
    assert.notEqual(job, '');
    const file = join(await makeDirectory(t), 'prometheus.yaml');
    // Debian builds Prometheus without a part of service discovery; where targets come from is no matter of ours.
    await writeFile(file, `scrape_configs:\n${job.replace(/^ +kubernetes_sd_configs: .*\n/m, '')}`);
    const { code, stderr } = await runCommand('promtool', ['check', 'config', '--syntax-only', file]);
    assert.equal(code, 0, stderr);
  });
});

describe('alerts over series that are made up', () => {
  const files = ['alerts', 'alerts-over-hours'].map((name) =>
    fileURLToPath(new URL(`./${name}.promtool.yaml`, import.meta.url)),
  );

  it('each has a test', () => {
    const texts = files.map((file) => readFileSync(file, 'utf8'));
    const fired = new Set(texts.join('\n').match(/(?<=alertname=")\w+/g));
    assert.deepEqual(fired, new Set(ALERTS.map(({ name }) => name)));
  });

  it('fire when they should, and only then', { skip: promtoolSkip }, async () => {
    const { code, stdout, stderr } = await runCommand('promtool', ['test', 'rules', ...files], {
      env: { ...process.env, GOGC: 'off' },
    });
    assert.equal(code, 0, stdout + stderr);
  });

  it('are valid', { skip: promtoolSkip }, async () => {
    const { code, stderr } = await runCommand('promtool', ['check', 'rules', fileURLToPath(ALERTS_FILE)]);
    assert.equal(code, 0, stderr);
  });
});
