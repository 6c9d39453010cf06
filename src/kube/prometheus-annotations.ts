// The annotations by which Prometheus' usual configuration finds pods to scrape. Service discovery turns every character
// of a key that a label name cannot hold into `_`, so that `prometheus.io/port`, `prometheus_io_port` and
// `prometheus.io.port` are one annotation.

import type { JsonObject } from './json.ts';

/** What the annotations of the family say, by the end of their keys. */
export const SCRAPE_SETTINGS = ['scrape', 'scrape-slow', 'port', 'path', 'scheme'] as const;

/** One of SCRAPE_SETTINGS. */
export type ScrapeSetting = (typeof SCRAPE_SETTINGS)[number];

/** One annotation of the family as it is spelled on the object. */
export interface ScrapeAnnotation {
  readonly key: string;
  readonly value: string;
}

/** The annotations of an object by what they say, each list beginning with the usual spelling where it is there. */
export type ScrapeAnnotations = Readonly<Record<ScrapeSetting, readonly ScrapeAnnotation[]>>;

/** An annotation's key as Prometheus' label (prometheus/util/strutil `SanitizeLabelName`). */
export function asLabelName(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_]/g, '_');
}

/** The usual spelling of a setting: `prometheus.io/port`. */
export function scrapeKey(setting: ScrapeSetting): string {
  return `${FAMILY}/${setting}`;
}

const FAMILY = 'prometheus.io';

/** Letters stay as they are and nothing changes length, so most keys are told apart without being rewritten. */
const STEM = 'prometheus';

const SETTINGS_BY_LABEL: ReadonlyMap<string, ScrapeSetting> = new Map(
  SCRAPE_SETTINGS.map((setting) => [asLabelName(scrapeKey(setting)), setting]),
);

/** The spelling that nearly everybody uses. */
const SETTINGS_BY_KEY: ReadonlyMap<string, ScrapeSetting> = new Map(
  SCRAPE_SETTINGS.map((setting) => [scrapeKey(setting), setting]),
);

const LONGEST_LABEL = Math.max(...[...SETTINGS_BY_LABEL.keys()].map((label) => label.length));

/** The setting that an annotation's key stands for, in whatever spelling; undefined for any other key. */
export function scrapeSettingOf(key: string): ScrapeSetting | undefined {
  if (!key.startsWith(STEM) || key.length > LONGEST_LABEL) return undefined;
  return SETTINGS_BY_KEY.get(key) ?? SETTINGS_BY_LABEL.get(asLabelName(key));
}

/** The annotations of the family that an object's `metadata.annotations` hold; values that are no text are left out. */
export function scrapeAnnotationsIn(annotations: JsonObject): ScrapeAnnotations {
  const found = { scrape: [], 'scrape-slow': [], port: [], path: [], scheme: [] } satisfies ScrapeAnnotations;
  const lists: Record<ScrapeSetting, ScrapeAnnotation[]> = found;
  for (const key of Object.keys(annotations)) {
    const setting = scrapeSettingOf(key);
    const value = annotations[key];
    if (setting === undefined || typeof value !== 'string') continue;
    if (key === scrapeKey(setting)) lists[setting].unshift({ key, value });
    else lists[setting].push({ key, value });
  }
  return found;
}
