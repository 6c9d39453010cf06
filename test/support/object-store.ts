// An API server in memory, as far as single objects by name go: versions, conflicts, applied creation, and refusals.
import { isDeepStrictEqual } from 'node:util';
import { ApiError, type ApiClient, type ApiRequest } from '../../src/cluster/api-client.ts';
import { asObject, type JsonObject } from '../../src/kube/json.ts';

/** The objects by path; change them as somebody else would. */
export type ObjectStore = {
  readonly client: ApiClient;
  readonly get: (path: string) => JsonObject | undefined;
  /** Writes as somebody else: the version changes. */
  readonly put: (path: string, object: JsonObject) => void;
  readonly remove: (path: string) => void;
  /** Every request from now on is answered by what this throws; undefined ends it. */
  readonly refuse: (error: ((request: ApiRequest) => Error | undefined) | undefined) => void;
  /** Called before each write is done, so that somebody else can be faster. */
  readonly beforeWrite: (act: (() => void) | undefined) => void;
  /** `METHOD path` of every request, without the query. */
  readonly requests: readonly string[];
};

/** A store with no object in it. */
export function makeObjectStore(): ObjectStore {
  const objects = new Map<string, JsonObject>();
  const requests: string[] = [];
  let version = 0;
  let refusal: ((request: ApiRequest) => Error | undefined) | undefined;
  let interference: (() => void) | undefined;

  const put = (path: string, object: JsonObject): void => {
    version += 1;
    const metadata = { ...asObject(object['metadata']), resourceVersion: String(version) };
    objects.set(path, structuredClone({ ...object, metadata }));
  };
  const write = ({ method, body, contentType }: ApiRequest, path: string): JsonObject => {
    const interfere = interference;
    interference = undefined;
    interfere?.();
    const before = objects.get(path);
    const object = asObject(body);
    if (method === 'PATCH') {
      if (contentType !== 'application/apply-patch+yaml') throw new ApiError(415, 'the body is of another type');
      // Another manager owns what is there: applying anything else conflicts.
      if (before !== undefined) throw new ApiError(409, `Apply failed with conflicts: ${path}`);
    } else {
      if (before === undefined) throw new ApiError(404, `${path} not found`);
      const known = asObject(before['metadata'])['resourceVersion'];
      if (!isDeepStrictEqual(asObject(object['metadata'])['resourceVersion'], known)) {
        throw new ApiError(409, `the object ${path} has been modified`);
      }
    }
    put(path, object);
    return objects.get(path) ?? {};
  };
  return {
    client: {
      async request(request) {
        const [path = ''] = request.path.split('?');
        requests.push(`${request.method ?? 'GET'} ${path}`);
        request.signal.throwIfAborted();
        const refused = refusal?.(request);
        if (refused !== undefined) throw refused;
        if (request.method !== undefined && request.method !== 'GET') return structuredClone(write(request, path));
        const found = objects.get(path);
        if (found === undefined) throw new ApiError(404, `${path} not found`);
        return structuredClone(found);
      },
      lines: () => Promise.reject(new Error('Nothing is watched here.')),
      close: async () => undefined,
    },
    get: (path) => structuredClone(objects.get(path)),
    put,
    remove: (path) => void objects.delete(path),
    refuse: (error) => void (refusal = error),
    beforeWrite: (act) => void (interference = act),
    requests,
  };
}
