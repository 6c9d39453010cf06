import { asObject, asString, isObject, own, type JsonObject } from '../kube/json.ts';

/** An object of a document, and the tokens that lead to it. */
export interface Part {
  readonly object: JsonObject;
  readonly tokens: readonly string[];
}

/**
 * The objects of a document in their order: itself, or the items of a `List` and of any `PodList`, `RoleList` and so on,
 * and of lists among these. An item of a typed list that names no kind gets the list's apiVersion and the kind that the
 * list is named after, as Kubernetes decodes it. Items that are no objects are left out.
 */
export function flattenList(document: JsonObject): Part[] {
  const parts: Part[] = [];
  addObjects({ object: document, tokens: [] }, parts);
  return parts;
}

/** Recursion is bounded by the depth that documents may have. */
function addObjects(part: Part, parts: Part[]): void {
  const items = itemsOf(part.object);
  if (!items) parts.push(part);
  else for (const item of itemParts(part, items)) addObjects(item, parts);
}

/** True for a list of Kubernetes; an object with a name of its own is one by its kind's name only. */
export function isList(object: JsonObject): boolean {
  const isNamed = own(asObject(own(object, 'metadata')), 'name') !== undefined;
  return !isNamed && (asString(own(object, 'kind'))?.endsWith('List') ?? false);
}

function itemsOf(object: JsonObject): readonly unknown[] | undefined {
  const items = own(object, 'items');
  return isList(object) && Array.isArray(items) ? items : undefined;
}

function itemParts(list: Part, items: readonly unknown[]): Part[] {
  const kind = asString(own(list.object, 'kind'))?.slice(0, -'List'.length);
  return items.flatMap((item, index) => {
    if (!isObject(item)) return [];
    const untyped = kind !== '' && own(item, 'kind') === undefined;
    const object = untyped ? { apiVersion: own(list.object, 'apiVersion'), kind, ...item } : item;
    return [{ object, tokens: [...list.tokens, 'items', String(index)] }];
  });
}
