import { asString, own, type JsonObject } from '../kube/json.ts';
import { scrapeKey, type ScrapeAnnotation, type ScrapeAnnotations } from '../kube/prometheus-annotations.ts';
import { RECORDS } from './annotations.ts';
import { isScraped } from './metrics.ts';
import { ISTIO_MERGE_KEY, writeStatus, type ProxiedPort } from './record.ts';

/** What the annotations are to say. */
export interface Annotating {
  readonly scrape: ScrapeAnnotations;
  readonly image: string;
  /** The proxies, of which the first is the one that Prometheus is sent to. */
  readonly ports: readonly ProxiedPort[];
  /** True to keep Istio, which comes later, from serving the metrics on a port of its own. */
  readonly keepsIstioOut: boolean;
}

/**
 * The annotations to write: where to scrape in every spelling that is there, what was replaced, and what was injected.
 * A pod that no annotation lets Prometheus find gets none that would.
 */
export function plannedAnnotations(annotations: JsonObject, planned: Annotating): Readonly<Record<string, string>> {
  const replaced = scrapedAt(planned.scrape, planned.ports);
  if (planned.keepsIstioOut) replaced[ISTIO_MERGE_KEY] = 'false';
  const original: Record<string, string | null> = {};
  for (const key of Object.keys(replaced)) original[key] = asString(own(annotations, key)) ?? null;
  replaced[RECORDS.original.key] = JSON.stringify(original);
  replaced[RECORDS.status.key] = writeStatus(planned);
  return replaced;
}

/** Where Prometheus is to scrape, by the annotations that say so: none where none of them is in use. */
export function scrapedAt(scrape: ScrapeAnnotations, ports: readonly ProxiedPort[]): Record<string, string> {
  const written: Record<string, string> = {};
  if (!isScraped(scrape) && scrape.port.length === 0) return written;
  for (const key of spellings(scrape.port, scrapeKey('port'))) written[key] = String(ports[0]?.proxyPort);
  for (const key of spellings(scrape.scheme, scrapeKey('scheme'))) written[key] = 'https';
  return written;
}

function spellings(found: readonly ScrapeAnnotation[], usual: string): readonly string[] {
  return found.length === 0 ? [usual] : found.map(({ key }) => key);
}
