// What a draft changes in one collection of a text: the same for YAML and JSON, in block and in flow style.

import { valueOf, type Draft } from './draft.ts';

/** An entry of a collection as the text has it: a pair, or an item. */
export interface TextEntry {
  /** A pair's key in JSON; absent for an item, and for a pair that has none, such as a merge. */
  readonly key?: string;
}

/** A pair, or an item when it has no key, that is to be written. */
export interface Addition {
  readonly key?: string;
  readonly value: unknown;
}

/** The changes to a collection that keeps an entry at least. */
export interface CollectionChanges<Entry> {
  /** Entries that stay, and the draft of each one's value. */
  readonly kept: readonly (readonly [Entry, Draft])[];
  readonly removed: ReadonlySet<Entry>;
  /** What is to be written behind an entry that stays, or before all of them. */
  readonly added: readonly { readonly after?: Entry; readonly entries: readonly Addition[] }[];
}

/**
 * The changes that a draft makes to the entries of its collection, in their order; undefined when none of them stays, so
 * that the collection is written anew. `merged` are keys that win although no entry of the collection spells them.
 */
export function changesOf<Entry extends TextEntry>(
  draft: Draft,
  entries: readonly Entry[],
  merged: ReadonlySet<string> = new Set(),
): CollectionChanges<Entry> | undefined {
  const changes = draft.members ? memberChanges(draft, entries, merged) : itemChanges(draft.items ?? [], entries);
  return changes && changes.removed.size < entries.length ? changes : undefined;
}

function memberChanges<Entry extends TextEntry>(
  { members = new Map(), value }: Draft,
  entries: readonly Entry[],
  merged: ReadonlySet<string>,
): CollectionChanges<Entry> | undefined {
  const kept: (readonly [Entry, Draft])[] = [];
  const additions: Addition[] = [];
  // Of a key that is given twice the last one counts.
  const winners = new Map(entries.flatMap((entry) => (entry.key === undefined ? [] : [[entry.key, entry] as const])));
  for (const [key, member] of members) {
    const entry = merged.has(key) ? undefined : winners.get(key);
    if (entry) kept.push([entry, member]);
    else if (isWritten(member, key, merged)) additions.push({ key, value: valueOf(member) });
  }
  if ([...merged].some((key) => !members.has(key) && Object.hasOwn(Object(value), key))) return undefined;
  const removed = new Set(entries.filter(({ key }) => key !== undefined && !members.has(key)));
  const last = entries.findLast((entry) => !removed.has(entry));
  return { kept, removed, added: additions.length > 0 && last ? [{ after: last, entries: additions }] : [] };
}

/** What a merge brings in is written only when it has become something else. */
function isWritten(member: Draft, key: string, merged: ReadonlySet<string>): boolean {
  return !merged.has(key) || member.fresh || member.members !== undefined || member.items !== undefined;
}

function itemChanges<Entry>(items: readonly Draft[], entries: readonly Entry[]): CollectionChanges<Entry> {
  const kept: (readonly [Entry, Draft])[] = [];
  const added: { after?: Entry; entries: Addition[] }[] = [];
  let after: Entry | undefined;
  let run: Addition[] | undefined;
  for (const item of items) {
    const entry = item.index === undefined ? undefined : entries[item.index];
    if (entry !== undefined) {
      kept.push([entry, item]);
      after = entry;
      run = undefined;
    } else if (run) run.push({ value: valueOf(item) });
    else {
      run = [{ value: valueOf(item) }];
      added.push({ ...(after !== undefined && { after }), entries: run });
    }
  }
  const stays = new Set(kept.map(([entry]) => entry));
  return { kept, removed: new Set(entries.filter((entry) => !stays.has(entry))), added };
}
