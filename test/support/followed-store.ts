import type { Store } from '../../src/cluster/reflector.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { metadataOf } from '../../src/kube/object.ts';

/** A store that a test can wait for: its content is told as `name@version`, sorted. */
export type FollowedStore = Store & {
  readonly content: () => readonly string[];
  /** Settles as soon as the content is this. */
  readonly becomes: (...content: readonly string[]) => Promise<void>;
  /** Everything that it was given, in order. */
  readonly upserts: readonly JsonObject[];
  /** Every content that it ever had. */
  readonly history: readonly (readonly string[])[];
};

/** An empty store. */
export function makeStore(): FollowedStore {
  const objects = new Map<string, string>();
  const upserts: JsonObject[] = [];
  const history: (readonly string[])[] = [];
  let change = Promise.withResolvers<void>();
  const content = (): readonly string[] => Array.from(objects, ([name, version]) => `${name}@${version}`).sort();
  const changed = (): void => {
    history.push(content());
    change.resolve();
    change = Promise.withResolvers();
  };
  return {
    upsert(object) {
      const { name, resourceVersion } = metadataOf(object);
      upserts.push(object);
      objects.set(String(name), String(resourceVersion));
      changed();
    },
    delete(name) {
      objects.delete(name);
      changed();
    },
    names: () => objects.keys(),
    content,
    async becomes(...wanted) {
      while (content().join() !== wanted.join()) await change.promise;
    },
    upserts,
    history,
  };
}
