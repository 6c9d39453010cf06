// Follows one collection of the API server: a list in pages, then a watch from where the list was, for ever. Whatever
// goes wrong, it goes on: from the last event where nothing can have been missed, and with a new list otherwise.
import { asString, type JsonObject } from '../kube/json.ts';
import { metadataOf } from '../kube/object.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import { Backoff } from './backoff.ts';
import { BrokenAnswer } from './broken-answer.ts';
import { type Clock, pause } from './clock.ts';
import { pagesOf } from './paged-list.ts';
import { SilenceError, Watchdog } from './watchdog.ts';
import { compareVersions, watchEventOf } from './watch-event.ts';

/** What is kept up to date. A list changes it page by page, and removes what is gone at its end: it is never empty meanwhile. */
export interface Store {
  readonly upsert: (object: JsonObject) => void;
  readonly delete: (name: string) => void;
  readonly names: () => Iterable<string>;
}

/** What is followed, with what, and who hears of it. */
export interface ReflectorParts {
  readonly client: ApiClient;
  /** The path of the collection. */
  readonly path: string;
  readonly kind: string;
  readonly store: Store;
  readonly clock: Clock;
  /** Numbers from 0 up to 1. */
  readonly random: () => number;
  /** Hears of an error that lasts, once until things go well again. */
  readonly onProblem: (error: unknown) => void;
  /** Hears when the watch has something to say again. */
  readonly onRecovery: () => void;
}

/** A store that is being kept up to date. */
export interface Reflector {
  /** True from the end of the first complete list on. */
  readonly isSynced: () => boolean;
  /** Milliseconds since the store was known to be as the server had it; infinite before that, and after a lie. */
  readonly age: () => number;
  /** Nothing is changed or asked any more once this has been called; settles when everything is closed. */
  readonly stop: () => Promise<void>;
}

/**
 * The API server sends a bookmark a minute to a watch that has nothing else to say. A connection that is silent for
 * longer is taken for lost, and everything listed anew before the cache counts as stale.
 */
const PATIENCE_MS = 75_000;

/** The server is asked to end a watch between these two: clients that began together do not come back together. */
const WATCH_SECONDS = { least: 240, most: 300 };

/** Begins to follow a collection. It never throws and never gives up. */
export function startReflector(parts: ReflectorParts): Reflector {
  const loop = new Loop(parts);
  const ended = loop.run();
  return {
    isSynced: () => loop.isSynced,
    age: () => parts.clock.now() - loop.knownAt,
    async stop() {
      loop.stop();
      await ended;
    },
  };
}

class Loop {
  isSynced = false;
  /** When the store was known to be right. */
  knownAt = -Infinity;
  readonly #parts: ReflectorParts;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  /** Where the next watch begins; undefined: not before a list. */
  #version: string | undefined;
  /** The problems that were told since things went well. */
  readonly #told = new Set<string>();

  constructor(parts: ReflectorParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
  }

  stop(): void {
    this.#stopping.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const rest = await this.#attempt();
      if (rest > 0) await pause(this.#parts.clock, rest, signal);
    }
  }

  /** Lists if need be and watches until something ends that; the milliseconds to wait before the next attempt. */
  async #attempt(): Promise<number> {
    const watchdog = new Watchdog(this.#parts.clock, PATIENCE_MS);
    const signal = AbortSignal.any([this.#stopping.signal, watchdog.signal]);
    try {
      this.#version ??= await this.#list(watchdog, signal);
      const hasHeard = await this.#watch(this.#version, watchdog, signal);
      // A server that ends each watch at once would be asked without a pause.
      return hasHeard ? 0 : this.#backoff.fail();
    } catch (error) {
      return this.#stopping.signal.aborted ? 0 : this.#fail(watchdog.signal.aborted ? watchdog.signal.reason : error);
    } finally {
      watchdog.stop();
    }
  }

  async #list(watchdog: Watchdog, signal: AbortSignal): Promise<string> {
    const { client, path, store, clock } = this.#parts;
    const begun = clock.now();
    const gone = new Set(store.names());
    let version = '';
    for await (const { items, resourceVersion } of pagesOf(client, { path }, signal)) {
      signal.throwIfAborted();
      watchdog.hear();
      version = resourceVersion;
      for (const item of items) {
        gone.delete(nameIn(item));
        store.upsert(item);
      }
    }
    for (const name of gone) store.delete(name);
    this.isSynced = true;
    this.knownAt = begun;
    return version;
  }

  /** True when something was heard before the server ended the watch. */
  async #watch(from: string, watchdog: Watchdog, signal: AbortSignal): Promise<boolean> {
    const { client, path, kind, clock, random } = this.#parts;
    const timeoutSeconds = Math.floor(WATCH_SECONDS.least + random() * (WATCH_SECONDS.most - WATCH_SECONDS.least));
    const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${from}&timeoutSeconds=${timeoutSeconds}`;
    let hasHeard = false;
    for await (const line of client.lines({ path: `${path}?${query}`, signal })) {
      signal.throwIfAborted();
      const event = watchEventOf(line, kind);
      // Every write of a collection has a version of its own; a bookmark may repeat the one before.
      const step = compareVersions(event.resourceVersion, this.#version ?? from);
      if (step < 0 || (step === 0 && event.type !== 'bookmark')) throw new BrokenAnswer('the watch went back');
      if (event.type === 'upsert') this.#parts.store.upsert(event.object);
      if (event.type === 'delete') this.#parts.store.delete(event.name);
      this.#version = event.resourceVersion;
      this.knownAt = clock.now();
      watchdog.hear();
      hasHeard = true;
      this.#backoff.succeed();
      this.#recover();
    }
    return hasHeard;
  }

  #fail(error: unknown): number {
    const isFirst = this.#backoff.failures === 0;
    // Nothing can have been missed where a connection was lost; but an error that repeats may be about the version.
    const canGoOn = isFirst && !(error instanceof ApiError || error instanceof BrokenAnswer || isSilence(error));
    const wasListing = this.#version === undefined;
    if (!canGoOn) this.#version = undefined;
    if (error instanceof BrokenAnswer) this.knownAt = -Infinity;
    if (wasListing || !isFirst || error instanceof BrokenAnswer) this.#tell(error);
    // Who was silent has been waited for long enough.
    return isSilence(error) && isFirst ? 0 : this.#backoff.fail();
  }

  #tell(error: unknown): void {
    const what = error instanceof ApiError ? String(error.status) : error instanceof Error ? error.name : 'unknown';
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#parts.onProblem(error);
  }

  #recover(): void {
    if (this.#told.size === 0) return;
    this.#told.clear();
    this.#parts.onRecovery();
  }
}

function isSilence(error: unknown): boolean {
  return error instanceof SilenceError;
}

/** The name of a listed object. Throws a BrokenAnswer where it has none. */
function nameIn(object: JsonObject): string {
  const name = asString(metadataOf(object)['name']);
  if (name === undefined || name === '') throw new BrokenAnswer('an object of the list has no name');
  return name;
}
