import { groupOf, metadataOf } from '../kube/object.ts';
import type { Manifest } from '../manifests/manifests.ts';
import { objectName } from '../report/object-name.ts';
import { reportedRef } from '../report/report.ts';

const MOST_NOTES = 5;
const MOST_PLACES = 3;

/** A sentence for each object that is given more than once, five at most and then how many more there are. */
export function repeatNotes(manifests: readonly Manifest[]): string[] {
  const named = manifests.filter(({ object }) => typeof metadataOf(object)['name'] === 'string');
  const repeats = [...Map.groupBy(named, identityOf).values()].filter((group) => group.length > 1);
  const notes = repeats.slice(0, MOST_NOTES).flatMap(noteOf);
  const more = repeats.length - notes.length;
  return more > 0 ? [...notes, `${more} more objects are given more than once, too`] : notes;
}

function identityOf({ object }: Manifest): string {
  const { apiVersion, kind, namespace, name } = reportedRef(object);
  return JSON.stringify([groupOf(apiVersion), kind, namespace, name]);
}

function noteOf(group: readonly Manifest[]): string[] {
  const places = group.slice(0, MOST_PLACES).map((manifest) => `${manifest.file}:${manifest.locate('').line}`);
  const more = group.length > MOST_PLACES ? ', ...' : '';
  return group
    .slice(0, 1)
    .map(
      ({ object }) =>
        `${objectName(reportedRef(object))} is given ${group.length} times, each is judged: ${places.join(', ')}${more}`,
    );
}
