import type { JsonObject } from '../kube/json.ts';
import { ApiError, type ApiClient } from './api-client.ts';
import { pagesOf } from './paged-list.ts';

/** How often a list is begun anew because the server has forgotten where it was. */
const MOST_RESTARTS = 3;

/** How long one list may take in all. */
const LIST_MS = 600_000;

/** Some objects of a list; the first page of a list that was begun anew makes the earlier ones void. */
export interface ListedPage {
  readonly items: readonly JsonObject[];
  readonly isFirst: boolean;
}

/**
 * Every object of a collection, page by page, all from one moment. A list whose moment the server has forgotten (410) is
 * begun anew. Rejects rather than leave something out.
 */
export async function* listPages(client: ApiClient, path: string): AsyncGenerator<ListedPage, void> {
  for (let restarts = 0; ; restarts += 1) {
    let isFirst = true;
    try {
      for await (const { items } of pagesOf(client, { path }, AbortSignal.timeout(LIST_MS))) {
        yield { items, isFirst };
        isFirst = false;
      }
      return;
    } catch (error) {
      const isForgotten = error instanceof ApiError && error.status === 410;
      if (!isForgotten || restarts === MOST_RESTARTS) throw error;
    }
  }
}
