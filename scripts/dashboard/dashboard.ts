import type { JsonObject } from '../../src/kube/json.ts';
import { type Panel, SECTIONS } from './panels.ts';

type Kind = NonNullable<Panel['kind']>;

/** How a kind of panel is drawn: Grafana's type of it, its options, its place in a grid of 24 columns. */
interface Drawing {
  readonly type: string;
  readonly size: { readonly w: number; readonly h: number };
  readonly options: JsonObject;
  readonly defaults?: JsonObject;
  /** True where only the present matters. */
  readonly isInstant?: boolean;
}

const COLUMNS = 24;
const SMALL = { w: 4, h: 4 };
const LARGE = { w: 8, h: 8 };

const OVER_TIME = {
  legend: { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true },
  tooltip: { mode: 'multi', sort: 'desc' },
};
const LAST = { calcs: ['lastNotNull'], fields: '', values: false };
const YES_NO = [
  { type: 'value', options: { 0: { text: 'refused', color: 'red' }, 1: { text: 'yes', color: 'green' } } },
];

const DRAWINGS: Readonly<Record<Kind, Drawing>> = {
  lines: { type: 'timeseries', size: LARGE, options: OVER_TIME, defaults: { custom: { axisSoftMin: 0 } } },
  areas: {
    type: 'timeseries',
    size: LARGE,
    options: OVER_TIME,
    defaults: { custom: { axisSoftMin: 0, fillOpacity: 20, stacking: { mode: 'normal', group: 'A' } } },
  },
  number: { type: 'stat', size: SMALL, options: { reduceOptions: LAST, textMode: 'value', graphMode: 'none' } },
  name: { type: 'stat', size: SMALL, options: { reduceOptions: LAST, textMode: 'name' }, isInstant: true },
  'yes-no': {
    type: 'stat',
    size: SMALL,
    options: { reduceOptions: LAST, textMode: 'value', graphMode: 'none' },
    defaults: { mappings: YES_NO },
  },
  table: { type: 'table', size: LARGE, options: { showHeader: true, cellHeight: 'sm' }, isInstant: true },
};

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const INSTANCES = 'label_values(scrapeguard_build_info, instance)';

/** The dashboard as Grafana imports it; every query asks the data source that is chosen at the top. */
export function dashboard(): JsonObject {
  return {
    uid: 'scrapeguard',
    title: 'scrapeguard',
    description:
      'Made by `npm run generate` from scripts/dashboard/panels.ts. docs/operations.md tells what to do about it.',
    tags: ['scrapeguard', 'admission'],
    schemaVersion: 41,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: variables() },
    panels: panels(),
  };
}

function variables(): JsonObject[] {
  return [
    { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', refresh: 1 },
    {
      name: 'instance',
      label: 'Server',
      type: 'query',
      datasource: DATASOURCE,
      query: { qryType: 1, query: INSTANCES, refId: 'instances' },
      refresh: 2,
      sort: 1,
      multi: true,
      // All of them by name: other programs have metrics of their process, too.
      includeAll: true,
      current: { text: ['All'], value: ['$__all'] },
    },
  ];
}

/** Every section's heading and, below it, its panels from left to right. */
function panels(): JsonObject[] {
  const all: JsonObject[] = [];
  let y = 0;
  for (const section of SECTIONS) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title: section.title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of section.panels) {
      const { size } = drawingOf(panel);
      if (x + size.w > COLUMNS) {
        x = 0;
        y += height;
      }
      all.push({ id: all.length + 1, ...drawn(panel), gridPos: { x, y, ...size } });
      x += size.w;
      height = size.h;
    }
    y += height;
  }
  return all;
}

function drawn(panel: Panel): JsonObject {
  const { title, about, unit = 'short', queries } = panel;
  const { type, options, defaults = {}, isInstant = false } = drawingOf(panel);
  return {
    type,
    title,
    description: about,
    datasource: DATASOURCE,
    fieldConfig: { defaults: { unit, ...defaults }, overrides: [] },
    options,
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: 'ABC'.charAt(index),
      datasource: DATASOURCE,
      expr,
      legendFormat,
      instant: isInstant,
      range: !isInstant,
      format: type === 'table' ? 'table' : 'time_series',
    })),
  };
}

function drawingOf({ kind = 'lines' }: Panel): Drawing {
  return DRAWINGS[kind];
}
