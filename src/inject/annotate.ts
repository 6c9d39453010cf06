import { asString, own, type JsonObject } from '../kube/json.ts';
import { scrapeAnnotationsIn, scrapeKey, type ScrapeAnnotation } from '../kube/prometheus-annotations.ts';
import { RECORDS } from './annotations.ts';
import { isScraped } from './metrics.ts';
import { ISTIO_MERGE_KEY, writeStatus, type ProxiedPort } from './record.ts';

/** The annotations that go with a number of proxies, of which the first is the one that Prometheus is sent to. */
export interface Annotating {
  readonly image: string;
  readonly ports: readonly ProxiedPort[];
  /** True to keep Istio, which comes later, from serving the metrics on a port of its own. */
  readonly keepsIstioOut: boolean;
}

/**
 * The annotations to write: where to scrape in every spelling that is there, what was replaced, and what was injected.
 * A pod that no annotation lets Prometheus find gets none that would.
 */
export function plannedAnnotations(annotations: JsonObject, planned: Annotating): Readonly<Record<string, string>> {
  const replaced = { ...scrapedAt(annotations, planned.ports), ...(planned.keepsIstioOut ? KEEPING_ISTIO_OUT : {}) };
  const original = Object.keys(replaced).map((key) => [key, asString(own(annotations, key)) ?? null]);
  return {
    ...replaced,
    [RECORDS.original.key]: JSON.stringify(Object.fromEntries(original)),
    [RECORDS.status.key]: writeStatus(planned),
  };
}

const KEEPING_ISTIO_OUT = { [ISTIO_MERGE_KEY]: 'false' };

/** Where Prometheus is to scrape, by the annotations that say so: none where none of them is in use. */
export function scrapedAt(annotations: JsonObject, ports: readonly ProxiedPort[]): Readonly<Record<string, string>> {
  const scrape = scrapeAnnotationsIn(annotations);
  if (!isScraped(scrape) && scrape.port.length === 0) return {};
  const port = String(ports[0]?.proxyPort);
  return Object.fromEntries([
    ...spellings(scrape.port, scrapeKey('port')).map((key) => [key, port]),
    ...spellings(scrape.scheme, scrapeKey('scheme')).map((key) => [key, 'https']),
  ]);
}

function spellings(found: readonly ScrapeAnnotation[], usual: string): readonly string[] {
  return found.length === 0 ? [usual] : found.map(({ key }) => key);
}
