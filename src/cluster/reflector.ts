// Follows one collection of the API server: a list in pages, then a watch from where the list was, for ever. Whatever
// goes wrong, it goes on: from the last event where nothing can have been missed, and with a new list otherwise.
import { asString, type JsonObject } from '../kube/json.ts';
import { metadataOf } from '../kube/object.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import { Backoff } from './backoff.ts';
import { BrokenAnswer } from './broken-answer.ts';
import { type Clock, pause } from './clock.ts';
import { pagesOf } from './paged-list.ts';
import { Watchdog } from './watchdog.ts';
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
  /** Hears of each complete list. */
  readonly onList: () => void;
  /** Hears of each list or watch that failed. */
  readonly onFailure: () => void;
  /** Hears of an error that lasts, once until things go well again. */
  readonly onProblem: (error: unknown) => void;
  /** Hears when a watch has been of use again. */
  readonly onRecovery: () => void;
}

/** A store that is being kept up to date. */
export interface Reflector {
  /** True from the end of the first complete list on. */
  readonly isSynced: () => boolean;
  /**
   * Milliseconds since the store was known to be as the server had it: by a list, an event, a bookmark, or a watch that
   * was taken from where the last one ended. Infinite before that, and after a lie.
   */
  readonly age: () => number;
  /** Nothing is changed or asked any more once this has been called; settles when everything is closed. */
  readonly stop: () => Promise<void>;
}

/**
 * The server is asked to end a watch between these two; clients that began together do not come back together. It need
 * not say anything to a watch of a collection that nobody writes to, bookmarks included; that it takes the next watch
 * from where the last one was is the sign that nothing has been missed.
 */
const WATCH_SECONDS = { least: 45, most: 60 };

/** A connection that is silent for longer is taken for lost, well before the cache counts as stale. */
const PATIENCE_MS = 75_000;

/** A watch that ends sooner, with nothing said, is no success. */
const SHORT_MS = 1_000;

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
      return (await this.#watch(this.#version, watchdog, signal)) ? this.#succeed() : this.#rest();
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
    this.#parts.onList();
    return version;
  }

  /** Watches until the server ends that; true when it was of use. */
  async #watch(from: string, watchdog: Watchdog, signal: AbortSignal): Promise<boolean> {
    const { client, path, clock, random } = this.#parts;
    const timeoutSeconds = Math.floor(WATCH_SECONDS.least + random() * (WATCH_SECONDS.most - WATCH_SECONDS.least));
    const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${from}&timeoutSeconds=${timeoutSeconds}`;
    const lines = await client.lines({ path: `${path}?${query}`, signal });
    const opened = clock.now();
    const knownBefore = this.knownAt;
    this.knownAt = opened;
    watchdog.hear();
    let hasHeard = false;
    try {
      for await (const line of lines) {
        signal.throwIfAborted();
        this.#take(line, this.#version ?? from);
        watchdog.hear();
        hasHeard = true;
        this.#succeed();
      }
    } catch (error) {
      // That a version is gone is said in a watch that was taken at first.
      if (!hasHeard) this.knownAt = knownBefore;
      throw error;
    }
    return hasHeard || clock.now() - opened >= SHORT_MS;
  }

  #take(line: string, from: string): void {
    const { kind, store, clock } = this.#parts;
    const event = watchEventOf(line, kind);
    // Every write of a collection has a version of its own; a bookmark may repeat the one before.
    const step = compareVersions(event.resourceVersion, from);
    if (step < 0 || (step === 0 && event.type !== 'bookmark')) throw new BrokenAnswer('the watch went back');
    if (event.type === 'upsert') store.upsert(event.object);
    if (event.type === 'delete') store.delete(event.name);
    this.#version = event.resourceVersion;
    this.knownAt = clock.now();
  }

  #succeed(): number {
    this.#backoff.succeed();
    if (this.#told.size > 0) {
      this.#told.clear();
      this.#parts.onRecovery();
    }
    return 0;
  }

  #fail(error: unknown): number {
    const isFirst = this.#backoff.failures === 0;
    const isLie = error instanceof BrokenAnswer;
    const wasListing = this.#version === undefined;
    // Nothing can have been missed where a connection was lost; but an error that repeats may be about the version.
    if (!isFirst || isLie || error instanceof ApiError) this.#version = undefined;
    if (isLie) this.knownAt = -Infinity;
    if (wasListing || !isFirst || isLie) this.#tell(error);
    return this.#rest();
  }

  /** After a failure: how long. */
  #rest(): number {
    this.#parts.onFailure();
    return this.#backoff.fail();
  }

  #tell(error: unknown): void {
    const what = error instanceof ApiError ? String(error.status) : error instanceof Error ? error.name : 'unknown';
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#parts.onProblem(error);
  }
}

/** The name of a listed object. Throws a BrokenAnswer where it has none. */
function nameIn(object: JsonObject): string {
  const name = asString(metadataOf(object)['name']);
  if (name === undefined || name === '') throw new BrokenAnswer('an object of the list has no name');
  return name;
}
