// The queries that people watch the product with: the alerts and the dashboard.
import { readFileSync } from 'node:fs';

import { parse } from 'yaml';

import { asList, asObject, asString, type JsonObject } from '../../src/kube/json.ts';

const ROOT = new URL('../../', import.meta.url);

/** The alerts as Prometheus reads them. */
export const ALERTS_FILE = new URL('deploy/prometheus/alerts.yaml', ROOT);

/** An alert as it is written. */
export type Alert = {
  readonly name: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
};

/** Every alert, in the order of the file. */
export function readAlerts(): readonly Alert[] {
  const file: unknown = parse(readFileSync(ALERTS_FILE, 'utf8'));
  return asList(asObject(file)['groups'])
    .flatMap((group) => asList(asObject(group)['rules']))
    .map((rule) => {
      const { alert, expr, for: duration, labels, annotations } = asObject(rule);
      return {
        name: asString(alert) ?? '',
        expr: asString(expr) ?? '',
        for: asString(duration) ?? '',
        labels: asObject(labels),
        annotations: asObject(annotations),
      };
    });
}

/** A query of the dashboard, and the title of its panel. */
export type PanelQuery = { readonly panel: string; readonly expr: string };

/** Every query of the dashboard, from the file that is imported. */
export function readPanelQueries(): readonly PanelQuery[] {
  const file: unknown = JSON.parse(readFileSync(new URL('deploy/grafana/scrapeguard.json', ROOT), 'utf8'));
  return asList(asObject(file)['panels'])
    .map(asObject)
    .flatMap(({ title, targets }) =>
      asList(targets).map((target) => ({
        panel: asString(title) ?? '',
        expr: asString(asObject(target)['expr']) ?? '',
      })),
    );
}

/** The names of series in the text that a server shows: three for each histogram. */
export function seriesIn(exposition: string): ReadonlySet<string> {
  const families = exposition.matchAll(/^# TYPE (\S+) (\S+)$/gm);
  return new Set(
    Array.from(families, ([, name = '', kind = '']) =>
      kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
    ).flat(),
  );
}

const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const KEYWORDS: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'offset', 'bool']);

/** The names of series that a query asks for: what is left when strings, labels, ranges and functions are taken away. */
export function seriesOf(expr: string): readonly string[] {
  const bare = expr
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replaceAll(GROUPING, ' ');
  const words = bare.matchAll(/(?<![\w:.])([a-zA-Z_:][\w:]*)(?!\w|\s*\()/g);
  return [...new Set(Array.from(words, ([word]) => word))].filter((word) => !KEYWORDS.has(word));
}

/** The labels that a query matches or groups by. */
export function labelsOf(expr: string): readonly string[] {
  const matched = expr.matchAll(/([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"/g);
  const grouped = Array.from(expr.matchAll(GROUPING), ([, names = '']) => names.split(',')).flat();
  const names = [...Array.from(matched, ([, name = '']) => name), ...grouped.map((name) => name.trim())];
  return [...new Set(names)].filter((name) => name !== '');
}
