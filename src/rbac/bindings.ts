import { asList, asObject, asString, type JsonObject, own } from '../kube/json.ts';
import { canonicalSubject, type Subject } from './subjects.ts';

/** A ClusterRoleBinding (its namespace is '') or a RoleBinding, with its subjects in canonical form, each once. */
export interface Binding {
  readonly namespace: string;
  /** '' when the API server has yet to make one from `generateName`. */
  readonly name: string;
  /** What it refers to; undefined when that is malformed. A ClusterRoleBinding that refers to a Role gives nothing. */
  readonly roleKind: 'ClusterRole' | 'Role' | undefined;
  readonly roleName: string;
  readonly subjects: readonly Subject[];
}

/** A subject and the index in `.subjects` at which it stands first. */
export interface PlacedSubject {
  readonly subject: Subject;
  readonly index: number;
}

/** Gives back an equal subject: the same one, or one that is shared with others to save memory. */
export type ShareSubject = (subject: Subject) => Subject;

/** Reads a ClusterRoleBinding, whatever its shape. */
export function clusterRoleBindingOf(object: JsonObject, share?: ShareSubject): Binding {
  return bindingOf(object, '', share);
}

/** Reads a RoleBinding, whatever its shape; one without a namespace is in `default`. */
export function roleBindingOf(object: JsonObject, share?: ShareSubject): Binding {
  const namespace = asString(own(asObject(own(object, 'metadata')), 'namespace')) || 'default';
  return bindingOf(object, namespace, share);
}

/** The distinct subjects of a binding's JSON, malformed ones left out, with their places; as many as are asked for. */
export function* placedSubjectsOf(object: JsonObject, bindingNamespace = ''): Generator<PlacedSubject, void> {
  const keys = new Set<string>();
  for (const [index, item] of asList(own(object, 'subjects')).entries()) {
    const subject = canonicalSubject(item, bindingNamespace);
    if (subject === undefined || keys.has(subject.key)) continue;
    keys.add(subject.key);
    yield { subject, index };
  }
}

/** Says where a subject of a binding's JSON stands first; the list is read no further than the questions need. */
export function subjectPlaces(object: JsonObject): (subject: Subject) => number | undefined {
  const placed = placedSubjectsOf(object);
  const places = new Map<string, number>();
  return ({ key }) => {
    while (!places.has(key)) {
      const next = placed.next();
      if (next.done === true) break;
      places.set(next.value.subject.key, next.value.index);
    }
    return places.get(key);
  };
}

function bindingOf(object: JsonObject, namespace: string, share: ShareSubject = (subject) => subject): Binding {
  const roleRef = asObject(own(object, 'roleRef'));
  const kind = own(roleRef, 'kind');
  const roleName = asString(own(roleRef, 'name')) ?? '';
  const isKnown = roleName !== '' && (kind === 'ClusterRole' || (kind === 'Role' && namespace !== ''));
  return {
    namespace,
    name: asString(own(asObject(own(object, 'metadata')), 'name')) ?? '',
    roleKind: isKnown ? kind : undefined,
    roleName,
    subjects: subjectsOf(object, namespace, share),
  };
}

/** As placedSubjectsOf, without the places: a cluster has very many of these lists. */
function subjectsOf(object: JsonObject, namespace: string, share: ShareSubject): readonly Subject[] {
  const items = asList(own(object, 'subjects'));
  const subjects: Subject[] = [];
  const keys = new Set<string>();
  for (const item of items) {
    const subject = canonicalSubject(item, namespace);
    if (subject === undefined || (items.length > 1 && keys.has(subject.key))) continue;
    if (items.length > 1) keys.add(subject.key);
    subjects.push(share(subject));
  }
  // A list that was pushed to has room for many more.
  return subjects.slice();
}
