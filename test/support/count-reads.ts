import { isObject, type JsonObject } from '../../src/kube/json.ts';

/** How often something reads a JSON object while it runs: properties, keys and items, at any depth. */
export function countReads(object: JsonObject, run: (watched: JsonObject) => void): number {
  let reads = 0;
  const known = new WeakMap<object, object>();

  const watch = (value: unknown): unknown => {
    if (!isObject(value) && !Array.isArray(value)) return value;
    const earlier = known.get(value);
    if (earlier !== undefined) return earlier;
    const watched = new Proxy(value, handler);
    known.set(value, watched);
    return watched;
  };

  const handler: ProxyHandler<object> = {
    get(target, key, receiver) {
      reads += 1;
      return watch(Reflect.get(target, key, receiver));
    },
    has(target, key) {
      reads += 1;
      return Reflect.has(target, key);
    },
    ownKeys(target) {
      const keys = Reflect.ownKeys(target);
      reads += keys.length;
      return keys;
    },
  };

  const watched = watch(object);
  if (isObject(watched)) run(watched);
  return reads;
}
