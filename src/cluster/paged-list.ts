import { asObject, asString, isObject, type JsonObject, own } from '../kube/json.ts';
import type { ApiClient } from './api-client.ts';
import { BrokenAnswer } from './broken-answer.ts';

/** A page of a list, and the version of the collection at which all its pages were read. */
export interface Page {
  readonly items: readonly JsonObject[];
  readonly resourceVersion: string;
}

/** Which list to read: the path of a collection, and what to select of it. */
export interface ListQuery {
  readonly path: string;
  readonly labelSelector?: string;
}

/** One page is small enough to be read without holding up a request that waits. */
const PAGE_SIZE = 500;

/** Many more than any cluster has; a server that hands out pages for ever is not believed. */
const MOST_PAGES = 10_000;

/**
 * The pages of a list, all at one version, as new as the moment of the first request. Throws as `request` does, and a
 * BrokenAnswer where an answer is no list or the pages do not belong together.
 */
export async function* pagesOf(
  client: ApiClient,
  { path, labelSelector }: ListQuery,
  signal: AbortSignal,
): AsyncGenerator<Page, void> {
  const selection: Record<string, string> = labelSelector === undefined ? {} : { labelSelector };
  let version: string | undefined;
  let next: string | undefined;
  for (let count = 0; count < MOST_PAGES; count += 1) {
    const query = new URLSearchParams({ ...selection, limit: String(PAGE_SIZE), ...(next && { continue: next }) });
    const page = await client.request({ path: `${path}?${query.toString()}`, signal });
    const metadata = asObject(own(page, 'metadata'));
    const resourceVersion = asString(own(metadata, 'resourceVersion')) ?? '';
    version ??= resourceVersion;
    if (version === '' || resourceVersion !== version) throw new BrokenAnswer('a page is of another version');
    yield { items: itemsOf(page), resourceVersion };
    next = asString(own(metadata, 'continue'));
    if (next === undefined || next === '') return;
  }
  throw new BrokenAnswer('the list has no end');
}

function itemsOf(page: JsonObject): readonly JsonObject[] {
  const items = own(page, 'items');
  // The API server writes null for an empty list of some kinds.
  if (items === null) return [];
  if (!Array.isArray(items) || !items.every(isObject)) throw new BrokenAnswer('an answer is no list of objects');
  return items;
}
